import { permissions } from '../../src/preflight/permissions.js'

const matching = (pattern: RegExp): unknown => expect.stringMatching(pattern)

const principal = 'arn:aws:iam::111122223333:role/deployer'
const need = { actions: ['a:B'], resources: ['arn:r'], context: {} }
const facts: Parameters<typeof permissions>[0] = {
  principal,
  needs: async () => [need],
  simulate: async () => ({ state: 'known', missing: [], unknown: [] })
}
const unasked = async (): Promise<never> => Promise.reject(new Error('not asked for'))

describe('permissions', () => {
  it('asks nothing when nothing is to be changed, or nobody can be asked about', async () => {
    expect(await permissions({ ...facts, needs: async () => [], simulate: unasked })).toEqual([])
    expect(await permissions({ ...facts, principal: undefined, simulate: unasked })).toEqual([])
  })

  it('lists everything that is missing in one error, with where to find the statements', async () => {
    const missing = [
      { action: 'iam:CreateRole', resource: 'arn:a', explicit: false },
      { action: 'iam:CreateRole', resource: 'arn:b', explicit: true },
      { action: 'sqs:CreateQueue', resource: 'arn:q', explicit: false }
    ]
    const [finding, ...others] = await permissions({
      ...facts,
      simulate: async () => ({ state: 'known', missing, unknown: [] })
    })
    expect(others).toEqual([])
    expect(finding).toMatchObject({ level: 'error', override: 'permissions' })
    expect(finding?.problem).toContain('iam:CreateRole on arn:a, arn:b (explicitly denied)\n')
    expect(finding?.problem).toContain('sqs:CreateQueue on arn:q\n')
    expect(finding?.fix).toContain('docs/permissions/install.json')
  })

  it('says who keeps the role from what its own policies may well allow', async () => {
    const missing = [
      { action: 'iam:CreateRole', resource: 'arn:a', explicit: false, beyond: 'control policy' },
      { action: 'sqs:CreateQueue', resource: 'arn:q', explicit: true, beyond: 'permissions boundary' }
    ] as const
    const [finding] = await permissions({
      ...facts,
      simulate: async () => ({ state: 'known', missing, unknown: [] })
    })
    expect(finding?.problem).toContain(
      'iam:CreateRole on arn:a (not allowed by a control policy of the organisation)\n'
    )
    expect(finding?.problem).toContain(
      "sqs:CreateQueue on arn:q (not allowed by the role's permissions boundary)\n"
    )
    expect(finding?.fix).toMatch(
      /What a control policy of the organisation or the role's permissions boundary does not allow must be allowed there/
    )
  })

  it('says that a role made without a boundary is refused where the policy asks for one, and what to pass', async () => {
    const unknown = [
      { action: 'iam:CreateRole', resource: 'arn:a', keys: ['iam:PermissionsBoundary'] },
      { action: 'iam:AttachRolePolicy', resource: 'arn:a', keys: ['iam:PermissionsBoundary'] }
    ]
    const simulate = async () => ({ state: 'known', missing: [], unknown }) as const
    const [error, note, ...others] = await permissions({ ...facts, simulate })
    expect(others).toEqual([])
    expect(error).toMatchObject({
      level: 'error',
      problem: matching(/iam:CreateRole on arn:a \(without iam:PermissionsBoundary\)\n/)
    })
    expect(error?.fix).toContain('pass it as `permissions-boundary`')
    expect(note).toMatchObject({ level: 'note', problem: matching(/iam:AttachRolePolicy on arn:a/) })
    const context = { 'iam:PermissionsBoundary': 'arn:guard' }
    const passed = await permissions({ ...facts, needs: async () => [{ ...need, context }], simulate })
    expect(passed.map(({ level }) => level)).toEqual(['note'])
  })

  it('notes that it could not ask, with what that takes', async () => {
    const simulate = async () => ({ state: 'unknown', reason: 'denied', fix: 'Allow it.' }) as const
    expect(await permissions({ ...facts, simulate })).toEqual([
      expect.objectContaining({ level: 'note', problem: matching(/: denied$/), fix: 'Allow it.' })
    ])
  })

  it('notes what was not decided, and names the keys that were missing', async () => {
    const unknown = [
      { action: 'iam:CreateRole', resource: 'arn:a', keys: ['aws:RequestTag/team'] },
      { action: 'sqs:CreateQueue', resource: 'arn:q', keys: [] }
    ]
    const [finding, ...others] = await permissions({
      ...facts,
      simulate: async () => ({ state: 'known', missing: [], unknown })
    })
    expect(others).toEqual([])
    expect(finding).toMatchObject({ level: 'note', subject: 'permissions' })
    expect(finding?.problem).toContain('iam:CreateRole on arn:a (without aws:RequestTag/team)\n')
    expect(finding?.problem).toContain('sqs:CreateQueue on arn:q\n')
    expect(finding?.fix).toMatch(/ask for aws:RequestTag\/team, .*IAM's answer says nothing of the others/)
  })
})
