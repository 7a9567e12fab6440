import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CloudFormationClient, DeleteStackCommand } from '@aws-sdk/client-cloudformation'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { newest, previous, startSandbox, type ActionResult, type Sandbox } from '../sandbox/index.js'
import { list, record } from '../sandbox/values.js'
import { example, played, repositoryIn, type Job, type Repository } from './example.js'
import { errorOf } from './failed-run.js'
import { deployRole, reviewed, roleStack } from './made-role.js'
import { at, auditor, denied, get, paths, reportOf, succeeded, until, writes } from './scenario.js'
import { Workflow } from './workflow.js'

const nodePools = `
apiVersion: karpenter.k8s.aws/v1
kind: EC2NodeClass
metadata: { name: default }
spec:
  role: KarpenterNodeRole-green
  amiSelectorTerms: [{ alias: al2023@latest }]
  subnetSelectorTerms: [{ tags: { karpenter.sh/discovery: green } }]
  securityGroupSelectorTerms: [{ tags: { karpenter.sh/discovery: green } }]
---
apiVersion: karpenter.sh/v1
kind: NodePool
metadata: { name: default }
spec:
  limits: { cpu: 100 }
  template:
    spec:
      nodeClassRef: { group: karpenter.k8s.aws, kind: EC2NodeClass, name: default }
      requirements:
        - { key: karpenter.sh/capacity-type, operator: In, values: [on-demand] }
`

