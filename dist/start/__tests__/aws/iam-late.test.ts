import {
  AttachRolePolicyCommand,
  CreateInstanceProfileCommand,
  CreatePolicyCommand,
  CreatePolicyVersionCommand,
  AddRoleToInstanceProfileCommand,
  PutRolePolicyCommand
} from '@aws-sdk/client-iam'
import { deleteInstanceProfile, whenIamFollows } from '../../src/aws/iam-late.js'
import { readManagedPolicy, setDocument } from '../../src/aws/managed-policy.js'
import { oidcProvider } from '../../src/resources/access/oidc-provider.js'
import { controllerRole } from '../../src/resources/controller/controller-role.js'
import { stackRole, type StackRoleWanted } from '../../src/resources/stack/stack-role.js'
import type { Fault } from '../../sandbox/cloud/service.js'
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

const provider = () =>
  oidcProvider(
    {
      clusterName: 'blue',
      arn: 'arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/ABC',
      issuer: 'https://oidc.eks.eu-west-1.amazonaws.com/id/ABC',
      audience: 'sts.amazonaws.com',
      tags: { 'setup-karpenter:owner': 'blue' }
    },
    { aws: home.aws, ownership, removable: true }
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

  const once = (action: string, code: string, message: string, status: number, times = 1): Fault => ({
    service: 'iam',
    action,
    times,
    effect: { kind: 'error', code, message, status }
  })

  it('with another write to the same thing does not keep it from being made', async () => {
    home.cloud.setFaults([
      once('CreateRole', 'ConcurrentModification', 'Another operation is under way.', 409),
      once('CreateOpenIDConnectProvider', 'ConcurrentModification', 'Another operation is under way.', 409),
      once('DeleteOpenIDConnectProvider', 'ConcurrentModification', 'Another operation is under way.', 409)
    ])
    expect((await install(controller())).after.differences).toEqual([])
    const { after } = await install(provider())
    expect(after.differences).toEqual([])
    expect(await after.resource.remove(step(), { removeAdopted: false })).toMatchObject({
      outcome: 'removed'
    })
  })

  it('to reach the issuer of a new cluster is asked three times', async () => {
    const fault = (times: number): Fault =>
      once(
        'CreateOpenIDConnectProvider',
        'OpenIdIdpCommunicationError',
        'Could not connect to it.',
        400,
        times
      )
    home.cloud.setFaults([fault(3)])
    const before = await provider().inspect(new AbortController().signal)
    const refused = await failure(before.apply(step()))
    expect(refused.message).toContain('OpenIdIdpCommunicationErrorException: Could not connect to it.')
    home.cloud.setFaults([fault(2)])
    expect((await install(provider())).after.differences).toEqual([])
  })

  it('with the version that made room for another is waited for', async () => {
    const iam = await home.aws.iam()
    const made = await iam.send(
      new CreatePolicyCommand({ PolicyName: 'blue', PolicyDocument: JSON.stringify(allow('s3:*')) })
    )
    const PolicyArn = made.Policy?.Arn ?? ''
    for (const action of ['a:A', 'a:B', 'a:C', 'a:D']) {
      const PolicyDocument = JSON.stringify(allow(action))
      await iam.send(new CreatePolicyVersionCommand({ PolicyArn, PolicyDocument, SetAsDefault: true }))
    }
    home.cloud.setFaults([
      once('CreatePolicyVersion', 'LimitExceeded', 'A managed policy can have up to 5 versions.', 409)
    ])
    const of = { title: 'IAM policy blue', arn: PolicyArn }
    expect((await setDocument(home.aws, of, allow('a:E'), step()))?.versionId).toBe('v1')
    expect((await readManagedPolicy(home.aws, PolicyArn)).document).toContain('a:E')
  })

  it('with a new policy does not keep it from its next version', async () => {
    const iam = await home.aws.iam()
    const made = await iam.send(
      new CreatePolicyCommand({ PolicyName: 'blue', PolicyDocument: JSON.stringify(allow('s3:*')) })
    )
    const arn = made.Policy?.Arn ?? ''
    home.cloud.setFaults([
      once('CreatePolicyVersion', 'NoSuchEntity', `Policy ${arn} does not exist or is not attachable.`, 404)
    ])
    await setDocument(home.aws, { title: 'IAM policy blue', arn }, allow('a:E'), step())
    expect((await readManagedPolicy(home.aws, arn)).document).toContain('a:E')
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
