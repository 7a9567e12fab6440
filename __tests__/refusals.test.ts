import { UserError } from '../src/engine/errors.js'
import { resource, type AnyResource, type Live } from '../src/engine/resource.js'
import { throwRefusals } from '../src/refusals.js'

function named(name: string, live: Live<string>, layer: AnyResource['layer'] = 'iam'): AnyResource {
  return resource<string, string>(
    {
      id: name,
      layer,
      title: `Role ${name}`,
      dependsOn: [],
      wanted: name,
      read: async () => live,
      compare: () => [],
      absent: () => [],
      refusal: (found) =>
        found === 'foreign' ? new UserError(name, 'is of somebody else', 'Take another name.') : undefined,
      apply: async () => undefined,
      remove: async () => ({ outcome: 'absent' })
    },
    (value): value is string => typeof value === 'string'
  )
}

async function thrownBy(...resources: readonly AnyResource[]): Promise<unknown> {
  const inspections = await Promise.all(
    resources.map(async (one) => one.inspect(new AbortController().signal))
  )
  try {
    throwRefusals(new Map(inspections.map((one) => [one.resource.id, one])))
    return undefined
  } catch (error) {
    return error
  }
}

describe('throwRefusals', () => {
  it('lets pass what may be made as wanted', async () => {
    const there = named('a', { state: 'present', value: 'ours' })
    expect(await thrownBy(there, named('b', { state: 'absent' }))).toBeUndefined()
  })

  it('throws what a resource says of a live state that it will not touch', async () => {
    const error = await thrownBy(named('a', { state: 'present', value: 'foreign' }))
    expect(error).toMatchObject({ message: 'a: is of somebody else', fix: 'Take another name.' })
  })

  it('throws all of them together', async () => {
    const foreign: Live<string> = { state: 'present', value: 'foreign' }
    expect(await thrownBy(named('a', foreign), named('b', foreign))).toMatchObject({
      errors: [{ message: 'a: is of somebody else' }, { message: 'b: is of somebody else' }]
    })
  })

  it('names the permission that reading lacks', async () => {
    const live: Live<string> = { state: 'unreadable', reason: 'denied', missingPermission: 'iam:GetRole' }
    const error = await thrownBy(named('a', live))
    expect(error).toMatchObject({ message: 'Role a: could not be read: denied' })
    expect(fixOf(error)).toContain("Add iam:GetRole to the role's policy")
  })

  it('asks for access to the cluster where the cluster refuses', async () => {
    const live: Live<string> = { state: 'unreadable', reason: 'denied', missingPermission: 'get namespaces' }
    expect(fixOf(await thrownBy(named('a', live, 'kubernetes')))).toContain('Let the caller get namespaces')
  })
})

function fixOf(error: unknown): string {
  return error instanceof UserError ? error.fix : ''
}
