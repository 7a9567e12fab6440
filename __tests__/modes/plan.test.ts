import { type GitHubApi, startGitHubApi } from '../../sandbox/runner/github-api.js'
import { isMap } from '../../src/engine/json.js'
import { status } from '../kubernetes/api-server.js'
import { type Ended, type PlayedRunOptions, PlayedWorld } from './played-run.js'

let world: PlayedWorld
beforeEach(async () => {
  world = await PlayedWorld.start()
})
afterEach(async () => world.stop())

async function plan(
  given: Readonly<Record<string, string>> = {},
  options: PlayedRunOptions = {}
): Promise<Ended> {
  const ended = await world.main({ mode: 'plan', ...given }, options)
  // Whatever it finds: it writes nothing, takes no lock, and leaves nothing to post.
  expect(ended.writes).toEqual({ aws: [], cluster: [] })
  expect([ended.state, ended.outputs['changed']]).toEqual(['', 'false'])
  return ended
}

async function install(given: Readonly<Record<string, string>> = {}): Promise<void> {
  expect((await world.main({ 'smoke-test': 'false', ...given })).failed).toBeUndefined()
}

function planned({ outputs }: Ended): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(outputs['plan'] ?? '')
  return isMap(value) ? value : {}
}

function maps(of: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(of) ? of.filter(isMap) : []
}

function untag(): void {
  world.aws.tags.get('subnet-2')?.delete('karpenter.sh/discovery')
}

describe('of a cluster without Karpenter', () => {
  it('counts what is to be made, ends well, and writes nothing', async () => {
    const ended = await plan()
    expect(ended.failed).toBeUndefined()
    expect([ended.errors, ended.warnings]).toEqual([[], []])
    expect(ended.outputs).toMatchObject({ changes: '28', 'karpenter-version': '1.14.1' })
    expect(ended.log).toContain('26 resources to make, 2 to change; nothing was written')
    expect(ended.log).toContain('create CloudFormation stack Karpenter-blue')
    expect(planned(ended)).toMatchObject({
      schema: 'setup-karpenter/plan/v1',
      cluster: { name: 'blue', region: 'eu-west-1' },
      karpenter: { wanted: '1.14.1' },
      changes: 28,
      refusals: [],
      smokeTestPods: 5,
      resources: expect.arrayContaining([
        {
          id: 'stack',
          title: 'CloudFormation stack Karpenter-blue',
          layer: 'cloudformation',
          action: 'create',
          differences: []
        }
      ]) as unknown
    })
    expect(ended.summary).toContain('## Karpenter on `blue`: 26 resources to make, 2 to change')
    expect(ended.summary).toContain('A smoke test with 5 pods would follow.')
  })

  it('asks nothing about the permissions of a caller that will not install', async () => {
    const ended = await plan()
    expect(world.cloud.calls().map(({ action }) => action)).not.toContain('SimulatePrincipalPolicy')
    expect(ended.log.join('\n')).toContain('is asked by the install')
  })

  it('says what the install then does: nothing else is written, and nothing is left to do', async () => {
    const { resources } = planned(await plan())
    const { report } = await world.main({ 'smoke-test': 'false' })
    const said = maps(resources).map(({ id }) => id)
    const written = maps(report?.['resources']).flatMap(({ id, result }) =>
      result === 'applied' ? [id] : []
    )
    expect(written).toContain('stack')
    expect(written.filter((id) => !said.includes(id))).toEqual([])
    expect(planned(await plan())).toMatchObject({ changes: 0 })
  })
})

describe('of an installation', () => {
  it('that is as wanted has no changes', async () => {
    await install()
    const ended = await plan({ 'smoke-test': 'false' })
    expect([ended.failed, ended.outputs['changes']]).toEqual([undefined, '0'])
    expect(planned(ended)).toMatchObject({ changes: 0, resources: [], asWanted: 30, smokeTestPods: 0 })
    expect(ended.summary).toContain('## Karpenter on `blue`: nothing to change')
  })

  it('that has drifted: what is to be changed, and from what, without a lock', async () => {
    await install()
    untag()
    const ended = await plan()
    expect(ended.failed).toBeUndefined()
    expect(planned(ended)).toMatchObject({
      changes: 1,
      resources: [
        {
          id: 'subnet-tags',
          action: 'change',
          differences: [
            {
              path: 'subnet-2.tags.karpenter.sh/discovery',
              reason: expect.stringContaining('subnet-2') as unknown
            }
          ]
        }
      ]
    })
    expect(ended.summary).toContain('- change **Subnet tags**\n  - subnet-2')
    expect(ended.report).toMatchObject({
      plan: { resources: [{ differences: [{ wanted: 'blue', severity: 'breaks scaling' }] }] }
    })
    expect(world.lockHolder()).toBe('')
  })

  it('that gets another version: what the upgrade brings', async () => {
    await install({ 'karpenter-version': '1.13.1' })
    const ended = await plan({ 'karpenter-version': '1.14.1' })
    expect(ended.failed).toBeUndefined()
    expect(planned(ended)).toMatchObject({ karpenter: { installed: '1.13.1', wanted: '1.14.1' } })
    expect(ended.report).toMatchObject({ upgrade: { from: '1.13.1', to: '1.14.1' } })
    expect(ended.summary).toContain('Karpenter 1.13.1 to 1.14.1')
  })

  it('whose record is gone: the record is to be written', async () => {
    await install()
    world.server.remove('/api/v1/namespaces/kube-system/configmaps/setup-karpenter')
    expect(planned(await plan())).toMatchObject({
      changes: 1,
      resources: [{ id: 'record', action: 'create' }]
    })
  })

  it('of somebody else: refused as an install is, and with `adopt` what taking it over would change', async () => {
    await install()
    world.server.remove('/api/v1/namespaces/kube-system/configmaps/setup-karpenter')
    world.helm.disown({})
    expect((await plan()).failed).toContain('adopt: Karpenter 1.14.1 is there already')
    const ended = await plan({ adopt: 'true' })
    expect(ended.failed).toBeUndefined()
    expect(Number(ended.outputs['changes'])).toBeGreaterThan(0)
    expect(ended.report).toMatchObject({ adoption: expect.any(Array) as unknown })
  })

  it('shows no secret that a value holds', async () => {
    await install()
    const ended = await plan({ 'helm-values': 'dbPassword: hunter2-hunter2' })
    const said = { ...ended, secrets: [] }
    expect(JSON.stringify(said)).not.toContain('hunter2')
  })
})

