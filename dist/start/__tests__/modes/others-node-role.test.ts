import { field, textField } from '../../src/kubernetes/manifest.js'
import { mapAt } from '../../src/engine/json.js'
import { nobodyTrusted } from '../sandbox/cloud/clients.js'
import { PlayedWorld } from './played-run.js'

let world: PlayedWorld
afterEach(async () => world.stop())

/** As EKS's console and terraform-aws-modules make them for managed node groups. */
const nodeGroupPolicies = ['AmazonEKSWorkerNodePolicy', 'AmazonEC2ContainerRegistryPullOnly'].map(
  (name) => `arn:aws:iam::aws:policy/${name}`
)
const name = 'managed-eks-node-group-20260101'
const given = { 'smoke-test': 'false', 'node-role-name': name }

async function withRole(
  more: {
    readonly path?: string
    readonly tags?: Readonly<Record<string, string>>
    readonly trust?: unknown
  } = {},
  options: Parameters<typeof PlayedWorld.start>[0] = {},
  roleName = name
): Promise<string> {
  world = await PlayedWorld.start(options)
  const { arn } = world.cloud.iam.putRole({
    name: roleName,
    trust: nobodyTrusted,
    attached: nodeGroupPolicies,
    ...more
  })
  return arn
}

/** Calls by which the role would have been changed. */
function writesToRole(arn: string): readonly string[] {
  return world.cloud
    .calls()
    .filter(
      ({ service, write, asked }) =>
        service === 'iam' && write && asked.some(({ resource }) => resource === arn)
    )
    .map(({ action }) => action)
}

function stackTemplate(): string {
  return textField(mapAt(mapAt(world.record()?.['resources'], 'stack'), 'wanted'), 'template') ?? ''
}

describe('A node role that somebody else made', () => {
  test.each([
    [{}, 'made by somebody else'],
    [{ path: '/platform/nodes/' }, 'made by somebody else'],
    [
      { tags: { 'aws:cloudformation:stack-name': 'eksctl-blue-nodegroup-ng-1' } },
      'kept by eksctl, CloudFormation stack eksctl-blue-nodegroup-ng-1'
    ],
    [{ tags: { 'terraform-aws-modules': 'eks' } }, 'kept by Terraform']
  ])('%j is used as it is, by a stack without one, and never changed or removed', async (more, who) => {
    const arn = await withRole(more)
    const before = world.cloud.iam.role(name)
    const ended = await world.main(given)
    expect(ended.failed).toBeUndefined()
    expect(ended.outputs['node-role-arn']).toBe(arn)
    expect(ended.report).toMatchObject({
      choices: { 'Node role': `${name} (there already, ${who}: used as it is, and never changed or removed)` }
    })
    expect(stackTemplate()).not.toContain('KarpenterNodeRole')
    expect(stackTemplate()).toContain(arn)
    const nodeClass = world.server.at('/apis/karpenter.k8s.aws/v1/ec2nodeclasses/default')
    expect(field(nodeClass, 'spec', 'role')).toBe(name)
    expect(world.cloud.eks.accessEntries.values()).toEqual(
      expect.arrayContaining([expect.objectContaining({ principalArn: arn, type: 'EC2_LINUX' })])
    )
    expect((await world.main(given)).outputs['changed']).toBe('false')
    const checked = await world.main({ ...given, mode: 'check' })
    expect([checked.failed, checked.outputs['drift'], checked.outputs['pending']]).toEqual([
      undefined,
      '0',
      '0'
    ])
    // A removal goes by the record, whatever the inputs say.
    const removed = await world.main({ mode: 'uninstall' })
    expect([removed.failed, removed.outputs['leftovers']]).toEqual([undefined, '[]'])
    expect(world.cloud.iam.role(name)).toEqual(before)
    expect(writesToRole(arn)).toEqual([])
    expect(world.cloud.eks.accessEntries.values().map(({ principalArn }) => principalArn)).not.toContain(arn)
  })

  test('keeps the access that its node group has', async () => {
    const arn = await withRole()
    world.cloud.eks.putAccessEntry('blue', arn, 'EC2_LINUX')
    expect((await world.main(given)).failed).toBeUndefined()
    expect((await world.main({ mode: 'uninstall' })).failed).toBeUndefined()
    expect(world.cloud.eks.accessEntries.values().map(({ principalArn }) => principalArn)).toContain(arn)
  })

  test('may have the default name where it is asked for by it', async () => {
    const own = 'KarpenterNodeRole-blue'
    const arn = await withRole({ tags: { Terraform: 'true' } }, {}, own)
    const refused = await world.main({ 'smoke-test': 'false' })
    expect(refused.failed).toContain(`IAM role ${own}: is there already`)
    expect(refused.failed).toContain(`\`node-role-name: ${own}\``)
    expect(refused.failed).not.toContain('iam:CreateRole')
    expect(refused.writes).toEqual({ aws: [], cluster: [] })
    const ended = await world.main({ ...given, 'node-role-name': own })
    expect([ended.failed, ended.outputs['node-role-arn']]).toEqual([undefined, arn])
    expect(stackTemplate()).not.toMatch(/RoleName|AWS::IAM::Role\b/)
  })

  test('that EC2 may not take is refused', async () => {
    await withRole({
      trust: {
        Version: '2012-10-17',
        Statement: [
          { Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: 'eks.amazonaws.com' } }
        ]
      }
    })
    const ended = await world.main(given)
    expect(ended.failed).toContain(`EC2 may not take role ${name}`)
    expect(ended.writes).toEqual({ aws: [], cluster: [] })
  })

  test('takes no policies of ours', async () => {
    await withRole()
    const ended = await world.main({ ...given, 'node-role-policies': nodeGroupPolicies[0] ?? '' })
    expect(ended.failed).toMatch(
      new RegExp(
        `^setup-karpenter: node-role-policies: the role ${name} was there already, and is used as it is`
      )
    )
    expect(ended.writes).toEqual({ aws: [], cluster: [] })
  })

  test("of another cluster's installation is refused", async () => {
    await withRole({ tags: { 'setup-karpenter:owner': 'green' } })
    const ended = await world.main(given)
    expect(ended.failed).toMatch(
      new RegExp(`node-role-name: the role ${name} is of the installation of cluster green, and goes with it`)
    )
    expect(ended.writes).toEqual({ aws: [], cluster: [] })
  })

  test('that may not be looked at is no missing right to make one', async () => {
    await withRole()
    const administrator = world.cloud.iam.role('administrator')
    const deny = [{ Effect: 'Deny', Action: 'iam:GetRole', Resource: `arn:aws:iam::*:role/${name}` }]
    world.cloud.iam.roles.set('administrator', {
      ...administrator,
      inline: { deny: JSON.stringify({ Version: '2012-10-17', Statement: deny }) }
    })
    const ended = await world.main(given)
    expect(ended.failed).toContain(`node-role-name: whether there is a role ${name} cannot be seen`)
    expect(ended.failed).toContain(`Allow iam:GetRole on arn:aws:iam::111122223333:role/${name}.`)
    expect(ended.failed).not.toContain('iam:CreateRole')
    expect(ended.writes).toEqual({ aws: [], cluster: [] })
  })

  test('that has gone since is told before the first write, and hinders no removal', async () => {
    await withRole()
    await world.main(given)
    world.cloud.iam.roles.delete(name)
    const again = await world.main(given)
    expect(again.failed).toContain(
      `the role ${name}, which somebody else made and new nodes are to have, is not there any more`
    )
    expect(again.writes).toEqual({ aws: [], cluster: [] })
    const checked = await world.main({ ...given, mode: 'check' })
    expect(checked.failed).toContain(
      'the access entry is of a node role that was deleted, so nodes cannot join'
    )
    const removed = await world.main({ mode: 'uninstall' })
    expect([removed.failed, removed.outputs['leftovers']]).toEqual([undefined, '[]'])
  })
})

