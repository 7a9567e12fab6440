import { startGitHubApi, type GitHubApi } from '../../sandbox/runner/github-api.js'
import { type Ended, PlayedWorld } from './played-run.js'

let world: PlayedWorld
beforeAll(async () => {
  world = await PlayedWorld.start()
  await world.main({ 'smoke-test': 'false' })
})
afterEach(() => {
  world.cloud.setFaults([])
  world.aws.tags.get('subnet-2')?.set('karpenter.sh/discovery', 'blue')
})
afterAll(async () => world.stop())

async function check(given: Readonly<Record<string, string>> = {}, of = world): Promise<Ended> {
  const ended = await of.main({ mode: 'check', ...given })
  // Whatever it finds: it writes nothing, takes no lock, and leaves nothing to post.
  expect(ended.writes).toEqual({ aws: [], cluster: [] })
  expect(ended.state).toBe('')
  return ended
}

function untag(of = world): void {
  of.aws.tags.get('subnet-2')?.delete('karpenter.sh/discovery')
}

test('of an installation that is as it was installed finds nothing', async () => {
  const ended = await check()
  expect(ended.failed).toBeUndefined()
  expect(ended.outputs).toMatchObject({
    drift: '0',
    pending: '0',
    unknown: '0',
    changed: 'false',
    'karpenter-version': '1.14.1',
    'stack-name': 'Karpenter-blue'
  })
  expect([ended.warnings, ended.errors]).toEqual([[], []])
  expect(ended.report).toMatchObject({
    mode: 'check',
    findings: [],
    counts: { drift: 0, pending: 0, unknown: 0 }
  })
  expect(ended.log.join('\n')).toContain('30 of 30 resources are as installed on')
})

describe('the discovery tag on what nobody chose', () => {
  afterEach(() => {
    world.aws.tags.delete('subnet-3')
    world.aws.tags.delete('sg-3')
  })
  const tag = (): void => {
    for (const id of ['subnet-3', 'sg-3'])
      world.aws.tags.set(id, new Map([['karpenter.sh/discovery', 'blue']]))
  }

  it('is drift when it came after the install, and says how to be rid of it', async () => {
    tag()
    const ended = await check()
    expect(ended.outputs).toMatchObject({ drift: '2', pending: '0' })
    expect(ended.report).toMatchObject({
      findings: [
        {
          kind: 'drift',
          id: 'subnet-tags',
          path: 'subnet-3.tags.karpenter.sh/discovery',
          live: 'blue',
          severity: 'breaks scaling',
          reason:
            'subnet-3 was tagged karpenter.sh/discovery=blue since the install, so nodes are put into it; `subnets` does not name it',
          install: expect.stringContaining(
            'aws ec2 delete-tags --resources subnet-3 --tags Key=karpenter.sh/discovery'
          ) as unknown
        },
        { kind: 'drift', id: 'security-group-tags', severity: 'weakens security' }
      ]
    })
  })

  it('that was there at the install, or that no record knows of, is a note', async () => {
    tag()
    const other = await PlayedWorld.start()
    other.aws.tags.set('subnet-3', new Map([['karpenter.sh/discovery', 'blue']]))
    await other.main({ 'smoke-test': 'false' })
    const ended = await check({}, other)
    expect([ended.failed, ended.outputs['drift']]).toEqual([undefined, '0'])
    const said = 'note: Karpenter uses subnet-3 as well, which `subnets` does not name'
    expect(ended.log.join('\n')).toContain(`${said}: it is tagged karpenter.sh/discovery=blue, as it was at`)
    other.server.remove('/api/v1/namespaces/kube-system/configmaps/setup-karpenter')
    expect((await check({}, other)).log.join('\n')).toContain('and no record says since when')
    await other.stop()
  })

  it("is nobody's affair where EC2NodeClasses find by ids", async () => {
    tag()
    const ids = (name: string): string => `
apiVersion: karpenter.k8s.aws/v1
kind: EC2NodeClass
metadata: { name: ${name} }
spec:
  role: KarpenterNodeRole-blue
  amiSelectorTerms: [{ alias: al2023@latest }]
  subnetSelectorTerms: [{ id: subnet-1 }]
  securityGroupSelectorTerms: [{ id: sg-1 }]`
    const ended = await check({ 'node-pools': ids('own'), 'fail-on': 'never' })
    expect(JSON.stringify(ended.report)).not.toContain('subnet-3')
  })
})

