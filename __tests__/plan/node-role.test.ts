import type { IamRole } from '../../src/aws/iam-role.js'
import type { InstallRecord } from '../../src/engine/record.js'
import type { Inputs } from '../../src/inputs/inputs.js'
import { formerRoleWarning, othersNodeRole, type OthersNodeRole } from '../../src/plan/node-role.js'
import { awsWith, type Handlers, Refusal } from '../aws/stand-in.js'
import { recordWith } from './inspections.js'

type Mode = Inputs['mode']
const arn = 'arn:aws:iam::111122223333:role/team/nodes'
const roleWith = (tags: Readonly<Record<string, string>>): IamRole => ({
  arn,
  trust: '',
  permissionsBoundary: undefined,
  tags,
  createdAt: undefined
})
const somebodys = roleWith({})
const bySomebody: OthersNodeRole = { arn, who: 'made by somebody else' }

const made = recordWith(['role/nodes'])
const access = (nodeRoleArn: string, before: readonly string[] = [], type = 'EC2_LINUX'): InstallRecord =>
  recordWith([], {
    resources: { 'node-access': { before, wanted: { nodeRoleArn, ...(type !== '' && { type }) } } }
  })

interface Asked {
  readonly mode?: Mode
  /** By default the role is named in the inputs. */
  readonly named?: boolean
  readonly record?: InstallRecord
  /** Without it IAM is not asked. */
  readonly role?: IamRole | 'absent' | 'denied'
  /** Of the stack. */
  readonly resources?: Handlers[string]
}

async function found({ mode, named, record, role, resources }: Asked): Promise<OthersNodeRole | undefined> {
  const inputs = {
    mode: mode ?? 'install',
    clusterName: 'blue',
    stackName: 'Karpenter-blue',
    nodeRoleName: 'nodes',
    nodeRoleNamed: named ?? true
  }
  const { aws, close } = await awsWith({
    DescribeStackResources: resources ?? (() => ({ StackResources: [] }))
  })
  try {
    return await othersNodeRole(inputs, {
      aws,
      record,
      roleNamed: async (name) => {
        expect(name).toBe('nodes')
        if (role === undefined) throw new Error('IAM was asked')
        return role
      }
    })
  } finally {
    await close()
  }
}

const nodes = {
  LogicalResourceId: 'KarpenterNodeRole',
  PhysicalResourceId: 'nodes',
  ResourceType: 'AWS::IAM::Role',
  ResourceStatus: 'CREATE_COMPLETE',
  Timestamp: '2026-11-24T10:00:00Z'
}

test.each<[string, Asked, OthersNodeRole | undefined]>([
  ['is not asked for by name', { named: false }, undefined],
  ['was made by the last install', { record: made }, undefined],
  ['is not there', { role: 'absent' }, undefined],
  ['may not be looked at by a check', { mode: 'check', role: 'denied' }, undefined],
  ['is there', { role: somebodys }, bySomebody],
  [
    'is kept by a tool',
    { role: roleWith({ 'terraform-aws-modules': 'eks' }) },
    { arn, who: 'kept by Terraform' }
  ],
  ['is ours by its tag', { role: roleWith({ 'setup-karpenter:owner': 'blue' }) }, undefined],
  [
    'is of our stack by its tag',
    { role: roleWith({ 'aws:cloudformation:stack-name': 'Karpenter-blue' }) },
    undefined
  ],
  [
    'is of our stack without a tag',
    { role: somebodys, resources: () => ({ StackResources: [nodes] }) },
    undefined
  ],
  [
    'was used by the last install, and is looked at again',
    { named: false, record: access(arn), role: somebodys },
    bySomebody
  ],
  [
    'was used by the last install, and may not be looked at any more',
    { record: access(arn), role: 'denied' },
    bySomebody
  ],
  ['was used by the last install, in a check', { mode: 'check', record: access(arn) }, bySomebody],
  ['was used by the last install, in a removal', { mode: 'uninstall', record: access(arn) }, bySomebody],
  [
    'is not the one that was used by the last install',
    { named: false, record: access(`${arn}-2`) },
    undefined
  ]
])("whether the node role is somebody else's where it %s", async (_where, asked, role) => {
  expect(await found(asked)).toEqual(role)
})

test.each<[string, Asked, string]>([
  [
    'is gone, which nodes were to have',
    { record: access(arn), role: 'absent' },
    'node-role-name: the role nodes, which somebody else made and new nodes are to have, is not there any more'
  ],
  [
    'may not be looked at',
    { role: 'denied' },
    "node-role-name: whether there is a role nodes cannot be seen: the run's role may not call iam:GetRole on it"
  ],
  [
    'goes with the installation of another cluster',
    { role: roleWith({ 'setup-karpenter:owner': 'green' }) },
    'node-role-name: the role nodes is of the installation of cluster green, and goes with it'
  ]
])('an install ends where the role %s, and a plan as well', async (_what, asked, message) => {
  for (const mode of ['install', 'plan'] as const)
    await expect(found({ ...asked, mode })).rejects.toMatchObject({
      message: expect.stringContaining(message) as unknown,
      state: 'Nothing was changed.'
    })
})

test('a check only says whose it is', async () => {
  const green = roleWith({ 'setup-karpenter:owner': 'green' })
  expect(await found({ mode: 'check', role: green })).toMatchObject({ arn })
})

test('a stack whose parts cannot be read leaves it open whose the role is', async () => {
  const resources = (): never => {
    throw new Refusal(
      'AccessDenied',
      'User: x is not authorized to perform: cloudformation:DescribeStackResources',
      403
    )
  }
  await expect(found({ role: somebodys, resources })).rejects.toThrow(
    'node-role-name: resources of stack Karpenter-blue could not be read'
  )
})

describe('the access of the role that nodes had until now', () => {
  const warning = (mode: Mode, record: InstallRecord | undefined, now: string): string | undefined =>
    formerRoleWarning({ mode, clusterName: 'blue' }, record, now)
  const other = 'arn:aws:iam::111122223333:role/other'

  test.each([
    [
      'EC2_LINUX',
      'its access entry stays',
      `aws eks delete-access-entry --cluster-name blue --principal-arn ${arn}`
    ],
    ['', 'its line in aws-auth stays', `eksctl delete iamidentitymapping --cluster blue --arn ${arn}`]
  ])('stays, and is told with the command that takes it away: %s', (type, stays, away) => {
    const text = warning('install', access(arn, [], type), other)
    expect(text).toContain(`nodes had ${arn} until now`)
    expect(text).toContain(stays)
    expect(text?.endsWith(away)).toBe(true)
  })

  test.each<[string, Mode, InstallRecord | undefined, string]>([
    ['the role is the same', 'install', access(arn), arn],
    ['the access was there before', 'install', access(arn, ['entry']), other],
    ['no record knows of one', 'install', undefined, other],
    ['a check changes none', 'check', access(arn), other]
  ])('is not told where %s', (_where, mode, record, now) => {
    expect(warning(mode, record, now)).toBeUndefined()
  })
})
