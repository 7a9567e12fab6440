import {
  AttachRolePolicyCommand,
  CreateInstanceProfileCommand,
  AddRoleToInstanceProfileCommand,
  PutRolePolicyCommand
} from '@aws-sdk/client-iam'
import { deleteInstanceProfile, whenIamFollows } from '../../src/aws/iam-late.js'
import { controllerRole } from '../../src/resources/controller/controller-role.js'
import { stackRole, type StackRoleWanted } from '../../src/resources/stack/stack-role.js'
import { startAccount, type TestAccount } from '../resources/account.js'
import { install, ownership } from '../resources/walk-one.js'
import { allow, nobodyTrusted } from '../sandbox/cloud/clients.js'
import { failure } from './failure.js'
import { recordedStep, type RecordedStep } from './stand-in.js'

/** As long as IAM lags; its own clock goes on while the step's pauses take as long. */
const lag = 300
const late = { service: 'iam', effect: { kind: 'lag', milliseconds: lag, writes: true } } as const
const policy = 'arn:aws:iam::aws:policy/ReadOnlyAccess'
const RoleName = 'blue-karpenter'

let home: TestAccount
beforeEach(async () => {
  home = await startAccount()
})
afterEach(async () => home.close())

/** Each pause takes a little of the stand-in's time. */
function step(): RecordedStep {
  const recorded = recordedStep()
  return {
    ...recorded,
    pause: async (milliseconds) => {
      await recorded.pause(milliseconds)
      await new Promise((resolve) => setTimeout(resolve, 30))
    }
  }
}

const controller = () =>
  controllerRole(
    {
      clusterName: 'blue',
      roleName: RoleName,
      arn: `arn:aws:iam::111122223333:role/${RoleName}`,
      trust: { kind: 'pod-identity' },
      tags: { 'setup-karpenter:owner': 'blue' }
    },
    { aws: home.aws, ownership }
  )

const wanted: StackRoleWanted = {
  clusterName: 'blue',
  name: 'KarpenterNodeRole-blue',
  arn: 'arn:aws:iam::111122223333:role/KarpenterNodeRole-blue',
  trust: nobodyTrusted,
  policyArns: [],
  inline: { logs: allow('logs:PutLogEvents') },
  tags: {}
}

describe('IAM that is late', () => {
  it('with what was taken off does not keep the controller role from being deleted', async () => {
    await install(controller())
    const iam = await home.aws.iam()
    await iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn: policy }))
    await iam.send(
      new PutRolePolicyCommand({ RoleName, PolicyName: 'p', PolicyDocument: JSON.stringify(allow('s3:*')) })
    )
    await new Promise((resolve) => setTimeout(resolve, 2 * lag))
    home.cloud.setFaults([late])
    home.cloud.clearCalls()
    const removal = step()
    expect(await controller().remove(removal, { removeAdopted: false })).toEqual({ outcome: 'removed' })
    expect(home.cloud.calls().filter(({ outcome }) => outcome === 'DeleteConflict').length).toBeGreaterThan(0)
    expect(removal.waits[0]).toMatch(/^IAM to follow what was done to blue-karpenter: .*must/)
    expect(home.cloud.iam.roles.has(RoleName)).toBe(false)
  })

  it('with what was made does not keep an inline policy from a new role', async () => {
    home.cloud.setFaults([late])
    const resource = stackRole(wanted, {
      aws: home.aws,
      ownership,
      stackName: 'Karpenter-blue',
      stackTags: async () => ({}),
      keep: () => undefined
    })
    const before = await resource.inspect(new AbortController().signal)
    await before.apply(step())
    expect(Object.keys(home.cloud.iam.role(wanted.name).inline)).toEqual(['logs'])
  })

  it('and misses again what it has shown does not end a run', async () => {
    home.cloud.setFaults([{ ...late, effect: { ...late.effect, flickers: true } }])
    const before = await controller().inspect(new AbortController().signal)
    const applied = step()
    await before.apply(applied)
    expect(applied.lines).toEqual([`created IAM role ${RoleName}`])
  })

  it('with an instance profile that held a role is waited for', async () => {
    home.cloud.iam.putRole({ name: 'nodes', trust: nobodyTrusted })
    const iam = await home.aws.iam()
    const InstanceProfileName = 'nodes'
    await iam.send(new CreateInstanceProfileCommand({ InstanceProfileName }))
    await iam.send(new AddRoleToInstanceProfileCommand({ InstanceProfileName, RoleName: 'nodes' }))
    await new Promise((resolve) => setTimeout(resolve, 2 * lag))
    home.cloud.setFaults([late])
    await deleteInstanceProfile(home.aws, { name: 'nodes', roles: ['nodes'] }, step())
    expect(home.cloud.iam.instanceProfiles.has('nodes')).toBe(false)
  })

  it('for two minutes is said with what it answers, and other errors at once', async () => {
    const refuse = (name: string, message: string) => async () => {
      throw Object.assign(new Error(message), { name, $metadata: { httpStatusCode: 409 } })
    }
    const of = { title: 'Controller role blue', name: 'blue' }
    const waited = recordedStep()
    const error = await failure(whenIamFollows(of, waited, refuse('DeleteConflictException', 'must detach')))
    expect(error.message).toBe('Controller role blue: IAM says so for two minutes: must detach')
    expect(waited.now() - recordedStep().now()).toBeGreaterThanOrEqual(120_000)
    const other = refuse('NoSuchEntityException', 'Policy arn:x was not found.')
    await expect(whenIamFollows(of, recordedStep(), other)).rejects.toThrow('Policy arn:x was not found.')
  })
})