/** The account of examples/, with roles that docs/permissions/role.yaml makes; the cluster is the one of install.yml. */
describe('examples/, copied into a repository and run by roles of docs/permissions/role.yaml', () => {
  let sandbox: Sandbox
  let admin: CloudFormationClient
  let repository: Repository
  let made: Readonly<Record<string, string>>

  beforeAll(async () => {
    sandbox = await startSandbox({
      name: 'green',
      region: 'eu-west-1',
      kubernetesVersion: '1.35',
      karpenter: [previous, newest],
      runner: 'kept',
      authenticationMode: 'API',
      stackPace: 10
    })
    admin = new CloudFormationClient(auditor(sandbox))
    repository = repositoryIn(mkdtempSync(join(tmpdir(), 'examples-')))
    repository.put('karpenter/node-pools.yaml', nodePools)
  })
  afterAll(async () => {
    rmSync(repository.folder, { recursive: true, force: true })
    await sandbox.stop()
  })

  const github = (): string =>
    `arn:aws:iam::${sandbox.accountId}:oidc-provider/token.actions.githubusercontent.com`
  const callsBy = (role: string) =>
    sandbox.cloud.calls().filter(({ callerArn }) => callerArn.includes(`:assumed-role/${role}/`))
  const cluster = { 'cluster-name': 'green', region: 'eu-west-1' }

  /** One job of an example, which is denied nothing. */
  async function job(
    workflow: Workflow,
    name: string,
    contexts: Job['contexts'] = {},
    more: Partial<Job> = {},
    notAllowed: readonly string[] = []
  ): Promise<ActionResult> {
    sandbox.cloud.clearCalls()
    const [result, ...others] = await played(workflow, name, { sandbox, repository, contexts, ...more })
    if (result === undefined || others.length > 0) throw new Error(`${name}: not one step of this action`)
    const refused = ['setup', 'check'].flatMap((role) => denied(callsBy(`${role}-karpenter-green`)))
    expect(refused.toSorted()).toEqual(notAllowed)
    expect(result.leaks).toEqual([])
    return result
  }

  test('each role is made in one command, in an account that knew GitHub not yet', async () => {
    sandbox.cloud.iam.oidcProviders.delete(sandbox.cloud.iam.oidcProvider(github()).arn)
    const existing = { GitHubProvider: 'existing' }
    made = await deployRole(sandbox, admin, 'role-of-green', { Mode: 'install' })
    // As every example has them.
    expect(made).toEqual({
      RoleArn: `arn:aws:iam::${sandbox.accountId}:role/setup-karpenter-green`,
      PermissionsBoundary: `arn:aws:iam::${sandbox.accountId}:policy/setup-karpenter-boundary-green`
    })
    expect(
      await deployRole(sandbox, admin, 'check-of-green', { Mode: 'check', PullRequests: 'yes', ...existing })
    ).toEqual({ RoleArn: `arn:aws:iam::${sandbox.accountId}:role/check-karpenter-green` })
    expect(
      await deployRole(sandbox, admin, 'removal-of-green', { Mode: 'uninstall', ...existing })
    ).toMatchObject({ RoleArn: `arn:aws:iam::${sandbox.accountId}:role/remove-karpenter-green` })
  })

  test('the role that installs is for no run without its boundary, no job of the branch alone, and no other environment', async () => {
    const role = { ...cluster, 'role-to-assume': made['RoleArn'] ?? '' }
    sandbox.cloud.clearCalls()
    expect(errorOf(await sandbox.run(role, reviewed))).toContain('pass it as `permissions-boundary`')
    expect(writes(callsBy('setup-karpenter-green'))).toEqual([])
    for (const run of [{ subject: 'immutable' }, { subject: 'immutable', environment: 'other' }] as const)
      expect(errorOf(await sandbox.run(role, { run }))).toContain('role-to-assume')
  })

  /** What plan.yml says under the one pull request of the repository. */
  async function planned(pullRequest: number, notAllowed: readonly string[] = []): Promise<ActionResult> {
    const plan = example(repository, 'examples/plan.yml', {
      'cluster: [test, production]': 'cluster: [green]'
    })
    const from = (fullName: string) => ({
      token: sandbox.github.token,
      repository: 'octo-org/octo-repo',
      event: { pull_request: { head: { repo: { full_name: fullName } } } }
    })
    expect(plan.runs('karpenter', { github: from('somebody/octo-repo') })).toBe(false)
    const own = from('octo-org/octo-repo')
    expect(plan.runs('karpenter', { github: own })).toBe(true)
    const result = await job(
      plan,
      'karpenter',
      { github: own, matrix: { cluster: 'green' } },
      {
        options: {
          run: { ref: `refs/pull/${pullRequest}/merge` },
          env: { GITHUB_EVENT_NAME: 'pull_request' }
        }
      },
      notAllowed
    )
    expect(writes(callsBy('check-karpenter-green'))).toEqual([])
    return result
  }

  test('plan.yml says under a pull request what a first install makes', async () => {
    const { number } = sandbox.github.put({ title: 'Install Karpenter', pullRequest: true })
    // What the preflight of a first install looks at besides is no business of a role that only checks, and is left out.
    const { outputs } = await planned(number, [
      'ec2:DescribeInstanceTypeOfferings',
      'ec2:DescribeInstances',
      'ec2:DescribeVpcEndpoints',
      'eks:ListFargateProfiles'
    ])
    expect(Number(outputs['changes'])).toBeGreaterThan(20)
    expect(sandbox.github.comments()).toMatchObject([{ issue: number }])
  })

  test('upgrade.yml raises an installation of the version before, and proves it on as many nodes as it says', async () => {
    const before = {
      ...cluster,
      'role-to-assume': made['RoleArn'] ?? '',
      'permissions-boundary': made['PermissionsBoundary'] ?? '',
      'karpenter-version': previous,
      'smoke-test': 'false'
    }
    succeeded(await sandbox.run(before, reviewed))
    expect(sandbox.cloud.iam.role('green-karpenter').boundary).toBe(made['PermissionsBoundary'])
    const upgrade = example(repository, 'examples/upgrade.yml', { '[test, production]': '[green]' })
    const { outputs } = await job(upgrade, 'karpenter', { matrix: { cluster: 'green' } })
    expect(outputs).toMatchObject({ 'karpenter-version': newest, 'nodes-added': '2' })
    expect(callsBy('setup-karpenter-green').length).toBeGreaterThan(20)
  })

  test('install.yml brings its NodePools, subnets and tags, and says what came', async () => {
    const { outputs } = await job(example(repository, 'examples/install.yml'), 'karpenter')
    expect(outputs).toMatchObject({ 'karpenter-version': newest, changed: 'true', 'nodes-added': '1' })
    const pool = await get(sandbox, `${paths.nodePools}/default`)
    expect(at(pool, 'spec', 'limits', 'cpu')).toBe(100)
  })

  test('plan.yml strikes its comment out when nothing is left to change', async () => {
    const [comment] = sandbox.github.comments()
    expect((await planned(comment?.issue ?? 0)).outputs['changes']).toBe('0')
    expect(sandbox.github.comments()).toMatchObject([{ id: comment?.id }])
    expect(sandbox.github.comments()[0]?.body).toContain('nothing to change')
  })

  test('drift.yml finds what install.yml made as it was made, and opens no issue', async () => {
    const drift = example(repository, 'examples/drift.yml')
    const [matrix] = list(at(drift.job('karpenter'), 'strategy', 'matrix', 'include')).map(record)
    expect(matrix).toMatchObject({ cluster: 'green', account: sandbox.accountId })
    const { outputs } = await job(drift, 'karpenter', { matrix, github: { token: sandbox.github.token } })
    expect(outputs).toMatchObject({ drift: '0', unhealthy: '0', pending: '0', unknown: '0' })
    expect(writes(callsBy('check-karpenter-green'))).toEqual([])
    expect(sandbox.github.issues()).toEqual([])
  })

  test('clusters.yml gives the reusable workflow inputs that it has, and each cluster of its list is checked', async () => {
    const call = example(repository, 'examples/clusters.yml').job('clusters')
    expect(call['uses']).toBe('org/setup-karpenter/.github/workflows/clusters.yml@v1')
    const given = Workflow.filled(call['with'], { inputs: { mode: '' } })
    const [clusters, wave] = ['clusters', 'cluster-wave'].map(
      (name) => new Workflow(`.github/workflows/${name}.yml`)
    )
    if (clusters === undefined || wave === undefined) throw new Error('no workflow')
    const declared = clusters.inputs()
    expect(Object.keys(given).filter((name) => !(name in declared))).toEqual([])
    const inputs = { ...declared, ...given }
    const role = made['RoleArn'] ?? ''
    const own = { subnets: 'private', 'permissions-boundary': made['PermissionsBoundary'] ?? '' }
    repository.put(
      'karpenter/clusters.json',
      JSON.stringify([
        {
          name: 'green',
          region: 'eu-west-1',
          role,
          inputs: { ...own, tags: 'team=platform\ncost-center=1234' }
        }
      ])
    )
    const { outputs } = Workflow.script(
      clusters.step('waves', 'Read the list'),
      { inputs },
      repository.folder
    )
    const [entry] = list(JSON.parse(outputs['last'] ?? '[]')).map(record)
    const step = Workflow.filled(wave.step('cluster', 'Karpenter')['with'], {
      inputs,
      matrix: { cluster: entry }
    })
    const run = { subject: 'immutable', environment: String(inputs['environment']) } as const
    const filled = Object.fromEntries(Object.entries(step).filter(([, value]) => value !== ''))
    const result = succeeded(await sandbox.run(filled, { run, env: { GITHUB_WORKSPACE: repository.folder } }))
    expect(result.outputs).toMatchObject({ drift: '0', pending: '0', unknown: '0' })
    const report = join(repository.folder, 'report.json')
    writeFileSync(report, JSON.stringify(reportOf(result)))
    const combining = Workflow.filled(clusters.step('combine', 'Put them together')['with'], {
      inputs: { ...inputs, 'tracking-issue': true },
      needs: { waves: { outputs } },
      github: { token: sandbox.github.token }
    })
    const combined = succeeded(await sandbox.run({ ...combining, 'cluster-name': '', reports: report }))
    expect(JSON.parse(combined.outputs['clusters'] ?? '')).toMatchObject([{ name: 'green', state: 'well' }])
  })

  test('mirror.yml takes all but AWS from mirrors, and AWS through its proxy', async () => {
    const { published, proxy } = sandbox
    const connections = proxy.connections.length
    const requests = published.requests.length
    const mirror = example(repository, 'examples/mirror.yml', {
      'name: inside': 'name: green',
      'karpenter-inside': 'karpenter-green',
      'boundary-inside': 'boundary-green',
      'http://proxy.example.internal:3128': proxy.url,
      'NO_PROXY: .example.internal,': 'NO_PROXY: 127.0.0.1,',
      'oci://registry.example.internal/karpenter/karpenter': published.chart,
      'https://files.example.internal/helm': published.url,
      // The sandbox's nodes run what has this name; the pause and busybox images they take for granted.
      'registry.example.internal/karpenter/controller': 'public.ecr.aws/karpenter/controller'
    })
    const { outputs } = await job(
      mirror,
      'karpenter',
      {},
      {
        options: { throughProxy: true },
        over: { 'chart-signature': 'warn', 'chart-trust-root': published.trustRootPath }
      }
    )
    expect(outputs).toMatchObject({ 'karpenter-version': newest, 'nodes-added': '1' })
    const hosts = new Set(proxy.connections.slice(connections).map(({ host }) => host))
    expect([...hosts].filter((host) => !host.endsWith('.amazonaws.com'))).toEqual([])
    expect(hosts.size).toBeGreaterThan(3)
    const asked = published.requests.slice(requests)
    expect(new Set(asked.map(({ scheme }) => scheme))).toEqual(new Set(['http']))
  })

  test('test-cluster.yml installs by one role, tests, and takes everything away by the other', async () => {
    repository.put('test.sh', '#!/bin/sh\ntouch tested\n')
    const workflow = example(repository, 'examples/test-cluster.yml', {
      'environment: karpenter-test': 'environment: karpenter'
    })
    sandbox.cloud.clearCalls()
    const [installed, removed] = await played(workflow, 'karpenter', {
      sandbox,
      repository,
      contexts: {
        inputs: {
          ...cluster,
          'install-role': made['RoleArn'],
          'uninstall-role': `arn:aws:iam::${sandbox.accountId}:role/remove-karpenter-green`,
          'permissions-boundary': made['PermissionsBoundary']
        }
      }
    })
    expect(installed?.outputs['karpenter-version']).toBe(newest)
    expect(JSON.parse(removed?.outputs['leftovers'] ?? '')).toEqual([])
    for (const role of ['setup', 'remove']) {
      expect(callsBy(`${role}-karpenter-green`).length).toBeGreaterThan(10)
      expect(denied(callsBy(`${role}-karpenter-green`))).toEqual([])
    }
  })

  test('one role can be for both, the stacks take their roles away, but not the provider that others may use', async () => {
    const remove = async (name: string): Promise<void> => {
      const StackId = (await roleStack(admin, name))?.StackId ?? ''
      await admin.send(new DeleteStackCommand({ StackName: name }))
      await until(`stack ${name} to go`, async () =>
        (await roleStack(admin, StackId))?.StackStatus === 'DELETE_COMPLETE' ? true : undefined
      )
    }
    for (const name of ['removal-of-green', 'check-of-green', 'role-of-green']) await remove(name)
    const both = { Mode: 'install-and-uninstall', GitHubProvider: 'existing' }
    expect(await deployRole(sandbox, admin, 'both-of-green', both)).toEqual(made)
    await remove('both-of-green')
    expect(sandbox.cloud.iam.roles.get('setup-karpenter-green')).toBeUndefined()
    const policies = sandbox.cloud.iam.policies.values().map(({ name }) => name)
    expect([...policies].filter((name) => name.startsWith('setup-karpenter'))).toEqual([])
    expect(sandbox.cloud.iam.oidcProvider(github()).clientIds).toEqual(['sts.amazonaws.com'])
  })
})