describe('Where nodes had another role until now', () => {
  const former = 'arn:aws:iam::111122223333:role/KarpenterNodeRole-blue'

  test.each([
    [
      'API',
      'its access entry stays',
      `aws eks delete-access-entry --cluster-name blue --principal-arn ${former}`
    ],
    [
      'CONFIG_MAP',
      'its line in aws-auth stays',
      `eksctl delete iamidentitymapping --cluster blue --arn ${former}`
    ]
  ] as const)(
    'with %s, what was given to that one stays for them, and is told',
    async (authenticationMode, stays, away) => {
      await withRole({}, { authenticationMode })
      expect((await world.main({ 'smoke-test': 'false' })).failed).toBeUndefined()
      const planned = await world.main({ ...given, mode: 'plan' })
      const ended = await world.main(given)
      for (const { failed, warnings } of [planned, ended]) {
        expect(failed).toBeUndefined()
        expect(warnings).toContainEqual(
          expect.stringContaining(`node-role-name: nodes had ${former} until now`)
        )
        expect(warnings).toContainEqual(expect.stringContaining(stays))
        expect(warnings).toContainEqual(expect.stringContaining(away))
      }
      const again = await world.main(given)
      expect(again.warnings.filter((one) => one.includes('until now'))).toEqual([])
      const checked = await world.main({ ...given, mode: 'check' })
      expect(checked.warnings.filter((one) => one.includes('until now'))).toEqual([])
    }
  )

  test('access that was there before is nobody of ours, and not told of', async () => {
    await withRole()
    world.cloud.eks.putAccessEntry('blue', former, 'EC2_LINUX')
    await world.main({ 'smoke-test': 'false' })
    const ended = await world.main(given)
    expect(ended.warnings.filter((one) => one.includes('until now'))).toEqual([])
  })
})

test('a name that nothing has is of a role that the stack makes, then and at every later run', async () => {
  world = await PlayedWorld.start()
  expect((await world.main(given)).failed).toBeUndefined()
  expect(stackTemplate()).toContain(`RoleName: ${name}`)
  expect((await world.main(given)).outputs['changed']).toBe('false')
  expect((await world.main({ mode: 'uninstall' })).failed).toBeUndefined()
  expect(world.cloud.iam.roles.values().map((role) => role.name)).not.toContain(name)
})

test("aws-auth gets the line without the role's path, as aws-iam-authenticator sees it", async () => {
  const arn = await withRole({ path: '/platform/' }, { authenticationMode: 'CONFIG_MAP' })
  expect((await world.main(given)).failed).toBeUndefined()
  const data = field(
    world.server.at('/api/v1/namespaces/kube-system/configmaps/aws-auth'),
    'data',
    'mapRoles'
  )
  expect(data).toContain(`rolearn: arn:aws:iam::111122223333:role/${name}\n`)
  expect(data).not.toContain(arn)
})
