import { readFileSync } from 'node:fs'
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { load } from 'js-yaml'
import { outputNames } from '../src/run/outputs.js'
import { oldest, startSandbox, type ActionResult, type Sandbox } from '../sandbox/index.js'
import { list, record, text } from '../sandbox/values.js'
import { checkIsClean } from './clean-check.js'
import {
  at,
  auditor,
  callsOf,
  conditions,
  dataOf,
  denied,
  documentOf,
  find,
  get,
  guideProvisioner,
  launchedByKarpenter,
  listed,
  paths,
  reportOf,
  smokeTestObjects,
  succeeded,
  tagsOf,
  writes,
  type KubernetesObject
} from './scenario.js'

const account = '111122223333'
const inputs = {
  'karpenter-version': oldest,
  'controller-identity': 'irsa',
  'node-pools': guideProvisioner('karpenter.k8s.aws')
}
/** What people keep in aws-auth besides: a comment, an own indentation, users. */
const mapUsers = `- userarn: arn:aws:iam::${account}:user/ops # on call\n  username: ops\n  groups: ['system:masters']\n`

describe(`the manual guide: eksworkshop, Kubernetes 1.32, CONFIG_MAP, Karpenter ${oldest} by IRSA`, () => {
  let sandbox: Sandbox
  let awsAuthBefore: Readonly<Record<string, string>>
  let result: ActionResult
  let report: KubernetesObject

  beforeAll(async () => {
    sandbox = await startSandbox({
      name: 'eksworkshop',
      region: 'ap-northeast-2',
      kubernetesVersion: '1.32',
      karpenter: [oldest],
      authenticationMode: 'CONFIG_MAP',
      publicSubnets: 3,
      privateSubnets: 3
    })
    const { mapRoles } = dataOf(await get(sandbox, paths.awsAuth))
    await sandbox.kubernetes('PATCH', paths.awsAuth, {
      data: { mapRoles: `# kept by the platform team\n${mapRoles ?? ''}`, mapUsers }
    })
    awsAuthBefore = dataOf(await get(sandbox, paths.awsAuth))
    result = succeeded(await sandbox.run(inputs))
    report = reportOf(result)
  })
  afterAll(async () => sandbox.stop())

  test('the published policy is enough: no call of the action is refused', () => {
    expect(denied(callsOf(sandbox))).toEqual([])
  })

  test('all six subnets and the cluster security group carry the discovery tag', async () => {
    const subnets = await tagsOf(sandbox, 'subnets')
    const tagged = Object.entries(subnets).filter(
      ([, tags]) => tags['karpenter.sh/discovery'] === 'eksworkshop'
    )
    expect(tagged.map(([id]) => id).sort()).toEqual(sandbox.vpc.subnets.map(({ id }) => id).sort())
    expect(tagged).toHaveLength(6)
    const groups = await tagsOf(sandbox, 'security groups')
    expect(groups[sandbox.vpc.clusterSecurityGroupId]?.['karpenter.sh/discovery']).toBe('eksworkshop')
  })

  test('the cluster has an OIDC provider in IAM with the audience of STS', () => {
    const url = sandbox.cloud.eks.cluster('eksworkshop').issuer.replace('https://', '')
    const provider = sandbox.cloud.iam.oidcProvider(`arn:aws:iam::${account}:oidc-provider/${url}`)
    expect(provider.clientIds).toEqual(['sts.amazonaws.com'])
    expect(provider.tags).toContainEqual({ Key: 'setup-karpenter:owner', Value: 'eksworkshop' })
  })

  test('the stack is there, by change set, and the spot service-linked role with it', async () => {
    const cloudFormation = new CloudFormationClient(auditor(sandbox))
    const { Stacks } = await cloudFormation.send(
      new DescribeStacksCommand({ StackName: 'Karpenter-eksworkshop' })
    )
    expect(Stacks?.[0]?.StackStatus).toBe('CREATE_COMPLETE')
    expect(Stacks?.[0]?.Capabilities).toContain('CAPABILITY_NAMED_IAM')
    const actions = callsOf(sandbox).map((call) => call.action)
    expect(actions).toContain('ExecuteChangeSet')
    expect(actions).not.toContain('CreateStack')
    expect(sandbox.cloud.iam.roles.get('AWSServiceRoleForEC2Spot')).toBeDefined()
  })

  test('aws-auth has the line of the node role, and is otherwise as it was, byte for byte', async () => {
    const after = dataOf(await get(sandbox, paths.awsAuth))
    const { mapRoles = '', ...rest } = after
    const before = awsAuthBefore['mapRoles'] ?? ''
    expect({ ...rest, mapRoles: mapRoles.slice(0, before.length) }).toEqual(awsAuthBefore)
    expect(load(mapRoles.slice(before.length))).toEqual([
      {
        rolearn: `arn:aws:iam::${account}:role/KarpenterNodeRole-eksworkshop`,
        username: 'system:node:{{EC2PrivateDNSName}}',
        groups: ['system:bootstrappers', 'system:nodes']
      }
    ])
    expect(JSON.stringify(report['kept'])).toContain('kept by the platform team')
  })

  test('the controller role trusts the real service account alone and has every policy of the stack', () => {
    const role = sandbox.cloud.iam.role('eksworkshop-karpenter')
    const issuer = sandbox.cloud.eks.cluster('eksworkshop').issuer.replace('https://', '')
    expect(documentOf(role.trust)).toMatchObject({
      Statement: [
        {
          Effect: 'Allow',
          Principal: { Federated: `arn:aws:iam::${account}:oidc-provider/${issuer}` },
          Action: 'sts:AssumeRoleWithWebIdentity',
          Condition: {
            StringEquals: {
              [`${issuer}:aud`]: 'sts.amazonaws.com',
              [`${issuer}:sub`]: 'system:serviceaccount:karpenter:karpenter'
            }
          }
        }
      ]
    })
    expect(role.attached).toEqual([`arn:aws:iam::${account}:policy/KarpenterControllerPolicy-eksworkshop`])
  })

  test('namespace, FlowSchemas and the CRDs of this version are there', async () => {
    expect(await find(sandbox, '/api/v1/namespaces/karpenter')).toBeDefined()
    const schemas = (await listed(sandbox, paths.flowSchemas)).map((one) => at(one, 'metadata', 'name'))
    expect(schemas).toEqual(expect.arrayContaining(['karpenter-leader-election', 'karpenter-workload']))
    for (const name of [
      'nodepools.karpenter.sh',
      'nodeclaims.karpenter.sh',
      'ec2nodeclasses.karpenter.k8s.aws'
    ]) {
      const crd = await get(sandbox, `${paths.crds}/${name}`)
      expect(conditions(crd)['Established']).toBe('True')
      expect(at(crd, 'metadata', 'labels', 'app.kubernetes.io/managed-by')).toBe('setup-karpenter')
    }
    expect(await find(sandbox, `${paths.crds}/nodeoverlays.karpenter.sh`)).toBeUndefined()
    expect(result.log).toContain(`created CRD nodepools.karpenter.sh (${oldest})`)
  })

  test('the chart runs with the cluster, the queue, 1 cpu and 1Gi', async () => {
    const deployment = await get(sandbox, `${paths.deployments}/karpenter`)
    expect(at(deployment, 'status', 'readyReplicas')).toBe(at(deployment, 'spec', 'replicas'))
    const container = record(at(deployment, 'spec', 'template', 'spec', 'containers', 0))
    expect(container['resources']).toEqual({
      requests: { cpu: '1', memory: '1Gi' },
      limits: { cpu: '1', memory: '1Gi' }
    })
    expect(list(container['env'])).toEqual(
      expect.arrayContaining([
        { name: 'CLUSTER_NAME', value: 'eksworkshop' },
        { name: 'INTERRUPTION_QUEUE', value: 'eksworkshop' }
      ])
    )
    const serviceAccount = await get(sandbox, '/api/v1/namespaces/karpenter/serviceaccounts/karpenter')
    expect(at(serviceAccount, 'metadata', 'annotations', 'eks.amazonaws.com/role-arn')).toBe(
      `arn:aws:iam::${account}:role/eksworkshop-karpenter`
    )
  })

  test('the Provisioner has become a NodePool and an EC2NodeClass that are Ready', async () => {
    const pool = await get(sandbox, `${paths.nodePools}/default`)
    expect(conditions(pool)['Ready']).toBe('True')
    expect(at(pool, 'spec', 'limits')).toEqual({ cpu: '1000', memory: '1000Gi' })
    expect(at(pool, 'spec', 'disruption')).toMatchObject({
      consolidationPolicy: 'WhenEmptyOrUnderutilized',
      consolidateAfter: '0s'
    })
    expect(at(pool, 'spec', 'template', 'spec', 'requirements')).toEqual(
      expect.arrayContaining([{ key: 'karpenter.sh/capacity-type', operator: 'In', values: ['spot'] }])
    )
    const nodeClass = await get(sandbox, `${paths.nodeClasses}/default`)
    expect(conditions(nodeClass)['Ready']).toBe('True')
    expect(at(nodeClass, 'spec', 'role')).toBe('KarpenterNodeRole-eksworkshop')
    expect(list(report['warnings']).join('\n')).toContain('ttlSecondsAfterEmpty')
  })

  test('the counts are what the cloud saw, and every instance has ended', async () => {
    const launched = await launchedByKarpenter(sandbox)
    const added = Number(result.outputs['nodes-added'])
    expect(added).toBeGreaterThan(0)
    expect(launched).toHaveLength(added)
    expect(launched.map(({ privateDnsName }) => privateDnsName).sort()).toEqual(
      result.outputs['node-names']?.split(',').sort()
    )
    expect([...new Set(launched.map(({ type }) => type))].sort()).toEqual(
      result.outputs['instance-types']?.split(',').sort()
    )
    expect(launched.map(({ state }) => state)).toEqual(launched.map(() => 'terminated'))
    expect(launched.every(({ spot }) => spot)).toBe(true)
    expect(Number(result.outputs['nodes-after'])).toBe(Number(result.outputs['nodes-before']) + added)
    expect(await listed(sandbox, paths.nodes)).toHaveLength(Number(result.outputs['nodes-before']))
    expect(await smokeTestObjects(sandbox)).toEqual([])
    expect(result.log).toMatch(/smoke test of NodePool default: 5 pods run on \d+ new nodes/)
  })

  test('every output of an install is set, and the lock is given back', async () => {
    const action = record(load(readFileSync(new URL('../action.yml', import.meta.url), 'utf8')))
    expect([...outputNames]).toEqual(Object.keys(record(action['outputs'])))
    const ofOtherModes = 'plan changes drift unhealthy pending unknown leftovers clusters'.split(' ')
    expect(Object.keys(result.outputs).sort()).toEqual(
      outputNames.filter((name) => !ofOtherModes.includes(name)).toSorted()
    )
    expect(result.outputs).toMatchObject({
      'karpenter-version': oldest,
      'kubernetes-version': '1.32',
      changed: 'true',
      'nodes-before': '2',
      'controller-role-arn': `arn:aws:iam::${account}:role/eksworkshop-karpenter`,
      'node-role-arn': `arn:aws:iam::${account}:role/KarpenterNodeRole-eksworkshop`,
      'queue-name': 'eksworkshop',
      'stack-name': 'Karpenter-eksworkshop'
    })
    expect(result.outputs['chart-digest']).toMatch(/^sha256:[0-9a-f]{64}$/)
    expect(Number(result.outputs['node-ready-seconds'])).toBeGreaterThanOrEqual(0)
    expect(Number(result.outputs['scale-down-seconds'])).toBeGreaterThan(0)
    expect(at(await get(sandbox, paths.lock), 'spec', 'holderIdentity') ?? '').toBe('')
  })

  test('preflight finds nothing on a good cluster, and says which of its subnets are public', () => {
    expect(report['preflight']).toEqual([
      expect.objectContaining({
        check: 'network',
        level: 'note',
        problem: expect.stringMatching(/^subnet-\w+(, subnet-\w+)* are public, /) as unknown
      })
    ])
  })

  test('the report says what was done, by its schema', () => {
    expect(report).toMatchObject({
      schema: 'setup-karpenter/report/v1',
      mode: 'install',
      result: 'succeeded',
      changed: true,
      karpenterVersion: oldest,
      cluster: { name: 'eksworkshop', region: 'ap-northeast-2', account, kubernetesVersion: '1.32' }
    })
    const resources = list(report['resources']).map(record)
    expect(resources).toHaveLength(24)
    // Stack and release made these, so that nothing was left to do when it was their turn; and nothing older left parts.
    const made = ({ id }: (typeof resources)[number]): boolean =>
      /^(queue$|rule\/|policy\/|role\/|retired-|controller-pods$)/.test(text(id) ?? '')
    expect(resources.map(({ result: done }) => done)).toEqual(
      resources.map((resource) => (made(resource) ? 'as wanted' : 'applied'))
    )
    expect(at(report, 'smokeTests', 0, 'nodesAdded')).toBe(Number(result.outputs['nodes-added']))
    expect(list(at(report, 'smokeTests', 0, 'nodes'))).toHaveLength(Number(result.outputs['nodes-added']))
    expect(Object.keys(record(at(report, 'smokeTests', 0, 'stages')))).toEqual(
      expect.arrayContaining(['launched', 'registered', 'initialized'])
    )
    expect(list(at(report, 'smokeTests', 0, 'events')).length).toBeGreaterThan(0)
    expect(at(report, 'requests', 'writes')).toBeGreaterThan(0)
  })

  test('the log reads in a few lines, the summary tells the same, and nothing secret is in either', () => {
    const lines = result.visible.filter((line) => !line.startsWith('Waiting for '))
    expect(lines.length).toBeLessThanOrEqual(25)
    expect(result.summary).toContain('## Karpenter on `eksworkshop`')
    expect(result.summary).toContain('### What was done')
    for (const name of result.outputs['node-names']?.split(',') ?? []) expect(result.summary).toContain(name)
    expect(result.leaks).toEqual([])
    expect(result.log).toContain(account)
  })

  test('a check finds nothing, and writes nothing', async () => {
    await checkIsClean(sandbox, inputs)
  })

  test('a second run makes no write call, asks nothing twice, and changes nothing', async () => {
    sandbox.cloud.clearCalls()
    const again = succeeded(await sandbox.run(inputs))
    expect(writes(callsOf(sandbox))).toEqual([])
    expect(again.outputs['changed']).toBe('false')
    const requests = record(reportOf(again)['requests'])
    expect(requests).toMatchObject({ writes: 0, repeated: [] })
    expect(requests['total']).toBeLessThanOrEqual(70)
    expect(again.leaks).toEqual([])
  })

  test('every request, and every answer of the sandbox, is as the models of AWS have it', () => {
    expect(sandbox.cloud.unlikeAws()).toEqual([])
  })
})
