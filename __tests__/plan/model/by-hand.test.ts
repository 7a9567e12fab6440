import { PlayedModel } from './played-model.js'
import type { Shape } from './shapes.js'

let played: PlayedModel
beforeEach(async () => {
  played = await PlayedModel.start()
})
afterEach(async () => played.stop())

const node = 'KarpenterNodeRole-blue'
const interruption = 'arn:aws:iam::111122223333:policy/KarpenterControllerInterruptionPolicy-blue'
const zonalShift = 'arn:aws:iam::111122223333:policy/KarpenterControllerZonalShiftPolicy-blue'
const awsAuth = '/api/v1/namespaces/kube-system/configmaps/aws-auth'
const nobody = '{"Version":"2012-10-17","Statement":[]}'

interface Edited {
  readonly trust?: string
  readonly inline?: Readonly<Record<string, string>>
  readonly attached?: readonly string[]
}

function edit(role: string, change: Edited): void {
  played.cloud.iam.roles.set(role, { ...played.cloud.iam.role(role), ...change })
}

/** Somebody else has made five versions of a policy, which is as many as IAM keeps. */
function editPolicy(arn: string): void {
  const policy = played.cloud.iam.policy(arn)
  const versions = [1, 2, 3, 4, 5].map((number) => ({
    id: `v${number}`,
    document: nobody,
    createdAt: new Date(),
    isDefault: number === 5
  }))
  played.cloud.iam.policies.set(arn, { ...policy, versions })
}

test('what an install takes away of others is kept in the report before', async () => {
  const shape: Shape = { authenticationMode: 'CONFIG_MAP' }
  played.server.put(awsAuth, { apiVersion: 'v1', kind: 'ConfigMap', data: { mapUsers: 'theirs' } })
  await played.installed(shape)
  edit(node, { trust: nobody })
  edit('blue-karpenter', { inline: { theirs: nobody } })
  editPolicy(interruption)
  await played.installed(shape)
  expect(Object.fromEntries(played.kept)).toEqual({
    'aws-auth': '{"mapUsers":"theirs"}',
    [`trust policy of role ${node}`]: nobody,
    'inline policy theirs of role blue-karpenter': nobody,
    'version v1 of policy KarpenterControllerInterruptionPolicy-blue': nobody
  })
  expect(await played.differing(shape)).toEqual([])
})

/** As if the access entry of the nodes were older than it is. */
function ageEntry(): void {
  const entry = played.cloud.eks.entry('blue', `arn:aws:iam::111122223333:role/${node}`)
  played.cloud.eks.saveEntry({ ...entry, createdAt: new Date(Date.UTC(2026, 0, 1)) })
}

/** Somebody has deleted role, queue and rules of the stack, and a policy that another version has otherwise. */
function deleteParts(): void {
  const { iam } = played.cloud
  iam.roles.delete(node)
  iam.policies.delete(zonalShift)
  edit('blue-karpenter', {
    attached: iam.role('blue-karpenter').attached.filter((arn) => arn !== zonalShift)
  })
  played.aws.queues.clear()
  played.aws.rules.clear()
}

test('what somebody deleted of the stack is made again with the tags of the stack', async () => {
  await played.installed({ inputs: { tags: 'team=a' } })
  deleteParts()
  ageEntry()
  played.cloud.clearCalls()
  const lines = await played.installed()
  expect(lines['stack']).toBeUndefined()
  const made = played.cloud
    .calls()
    .filter(({ action }) => /^(CreateRole|CreateQueue|PutRule)$/.test(action))
    .map(({ action, input }) => [action, JSON.stringify(input).includes('"team"')])
  expect(made.toSorted()).toEqual([
    ['CreateQueue', true],
    ['CreateRole', true],
    ...Array.from({ length: 5 }, () => ['PutRule', true])
  ])
  // An access entry of the role that was deleted would let nobody in.
  expect(lines['node-access']?.[0]).toMatch(/^deleted the access entry of an earlier role /)
  expect(await played.differing()).toEqual([])
})

test('what the stack is to change is made again before it is changed, and nothing else', async () => {
  const before: Shape = { inputs: { 'karpenter-version': '1.12.0' } }
  await played.installed(before)
  deleteParts()
  const lines = await played.installed({ inputs: { 'karpenter-version': '1.14.1' }, installed: '1.12.0' })
  const again = (lines['stack'] ?? []).filter((line) => !/^(attached|led) /.test(line))
  expect(again.map((line) => line.replace(/-[A-Za-z0-9]{12} again/, ' again'))).toEqual([
    'created IAM policy KarpenterControllerZonalShiftPolicy-blue again',
    `created IAM role ${node} again`,
    'created SQS queue blue again, which had been deleted',
    ...[
      'ScheduledChangeRule',
      'SpotInterruptionRule',
      'RebalanceRule',
      'InstanceStateChangeRule',
      'CapacityReservationInterruptionRule'
    ].map((rule) => `created EventBridge rule Karpenter-blue-${rule} again, which had been deleted`),
    'updated CloudFormation stack Karpenter-blue (2 resources)'
  ])
  expect(await played.differing()).toEqual([])
})

const theirs = {
  Version: '2012-10-17',
  Statement: [
    { Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: 'cloudformation.amazonaws.com' } }
  ]
}
const all = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] }

describe('by a service role of the stack', () => {
  let shape: Shape
  beforeEach(async () => {
    const { arn } = played.cloud.iam.putRole({ name: 'stack', trust: theirs, inline: { all } })
    shape = { inputs: { 'stack-role-arn': arn } }
    await played.installed({ inputs: { ...shape.inputs, 'karpenter-version': '1.12.0' } })
  })

  const upgrade = (): Shape => ({
    inputs: { ...shape.inputs, 'karpenter-version': '1.14.1' },
    installed: '1.12.0'
  })

  test('it is CloudFormation that writes roles and policies, now and once helm is done', async () => {
    await played.installed(upgrade())
    const changeSets = played.cloud.calls().filter(({ action }) => action === 'CreateChangeSet')
    expect(changeSets.map(({ input }) => input['RoleARN'])).toEqual(
      Array.from({ length: 3 }, () => shape.inputs?.['stack-role-arn'])
    )
  })

  test('what somebody changed of a role or a policy is named and left', async () => {
    edit(node, { attached: [] })
    editPolicy(interruption)
    const before = { ...shape, inputs: { ...shape.inputs, 'karpenter-version': '1.12.0' } }
    const steps = await played.install(await played.graph(before))
    const said = [...steps].filter(([, { lines, warnings }]) => lines.length + warnings.length > 0)
    expect(said.map(([id, { lines, warnings }]) => [id, lines, warnings])).toEqual([
      ['policy/KarpenterControllerInterruptionPolicy-blue', [], [expect.stringContaining('left as it is')]],
      [`role/${node}`, [], [expect.stringContaining('of stack Karpenter-blue')]]
    ])
  })

  test('a part that is gone and is to be changed ends the run, which says how it is made again', async () => {
    played.cloud.iam.roles.delete(node)
    await expect(played.installed(upgrade())).rejects.toMatchObject({
      fix: expect.stringMatching(/^Make it again by hand, .*--stack-name Karpenter-blue/) as unknown
    })
  })
})