describe('drift', () => {
  it('fails the step, is counted, listed and annotated', async () => {
    untag()
    const ended = await check()
    expect(ended.failed).toMatch(/^setup-karpenter: Karpenter on blue: 1 drift\n\s+Subnet tags: subnet-2/)
    expect(ended.failed).toContain('Nothing was changed.')
    expect(ended.outputs).toMatchObject({ drift: '1', pending: '0', unknown: '0' })
    expect(ended.errors).toEqual([expect.stringContaining('subnet-2')])
    expect(ended.report).toMatchObject({
      result: 'failed',
      findings: [{ kind: 'drift', id: 'subnet-tags' }],
      counts: { drift: 1 }
    })
    expect(ended.summary).toContain('subnet-2')
  })

  it.each([
    ['never', undefined],
    ['pending', undefined],
    ['drift,pending', 'Karpenter on blue: 1 drift']
  ])('fails a check with fail-on %s: %s', async (failOn, failed) => {
    untag()
    const ended = await check({ 'fail-on': failOn })
    if (failed === undefined) expect(ended.failed).toBeUndefined()
    else expect(ended.failed).toContain(failed)
    expect(ended.outputs['drift']).toBe('1')
    // What fails is an error in the annotations, what does not a warning.
    expect([ended.errors.length, ended.warnings.length]).toEqual(failed === undefined ? [0, 1] : [1, 0])
  })
})

test('what the inputs would change is pending, and fails only when that is asked for', async () => {
  const given = { 'helm-values': 'logLevel: debug' }
  const ended = await check(given)
  expect(ended.failed).toBeUndefined()
  expect(ended.outputs).toMatchObject({ drift: '0', pending: '1', unknown: '0' })
  expect((await check({ ...given, 'fail-on': 'pending' })).failed).toContain('1 pending')
})

test('shows no secret that a value holds, wherever it is said', async () => {
  const ended = await check({ 'helm-values': 'dbPassword: hunter2-hunter2', 'fail-on': 'pending' })
  expect(ended.outputs['pending']).toBe('1')
  // What is masked is said to nobody but the runner.
  const said = { ...ended, secrets: [] }
  expect(JSON.stringify(said)).toContain('dbPassword')
  expect(JSON.stringify(said)).not.toContain('hunter2')
})

describe('what may not be read', () => {
  const deny = (service: string, action: string, code = 'AccessDenied'): void =>
    world.cloud.setFaults([
      {
        service,
        action,
        effect: {
          kind: 'error',
          code,
          message: `User: x is not authorized to perform: ${service}:${action}`,
          status: 403
        }
      }
    ])

  it('is unknown, of resources', async () => {
    deny('iam', 'GetRole')
    const ended = await check()
    expect(Number(ended.outputs['unknown'])).toBeGreaterThan(0)
    expect(ended.failed).toContain('docs/permissions/check.json')
    expect((await check({ 'fail-on': 'drift' })).failed).toBeUndefined()
  })

  it('is unknown, of discovery, and ends an install before its first write', async () => {
    deny('ec2', 'DescribeSecurityGroups', 'UnauthorizedOperation')
    const ended = await check()
    expect(ended.outputs).toMatchObject({ unknown: expect.stringMatching(/[1-9]/) as unknown })
    expect(ended.report).toMatchObject({
      findings: expect.arrayContaining([
        expect.objectContaining({ kind: 'unknown', missingPermission: 'ec2:DescribeSecurityGroups' })
      ]) as unknown
    })
    const install = await world.main()
    expect(install.failed).toContain('security-groups: could not be read')
    expect(install.writes).toEqual({ aws: [], cluster: [] })
  })
})

