import { rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { hold, holdPublished, publishedStatements } from '../sandbox/cluster/deployer-policy.js'
import { type ActionResult, newest, previous, startSandbox, type Sandbox } from '../sandbox/index.js'
import { AnotherHand } from './another-hand.js'
import { callsOf, paths, reportOf, succeeded, at, writes } from './scenario.js'

const older = { 'karpenter-version': previous, 'smoke-test': 'false' }
const newer = { 'karpenter-version': newest, 'smoke-test': 'false' }

/** What a pull request sees, by docs/permissions/check.json and AmazonEKSAdminViewPolicy alone. */
describe('plans as comments under a pull request, with a role that may only read', () => {
  const many = join(tmpdir(), `many-node-pools-${process.pid}.yaml`)
  let sandbox: Sandbox
  let hand: AnotherHand
  let pullRequest: number

  beforeAll(async () => {
    sandbox = await startSandbox({
      name: 'planned',
      region: 'eu-west-1',
      kubernetesVersion: '1.35',
      karpenter: [previous, newest],
      runner: 'kept',
      authenticationMode: 'API',
      stackPace: 10
    })
    hand = new AnotherHand(sandbox)
    pullRequest = sandbox.github.put({ title: 'Raise it', pullRequest: true }).number
    await reads()
  })
  afterAll(async () => {
    rmSync(many, { force: true })
    hand.close()
    await sandbox.stop()
  })

  async function reads(): Promise<void> {
    await holdPublished(sandbox, 'check')
    access('AmazonEKSAdminViewPolicy')
  }

  function access(policy: string): void {
    sandbox.cloud.eks.putAccessEntry(sandbox.name, sandbox.deployerRoleArn, 'STANDARD', [policy])
  }

  /** An install by the role of the installs, between two plans. */
  async function install(inputs: Readonly<Record<string, string>>): Promise<ActionResult> {
    hold(sandbox, await publishedStatements(sandbox, 'install'))
    access('AmazonEKSClusterAdminPolicy')
    const result = succeeded(await sandbox.run(inputs))
    await reads()
    return result
  }

  async function plan(inputs: Readonly<Record<string, string>>): Promise<ActionResult> {
    const calls = callsOf(sandbox).length
    const before = await sandbox.kubernetes('GET', '/api/v1/namespaces/kube-system/configmaps')
    const result = await sandbox.run(
      { ...inputs, mode: 'plan', comment: 'true', 'github-token': sandbox.github.token },
      { env: { GITHUB_REF: `refs/pull/${pullRequest}/merge`, GITHUB_EVENT_NAME: 'pull_request' } }
    )
    expect(writes(callsOf(sandbox).slice(calls))).toEqual([])
    expect(at(reportOf(result), 'requests', 'writes')).toBe(0)
    const after = await sandbox.kubernetes('GET', '/api/v1/namespaces/kube-system/configmaps')
    expect(at(after.body, 'items')).toEqual(at(before.body, 'items'))
    expect(result.leaks).toEqual([])
    expect(result.log).not.toContain(sandbox.github.token)
    return result
  }

  /** The one comment that there is. */
  function comment(): string {
    const [only, ...more] = sandbox.github.comments()
    expect(more).toEqual([])
    return only?.body ?? ''
  }

  test('without a right to write comments the plan is as it would be without', async () => {
    sandbox.github.setFault({ kind: 'no write' })
    const result = succeeded(await plan(older))
    sandbox.github.setFault(undefined)
    expect(Number(result.outputs['changes'])).toBeGreaterThan(20)
    expect(result.log).toContain('`permissions: pull-requests: write`')
    expect(result.annotations).toEqual([])
    expect(sandbox.github.comments()).toEqual([])
  })

  test('a first install that is too long for a comment is cut between two resources, and says so', async () => {
    const name = (index: number): string => `pool-${'x'.repeat(50)}-${index}`
    const pools = Array.from({ length: 800 }, (_, index) =>
      JSON.stringify({
        apiVersion: 'karpenter.sh/v1',
        kind: 'NodePool',
        metadata: { name: name(index) },
        spec: {
          template: {
            spec: {
              requirements: [],
              nodeClassRef: { group: 'karpenter.k8s.aws', kind: 'EC2NodeClass', name: 'default' }
            }
          }
        }
      })
    )
    const nodeClass = JSON.stringify({
      apiVersion: 'karpenter.k8s.aws/v1',
      kind: 'EC2NodeClass',
      metadata: { name: 'default' },
      spec: {
        role: 'KarpenterNodeRole-planned',
        amiSelectorTerms: [{ alias: 'al2023@latest' }],
        subnetSelectorTerms: [{ tags: { 'karpenter.sh/discovery': 'planned' } }],
        securityGroupSelectorTerms: [{ tags: { 'karpenter.sh/discovery': 'planned' } }]
      }
    })
    writeFileSync(many, [nodeClass, ...pools].join('\n---\n'))
    const result = succeeded(await plan({ ...older, 'node-pools': many }))
    expect(result.log).toContain('created https://github.com/octo-org/octo-repo/issues/1#issuecomment-1')
    expect(comment().length).toBeLessThan(65_536)
    expect(comment()).toMatch(/\*\*Cut\*\*: \d+ more do not fit into a comment\./)
    expect(comment()).toMatch(/<\/details>/)
  })

  test('a first install: the comment is edited in place', async () => {
    const result = succeeded(await plan(older))
    expect(result.log).toContain('updated https://github.com/octo-org/octo-repo/issues/1#issuecomment-1')
    expect(comment().split('\n')[0]).toMatch(
      /^### Karpenter on `planned` \(eu-west-1\): \d+ resources to make, \d+ to change$/
    )
    expect(comment()).toContain('- create **CloudFormation stack Karpenter-planned**')
    expect(result.summary).toContain('create **CloudFormation stack Karpenter-planned**')
    await install(older)
    const after = succeeded(await plan(older))
    expect(after.outputs['changes']).toBe('0')
    expect(comment()).toContain('~~What an earlier commit of this pull request would have changed.~~')
  })

  test('an upgrade: what it brings', async () => {
    const result = succeeded(await plan(newer))
    expect(at(JSON.parse(result.outputs['plan'] ?? ''), 'karpenter')).toEqual({
      installed: previous,
      wanted: newest
    })
    expect(comment()).toContain('- change **Helm release karpenter**')
    expect(comment()).toContain(`Upgrade from ${previous} to ${newest}`)
  })

  test('a cluster that has drifted: what would be put back, and what is left alone', async () => {
    await hand.edit(`${paths.nodePools}/default`, { spec: { limits: { cpu: '7' } } })
    const result = succeeded(await plan(older))
    expect(result.outputs['changes']).toBe('1')
    expect(comment()).toContain('- change **NodePool default**\n  - spec.limits.cpu')
    const ignore = '- { resource: node-pool/default, field: spec.limits.cpu, reason: the season }'
    expect(succeeded(await plan({ ...older, ignore })).outputs['changes']).toBe('0')
    expect(comment()).toContain('~~What an earlier commit')
    await hand.edit(`${paths.nodePools}/default`, { spec: { disruption: { consolidateAfter: '9m' } } })
    await install({ ...older, ignore })
    expect(at(await pool(), 'spec', 'limits', 'cpu')).toBe('7')
    expect(at(await pool(), 'spec', 'disruption', 'consolidateAfter')).toBe('1m')
  })

  async function pool(): Promise<unknown> {
    return (await sandbox.kubernetes('GET', `${paths.nodePools}/default`)).body
  }

  test('what an install would refuse fails the plan and stands in the comment', async () => {
    const result = await plan({ ...older, 'helm-values': 'replicaz: 1' })
    expect(result.conclusion).toBe('failure')
    expect(comment()).toContain('**An install would end before its first write:**')
    expect(comment()).toContain('replicaz')
  })
})