describe('what an install would refuse', () => {
  it('fails the plan, after it has said what would be done', async () => {
    const ended = await plan({ 'karpenter-version': '1.2.1' })
    expect(ended.failed).toContain('1.2.1')
    expect(ended.failed).toContain('Nothing was changed.')
    expect(planned(ended)).toMatchObject({ refusals: [expect.stringContaining('1.35')] })
    expect(Number(ended.outputs['changes'])).toBeGreaterThan(20)
    expect(ended.summary).toContain('an install would be refused')
    expect((await plan({ 'karpenter-version': '1.2.1', 'preflight-allow': 'version-pair' })).failed).toBe(
      undefined
    )
  })

  it('is a resource that could not be read, with the permission that is missing', async () => {
    world.cloud.setFaults([
      {
        service: 'iam',
        action: 'GetRole',
        effect: {
          kind: 'error',
          code: 'AccessDenied',
          message: 'User: x is not authorized to perform: iam:GetRole',
          status: 403
        }
      }
    ])
    const ended = await plan()
    expect(ended.failed).toContain("Allow the run's role iam:GetRole")
    expect(ended.failed).not.toContain('cluster-admin')
  })
})

describe('with a role that may only read', () => {
  it('leaves to the install what only a dry run could say, and says so', async () => {
    await install()
    const { intercept } = world.server
    world.server.intercept = (call, response) => {
      if (call.method === 'GET') return intercept(call, response)
      const message = 'nodepools is forbidden: User "x" cannot patch resource "nodepools" in API group'
      status(response, 403, 'Forbidden', message)
      return true
    }
    world.server.remove('/apis/karpenter.sh/v1/nodepools/default')
    const ended = await plan()
    world.server.intercept = intercept
    expect(ended.failed).toBeUndefined()
    expect(ended.outputs['changes']).toBe('1')
    expect(ended.log.join('\n')).toMatch(
      /manifest-dry-run: is left to the install, whose role may patch .*\. A plan needs no more rights than a check\./
    )
    expect(ended.warnings.filter((line) => line.startsWith('manifest-dry-run'))).toEqual([])
  })
})

describe('comment', () => {
  let github: GitHubApi
  beforeEach(async () => {
    github = await startGitHubApi(['org/repo'])
    github.put({ repository: 'org/repo', pullRequest: true })
  })
  afterEach(async () => github.stop())

  const asked = async (
    given: Readonly<Record<string, string>> = {},
    ref = 'refs/pull/1/merge'
  ): Promise<Ended> => {
    const ended = await plan(
      { comment: 'true', 'github-token': github.token, ...given },
      { env: { GITHUB_API_URL: github.url, GITHUB_REF: ref } }
    )
    expect(ended.secrets).toContain(github.token)
    return ended
  }

  it('is created, edited and struck out', async () => {
    expect((await asked()).log).toContain('created https://github.com/org/repo/issues/1#issuecomment-1')
    expect(github.comments()[0]?.body).toContain('### Karpenter on `blue` (eu-west-1): 26 resources to make')
    await install()
    untag()
    expect((await asked({ 'smoke-test': 'false' })).log.join('\n')).toContain('updated https')
    await install()
    expect((await asked({ 'smoke-test': 'false' })).log.join('\n')).toContain('struck out https')
    expect(github.comments()).toHaveLength(1)
  })

  it('says what would be refused, and what kept a plan from being made', async () => {
    expect((await asked({ 'karpenter-version': '1.2.1' })).failed).toContain('1.2.1')
    expect(github.comments()[0]?.body).toContain('an install would be refused')
    world.cloud.setFaults([
      {
        service: 'eks',
        action: 'DescribeCluster',
        effect: { kind: 'error', code: 'ResourceNotFoundException', message: 'No cluster', status: 404 }
      }
    ])
    expect((await asked()).failed).toContain('cluster-name')
    expect(github.comments()[0]?.body).toContain('the plan failed')
  })

  it('is a note where it cannot be: no pull request, or no right', async () => {
    expect((await asked({}, 'refs/heads/main')).log).toContain(
      'no comment: this run is about no pull request'
    )
    github.setFault({ kind: 'no write' })
    const ended = await asked()
    expect([ended.failed, ended.warnings]).toEqual([undefined, []])
    expect(ended.log.join('\n')).toContain('pull-requests: write')
  })

  it('needs a token', async () => {
    const ended = await world.main({ mode: 'plan', comment: 'true' })
    expect(ended.failed).toContain('github-token: comment needs it')
  })
})