describe('of another cluster', () => {
  let other: PlayedWorld
  beforeEach(async () => {
    other = await PlayedWorld.start()
  })
  afterEach(async () => other.stop())

  it('without Karpenter: that it is not installed, in one line and without drift', async () => {
    const ended = await check({}, other)
    expect(ended.failed).toBeUndefined()
    expect(ended.outputs).toMatchObject({ drift: '0', unhealthy: '0', pending: '1', unknown: '0' })
    const line =
      'pending: Karpenter: not installed: 26 resources to make, 2 to change; install would install 1.14.1'
    expect(ended.log.filter((one) => one.includes('install would'))).toEqual([line])
    expect([ended.errors, ended.warnings]).toEqual([[], [line]])
    expect(ended.summary).toContain('## Karpenter on `blue`: not installed')
    const pending = await check({ 'fail-on': 'pending' }, other)
    expect(pending.failed).toContain('1 pending')
  })

  it('without Karpenter, and with a role that may not read all of it: what could not be read is unknown', async () => {
    other.cloud.setFaults([
      {
        service: 'iam',
        action: 'GetRole',
        effect: { kind: 'error', code: 'AccessDenied', message: 'no', status: 403 }
      }
    ])
    const ended = await check({}, other)
    expect(ended.outputs).toMatchObject({ drift: '0', pending: '1' })
    expect(Number(ended.outputs['unknown'])).toBeGreaterThan(0)
    expect(ended.failed).toContain('docs/permissions/check.json')
  })

  describe('with an installation of somebody else', () => {
    beforeEach(async () => {
      await other.main({ 'smoke-test': 'false' })
      other.server.remove('/api/v1/namespaces/kube-system/configmaps/setup-karpenter')
    })

    it("nothing has drifted, and each resource's owner is said", async () => {
      other.helm.disown({})
      untag(other)
      const ended = await check({ 'fail-on': 'drift' }, other)
      expect(ended.failed).toBeUndefined()
      expect(ended.outputs['drift']).toBe('0')
      expect(Number(ended.outputs['pending'])).toBeGreaterThan(0)
      expect(ended.report?.['adoption']).toEqual(
        expect.arrayContaining([expect.objectContaining({ id: 'helm-release' })])
      )
    })

    it('that Flux keeps: why it could not be taken over', async () => {
      other.helm.disown({ 'helm.toolkit.fluxcd.io/name': 'karpenter' })
      expect((await check({}, other)).failed).toContain('Flux')
    })

    it('that was taken over: a name that it does not have is a mistake', async () => {
      other.helm.disown({})
      await other.main({ adopt: 'true', 'smoke-test': 'false' })
      expect((await check({}, other)).failed).toBeUndefined()
      const ended = await check({ 'controller-role-name': 'another' }, other)
      expect(ended.failed).toContain('controller-role-name: "another" is asked for')
    })
  })
})

test('says what a newer version would change, before it is installed', async () => {
  const ended = await check({ 'karpenter-version': '1.13.1', 'fail-on': 'never' })
  expect(ended.report).toMatchObject({ upgrade: { from: '1.14.1', to: '1.13.1' } })
  expect((await check()).report?.['upgrade']).toBeUndefined()
})

describe('drift-issue', () => {
  let github: GitHubApi
  beforeEach(async () => {
    github = await startGitHubApi(['org/repo'])
  })
  afterEach(async () => github.stop())
  const given = (): Record<string, string> => ({ 'drift-issue': 'true', 'github-token': github.token })

  it('opens an issue when the check fails, and closes it when all is well; the token is masked', async () => {
    const env = { GITHUB_API_URL: github.url }
    untag()
    const ended = await world.main({ mode: 'check', ...given() }, { env })
    expect(ended.failed).toContain('1 drift')
    expect(ended.log).toContainEqual(expect.stringMatching(/^::group::Drift issue \(/))
    expect(ended.secrets).toContain(github.token)
    expect(github.issues()).toMatchObject([{ state: 'open', repository: 'org/repo' }])
    await world.main({ 'smoke-test': 'false' })
    await world.main({ mode: 'check', ...given() }, { env })
    expect(github.issues()).toMatchObject([{ state: 'closed' }])
  })

  it('opens none for what does not fail the check', async () => {
    untag()
    await world.main(
      { mode: 'check', 'fail-on': 'never', ...given() },
      { env: { GITHUB_API_URL: github.url } }
    )
    expect(github.issues()).toEqual([])
  })

  it('that cannot be kept is a warning', async () => {
    const outside = await world.main({ mode: 'check', ...given() }, { env: { GITHUB_REPOSITORY: undefined } })
    expect([outside.failed, outside.warnings]).toEqual([
      undefined,
      [expect.stringContaining('GITHUB_REPOSITORY is not set')]
    ])
    github.setFault({ kind: 'no write' })
    untag()
    const refused = await world.main({ mode: 'check', ...given() }, { env: { GITHUB_API_URL: github.url } })
    expect(refused.warnings).toEqual([expect.stringContaining('issue')])
    expect(refused.failed).toContain('1 drift')
  })
})
