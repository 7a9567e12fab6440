import { type GitHubApi, startGitHubApi } from '../../sandbox/runner/github-api.js'
import { UserError } from '../../src/engine/errors.js'
import { isMap, mapAt } from '../../src/engine/json.js'
import type { Session } from '../../src/run/session.js'
import { smokeTestLabel } from '../../src/smoke-test/objects.js'
import { json } from '../kubernetes/api-server.js'
import { type Ended, type PlayedRunOptions, PlayedWorld } from './played-run.js'

const quick = { 'smoke-test': 'false' }
let world: PlayedWorld
beforeEach(async () => {
  world = await PlayedWorld.start()
})
afterEach(async () => world.stop())

async function plan(
  given: Readonly<Record<string, string>> = {},
  options: PlayedRunOptions = {}
): Promise<Ended> {
  const ended = await world.main({ mode: 'plan', ...quick, ...given }, options)
  expect(ended.writes).toEqual({ aws: [], cluster: [] })
  return ended
}

function planned({ outputs }: Ended): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(outputs['plan'] ?? '')
  return isMap(value) ? value : {}
}

const groups = ({ log }: Ended): readonly string[] =>
  log.flatMap((line) => /^::group::(.+) \(/.exec(line)?.[1] ?? [])

/** A smoke test of a run that was lost has left its NodePool. */
function leave(): void {
  world.server.put('/apis/karpenter.sh/v1/nodepools/smoke-test-lost', {
    apiVersion: 'karpenter.sh/v1',
    kind: 'NodePool',
    metadata: { labels: { [smokeTestLabel]: 'lost' } },
    spec: {}
  })
}

/** As somebody does it by hand: nodes of the NodePool, of which there is one, are to be made otherwise. */
function editNodePool(): void {
  const path = '/apis/karpenter.sh/v1/nodepools/default'
  const live = world.server.at(path)
  const spec = mapAt(live, 'spec')
  const template = mapAt(spec, 'template')
  const edited = { ...template, spec: { ...mapAt(template, 'spec'), expireAfter: '1h' } }
  world.server.put(path, { ...live, spec: { ...spec, template: edited } })
  world.server.put('/apis/karpenter.sh/v1/nodeclaims/default-x', {
    apiVersion: 'karpenter.sh/v1',
    kind: 'NodeClaim',
    metadata: { labels: { 'karpenter.sh/nodepool': 'default' } },
    spec: { nodeClassRef: { group: 'karpenter.k8s.aws', kind: 'EC2NodeClass', name: 'default' } }
  })
}

describe('what a plan says', () => {
  it('is a stage of its own, after those of the install, and has no word of a comment that was not asked for', async () => {
    const ended = await plan({}, { env: { GITHUB_REPOSITORY: undefined } })
    expect(ended.failed).toBeUndefined()
    expect(groups(ended).at(-1)).toBe('Plan')
    expect(ended.report?.['stages']).toEqual(
      expect.arrayContaining(
        ['Discover', 'Decide', 'Compare', 'Preflight', 'Plan'].map(
          (name) => expect.objectContaining({ name }) as unknown
        )
      )
    )
    expect([ended.warnings, ended.secrets.includes('')]).toEqual([[], false])
  })

  it('is what an earlier smoke test has left, which an install removes', async () => {
    await world.main(quick)
    leave()
    const ended = await plan()
    expect(planned(ended)).toMatchObject({ changes: 1, resources: [{ id: 'smoke-test', action: 'remove' }] })
    expect(mapAt(ended.report, 'plan')['resources']).toEqual([
      {
        id: 'smoke-test',
        title: `NodePools and pods with the label ${smokeTestLabel}`,
        layer: 'karpenter',
        action: 'remove',
        differences: [{ path: '', reason: 'an earlier smoke test left them', severity: 'changes behaviour' }]
      }
    ])
    expect((await world.main(quick)).outputs['changed']).toBe('true')
    expect((await plan()).outputs['changes']).toBe('0')
  })

  it('is how many nodes are replaced, where any may be', async () => {
    await world.main(quick)
    expect(planned(await plan())).not.toHaveProperty('nodes')
    editNodePool()
    expect(planned(await plan())).toMatchObject({ changes: 1, nodes: { replaced: 1, mayBeReplaced: 0 } })
  })

  it('leaves the rights of the install to the install where it would change anything, and nowhere else', async () => {
    const leaves = ({ log }: Ended): boolean => log.join('\n').includes('is asked by the install')
    expect(leaves(await plan())).toBe(true)
    expect(leaves(await plan({ 'karpenter-version': '1.2.1' }))).toBe(false)
    await world.main(quick)
    expect(leaves(await plan())).toBe(false)
  })

  it('is said as well where something may not be read, which an install would be refused for', async () => {
    world.cloud.setFaults([
      {
        service: 'ec2',
        action: 'DescribeSecurityGroups',
        effect: {
          kind: 'error',
          code: 'UnauthorizedOperation',
          message: 'User: x is not authorized to perform: ec2:DescribeSecurityGroups',
          status: 403
        }
      }
    ])
    const ended = await plan()
    expect(ended.failed).toContain('ec2:DescribeSecurityGroups')
    expect(Number(ended.outputs['changes'])).toBeGreaterThan(20)
  })

  it('is nothing where an install would end without a refusal, before it knew', async () => {
    const broken = new UserError('helm-version', 'no helm can be had', 'Install one.')
    const ended = await plan(
      {},
      {
        ports: (ports) => ({
          ...ports,
          helm: {
            find: async () => Promise.reject(broken),
            prepare: async (options) => ports.helm.prepare(options),
            chart: async (...of) => ports.helm.chart(...of),
            signature: ports.helm.signature,
            versions: ports.helm.versions
          }
        })
      }
    )
    expect(ended.failed).toContain('helm-version: no helm can be had')
    expect(ended.outputs).not.toHaveProperty('plan')
  })
})

test('a write that would be sent all the same is stopped', async () => {
  const sessions: Session[] = []
  await plan(
    {},
    {
      ports: (ports) => ({
        ...ports,
        session: (...of) => {
          const session = ports.session(...of)
          sessions.push(session)
          return session
        }
      })
    }
  )
  await expect(sessions[0]?.writes.pass()).rejects.toThrow(
    'mode plan: a write was about to be sent; nothing was written'
  )
})

describe('the comment', () => {
  let github: GitHubApi
  beforeEach(async () => {
    github = await startGitHubApi(['org/repo'])
    github.put({ repository: 'org/repo', pullRequest: true })
  })
  afterEach(async () => github.stop())

  const asked = async (
    given: Readonly<Record<string, string>> = {},
    options: PlayedRunOptions = {}
  ): Promise<Ended> =>
    plan(
      { comment: 'true', 'github-token': github.token, ...given },
      { ...options, env: { GITHUB_API_URL: github.url, GITHUB_REF: 'refs/pull/1/merge', ...options.env } }
    )

  it('has what the upgrade brings, and is a stage of its own', async () => {
    await world.main({ ...quick, 'karpenter-version': '1.13.1' })
    const ended = await asked({ 'karpenter-version': '1.14.1' })
    expect(groups(ended).at(-1)).toBe('Comment')
    expect(github.comments()[0]?.body).toContain('What the upgrade brings')
  })

  it('is none, and nothing is said of it, where there is nothing to change and none was made before', async () => {
    await world.main(quick)
    const ended = await asked()
    expect([ended.failed, github.comments(), groups(ended).includes('Comment')]).toEqual([
      undefined,
      [],
      false
    ])
  })

  it('says that nothing was changed, of what failed without a word about it', async () => {
    world.server.intercept = (call, response) => {
      if (!call.path.endsWith('/namespaces/karpenter')) return false
      json(response, 400, { kind: 'Status', status: 'Failure', code: 400, message: 'broken' })
      return true
    }
    expect((await asked()).failed).toContain('broken')
    expect(github.comments()[0]?.body).toMatch(/broken[^]*Nothing was changed\./)
  })

  it('that GitHub cannot take now is a warning, and the plan ends as it would have', async () => {
    github.setFault({ kind: 'status', status: 422, times: 99, method: 'POST' })
    const ended = await asked()
    expect(ended.failed).toBeUndefined()
    expect(ended.warnings).toEqual([expect.stringMatching(/^comment: .*could not be kept/)])
  })

  it('outside of a workflow is none, with a warning that names the input', async () => {
    const ended = await asked({}, { env: { GITHUB_REPOSITORY: undefined } })
    expect([ended.failed, ended.warnings, github.requests]).toEqual([
      undefined,
      [expect.stringMatching(/^comment: GITHUB_REPOSITORY is not set/)],
      []
    ])
  })

  it('is none where nobody knows whose account it is: the run says why', async () => {
    const ended = await asked({ 'allowed-account-ids': '999988887777' })
    expect(ended.failed).toContain('allowed-account-ids: the credentials are of account')
    expect([ended.warnings, github.requests]).toEqual([[], []])
  })

  it('is not begun by a run that is to end', async () => {
    const ended = await asked(
      {},
      {
        at: (request, { cancel }) => {
          if (request === 'GET /api/v1/namespaces/karpenter') cancel()
        }
      }
    )
    expect(ended.failed).toContain('the job was cancelled')
    expect([groups(ended).includes('Comment'), github.requests]).toEqual([false, []])
  })
})
