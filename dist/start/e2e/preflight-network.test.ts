import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { items } from '../sandbox/cloud/moto/client.js'
import { hold, publishedStatements } from '../sandbox/cluster/deployer-policy.js'
import { newest, startSandbox, type ActionResult, type Sandbox } from '../sandbox/index.js'
import { record, text } from '../sandbox/values.js'
import { found, preflightOf, refusedBeforeWriting } from './failed-run.js'
import { callsOf } from './scenario.js'

const inputs = { 'karpenter-version': newest, 'controller-identity': 'irsa', 'smoke-test': 'false' }
/** Refuses by itself, so that what else is found can be looked at without an installation. */
const unknownValue = { 'helm-values': 'replica: 1' }
/** Irsa, and a queue of the stack's. */
const services = ['ec2', 'ecr.api', 'ecr.dkr', 'eks', 's3', 'sqs', 'ssm', 'sts']

interface RouteTable {
  readonly id: string
  readonly subnets: readonly string[]
  readonly nat: string | undefined
}

describe("preflight of the nodes' network", () => {
  let sandbox: Sandbox

  beforeAll(async () => {
    sandbox = await startSandbox({
      name: 'green',
      region: 'eu-west-1',
      kubernetesVersion: '1.34',
      runner: 'kept'
    })
  })
  afterAll(async () => sandbox.stop())

  async function run(more: Readonly<Record<string, string>> = {}): Promise<ActionResult> {
    sandbox.cloud.clearCalls()
    return sandbox.run({ ...inputs, ...more })
  }

  const ec2 = async (action: string, input: object): Promise<Readonly<Record<string, unknown>>> =>
    sandbox.moto.ec2(action, input)
  const subnets = (kind: 'public' | 'private'): readonly string[] =>
    sandbox.vpc.subnets.filter((subnet) => subnet.public === (kind === 'public')).map(({ id }) => id)
  const tag = async (id: string, key: string, value: string): Promise<unknown> =>
    ec2('CreateTags', { ResourceId: [id], Tag: [{ Key: key, Value: value }] })
  const untag = async (id: string, key: string): Promise<unknown> =>
    ec2('DeleteTags', { ResourceId: [id], Tag: [{ Key: key }] })

  async function routeTables(): Promise<readonly RouteTable[]> {
    const answer = await ec2('DescribeRouteTables', { Filter: [{ Name: 'vpc-id', Value: [sandbox.vpc.id] }] })
    return items(answer['routeTableSet']).map((table) => ({
      id: text(table['routeTableId']) ?? '',
      subnets: items(table['associationSet']).flatMap(({ subnetId }) => text(subnetId) ?? []),
      nat: items(table['routeSet']).flatMap(({ natGatewayId }) => text(natGatewayId) ?? [])[0]
    }))
  }

  async function tableOf(subnet: string | undefined): Promise<RouteTable> {
    const table = (await routeTables()).find((one) => one.subnets.some((id) => id === subnet))
    if (table === undefined) throw new Error(`no route table of ${subnet}`)
    return table
  }

  const close = async (table: string): Promise<unknown> =>
    ec2('DeleteRoute', { RouteTableId: table, DestinationCidrBlock: '0.0.0.0/0' })
  const open = async (table: string, nat: string | undefined): Promise<unknown> =>
    ec2('CreateRoute', { RouteTableId: table, DestinationCidrBlock: '0.0.0.0/0', NatGatewayId: nat })

  /** Of the network; what other checks find of the manifests below is theirs to test. */
  function findings(result: ActionResult): readonly Readonly<Record<string, unknown>>[] {
    return preflightOf(result).filter(({ check }) => check === 'network')
  }

  test('finds nothing on a good one, and asks once for routes and endpoints', async () => {
    const result = await run(unknownValue)
    await refusedBeforeWriting(sandbox, result, [/^setup-karpenter: helm-values: replica: /])
    expect(found(result)).toEqual(['error chart-values'])
    const reads = ['DescribeRouteTables', 'DescribeVpcEndpoints']
    const asked = callsOf(sandbox).map(({ action }) => action)
    expect(reads.map((read) => asked.filter((action) => action === read).length)).toEqual([1, 1])
  })

  test('what may not be read is noted, and refuses nothing', async () => {
    const published = await publishedStatements(sandbox, 'install')
    hold(
      sandbox,
      published.filter(({ Sid }) => Sid !== 'VpcEndpoints')
    )
    const result = await run(unknownValue)
    hold(sandbox, published)
    expect(findings(result)).toEqual([
      expect.objectContaining({
        level: 'note',
        check: 'network',
        problem: expect.stringContaining("the run's role may not call ec2:DescribeVpcEndpoints")
      })
    ])
  })

  describe('routes', () => {
    test('of some subnets lead nowhere: one warning with all of them, and the good ones', async () => {
      const [unaddressed = '', ...addressed] = subnets('public')
      const [gone, closed, good = ''] = subnets('private')
      const [toNowhere, toNothing] = [await tableOf(gone), await tableOf(closed)]
      await ec2('ModifySubnetAttribute', { SubnetId: unaddressed, MapPublicIpOnLaunch: { Value: 'false' } })
      await ec2('DeleteNatGateway', { NatGatewayId: toNowhere.nat })
      await close(toNothing.id)
      const result = await run(unknownValue)
      await open(toNothing.id, toNothing.nat)
      await close(toNowhere.id)
      await open(toNowhere.id, toNothing.nat)
      await ec2('ModifySubnetAttribute', { SubnetId: unaddressed, MapPublicIpOnLaunch: { Value: 'true' } })

      const [finding, ...more] = findings(result)
      expect(more).toEqual([])
      expect(finding).toMatchObject({
        level: 'warning',
        check: 'network',
        subject: 'subnets',
        problem: expect.stringMatching(
          / no VPC endpoints for ec2, ecr\.api, ecr\.dkr, eks, s3, sqs, ssm, sts$/
        )
      })
      const evidence = String(finding?.['evidence'])
      expect(evidence).toMatch(
        new RegExp(`${unaddressed}: rtb-\\w+ leads to igw-\\w+, and nodes get no public`)
      )
      expect(evidence).toContain(
        `${gone}: ${toNowhere.id} leads to ${toNowhere.nat}, which is gone (blackhole)`
      )
      expect(evidence).toContain(`${closed}: ${toNothing.id} has no route to 0.0.0.0/0`)
      for (const id of [...addressed, good]) {
        expect(evidence).not.toContain(id)
        expect(finding?.['fix']).toMatch(new RegExp(`^Pass \`subnets: [^\`]*${id}`))
      }
    })

    test('of all subnets chosen lead nowhere: refused, unless it is allowed', async () => {
      const [chosen = '', other = ''] = subnets('public')
      const only = { subnets: `${chosen},${other}` }
      for (const SubnetId of [chosen, other])
        await ec2('ModifySubnetAttribute', { SubnetId, MapPublicIpOnLaunch: { Value: 'false' } })
      const refused = await run(only)
      const allowed = await run({ ...only, ...unknownValue, 'preflight-allow': 'subnet-routes' })
      for (const SubnetId of [chosen, other])
        await ec2('ModifySubnetAttribute', { SubnetId, MapPublicIpOnLaunch: { Value: 'true' } })

      await refusedBeforeWriting(sandbox, refused, [
        /^setup-karpenter: subnets: nodes in subnet-\w+, subnet-\w+ have no way to AWS's services/,
        `aws ec2 modify-subnet-attribute --subnet-id ${chosen} --map-public-ip-on-launch`,
        'preflight-allow: subnet-routes'
      ])
      expect(found(refused)).toEqual(['error network'])
      expect(found(allowed)).toEqual(['warning network', 'error chart-values'])
    })
  })

  describe('a VPC that nothing leads out of', () => {
    const nodePools = `---\n${JSON.stringify({
      apiVersion: 'karpenter.k8s.aws/v1',
      kind: 'EC2NodeClass',
      metadata: { name: 'default' },
      spec: {
        instanceProfile: 'nodes',
        amiSelectorTerms: [{ alias: 'al2023@latest' }],
        subnetSelectorTerms: [{ tags: { 'karpenter.sh/discovery': 'green' } }],
        securityGroupSelectorTerms: [{ tags: { 'karpenter.sh/discovery': 'green' } }]
      }
    })}\n`
    const ready = {
      'node-pools': nodePools,
      'helm-values': JSON.stringify({
        replica: 1,
        settings: { isolatedVPC: true },
        controller: { image: { repository: '111122223333.dkr.ecr.eu-west-1.amazonaws.com/karpenter' } }
      })
    }
    const endpoints = new Map<string, string>()
    let closed: readonly RouteTable[]
    let only: Readonly<Record<string, string>>

    async function make(service: string, more: object = {}): Promise<void> {
      const created = await ec2('CreateVpcEndpoint', {
        VpcId: sandbox.vpc.id,
        ServiceName: `com.amazonaws.eu-west-1.${service}`,
        ...(service === 's3'
          ? { VpcEndpointType: 'Gateway', RouteTableId: closed.map(({ id }) => id) }
          : { VpcEndpointType: 'Interface', SubnetId: subnets('private'), PrivateDnsEnabled: true }),
        ...more
      })
      endpoints.set(service, text(record(created['vpcEndpoint'])['vpcEndpointId']) ?? '')
    }
    const unmake = async (service: string): Promise<unknown> =>
      ec2('DeleteVpcEndpoints', { VpcEndpointId: [endpoints.get(service)] })

    beforeAll(async () => {
      closed = await Promise.all(subnets('private').map(tableOf))
      only = { subnets: 'private' }
      for (const { id } of closed) await close(id)
      for (const service of services) await make(service)
    })
    afterAll(async () => {
      for (const service of services) if (service !== 's3') await unmake(service)
      for (const { id, nat } of closed) await open(id, nat)
    })

    test('does with the endpoints of all services, and what the controller must be told', async () => {
      expect(findings(await run({ ...only, ...ready }))).toEqual([])
    })

    test('is warned of where the controller is told nothing of it', async () => {
      const seen = findings(await run({ ...only, ...unknownValue }))
      expect(
        seen.map(({ level, subject, problem }) => `${String(level)} ${String(subject)} ${String(problem)}`)
      ).toEqual([
        expect.stringMatching(/^warning helm-values settings\.isolatedVPC is not true/),
        expect.stringMatching(/^warning node-pools EC2NodeClass default: spec\.role/),
        expect.stringMatching(/^warning helm-values the controller's image public\.ecr\.aws/)
      ])
    })

    test('is refused without endpoints, all of them named at once', async () => {
      await unmake('ssm')
      await unmake('ec2')
      await make('ec2', { PrivateDnsEnabled: false })
      const result = await run({ ...only, ...ready })
      await unmake('ec2')
      await make('ec2')
      await make('ssm')
      expect(findings(result)).toEqual([
        expect.objectContaining({
          level: 'error',
          check: 'network',
          problem: expect.stringMatching(/no VPC endpoints for ssm$/)
        }),
        expect.objectContaining({
          level: 'warning',
          problem: expect.stringContaining('endpoints of the VPC have private DNS off'),
          evidence: expect.stringMatching(/^vpce-\w+ \(ec2\)$/)
        })
      ])
    })
  })

  describe('tags', () => {
    test('of this cluster on no group, and on two', async () => {
      const own = sandbox.vpc.clusterSecurityGroupId
      const created = await ec2('CreateSecurityGroup', {
        GroupName: 'nodes',
        GroupDescription: 'nodes',
        VpcId: sandbox.vpc.id
      })
      const nodes = text(created['groupId']) ?? ''
      const none = await run({ 'security-groups': nodes, ...unknownValue })
      // The discovery tag alone makes it a group of the nodes.
      await tag(nodes, 'karpenter.sh/discovery', 'green')
      await tag(nodes, 'kubernetes.io/cluster/green', 'owned')
      const two = await run(unknownValue)
      await ec2('DeleteSecurityGroup', { GroupId: nodes })

      expect(findings(none)).toEqual([
        expect.objectContaining({
          level: 'warning',
          subject: 'security-groups',
          problem: expect.stringContaining('none of them is tagged kubernetes.io/cluster/green')
        })
      ])
      expect(findings(two)).toEqual([
        expect.objectContaining({
          level: 'note',
          problem: `Karpenter uses ${nodes} as well, which \`security-groups\` does not name`
        }),
        expect.objectContaining({
          level: 'warning',
          problem: expect.stringContaining(`${own}, ${nodes} are all tagged kubernetes.io/cluster/green`)
        })
      ])
    })

    test('of another cluster on a subnet, shared and owned', async () => {
      const [first = '', second = ''] = subnets('private')
      await tag(first, 'kubernetes.io/cluster/blue', 'shared')
      const shared = await run(unknownValue)
      await tag(second, 'kubernetes.io/cluster/blue', 'owned')
      const owned = await run(unknownValue)
      for (const id of [first, second]) await untag(id, 'kubernetes.io/cluster/blue')

      expect(findings(shared)).toEqual([
        expect.objectContaining({
          level: 'note',
          subject: 'subnets',
          problem: expect.stringContaining('some are shared with cluster "blue"'),
          evidence: `${first} is tagged kubernetes.io/cluster/blue=shared`
        })
      ])
      expect(findings(owned)).toEqual([
        expect.objectContaining({
          level: 'warning',
          problem: expect.stringContaining('belong to cluster "blue"')
        })
      ])
    })

    test('of this cluster on a subnet of another VPC', async () => {
      const vpc = await ec2('CreateVpc', { CidrBlock: '10.9.0.0/16' })
      const VpcId = text(record(vpc['vpc'])['vpcId']) ?? ''
      const created = await ec2('CreateSubnet', { VpcId, CidrBlock: '10.9.0.0/24' })
      const SubnetId = text(record(created['subnet'])['subnetId']) ?? ''
      await tag(SubnetId, 'karpenter.sh/discovery', 'green')
      const result = await run(unknownValue)
      await ec2('DeleteSubnet', { SubnetId })
      await ec2('DeleteVpc', { VpcId })
      expect(findings(result)).toEqual([
        expect.objectContaining({
          level: 'warning',
          problem: expect.stringContaining(`Karpenter would use ${SubnetId} as well, of another VPC`)
        })
      ])
    })
  })
})
