import { GetRoleCommand } from '@aws-sdk/client-iam'
import { DescribeSubnetsCommand } from '@aws-sdk/client-ec2'
import { DescribeAddonCommand } from '@aws-sdk/client-eks'
import { DescribeStacksCommand } from '@aws-sdk/client-cloudformation'
import {
  accessDenied,
  awsProblem,
  isNotFound,
  isThrottled,
  isTransient,
  liveOf
} from '../../src/aws/errors.js'
import { UserError } from '../../src/engine/errors.js'
import { TimeoutError } from '../../src/run/cancel.js'
import { awsWith, Refusal } from './stand-in.js'

/** What the real client throws for an answer of this kind. */
async function thrown(
  refusal: Refusal,
  call: 'GetRole' | 'DescribeSubnets' | 'DescribeAddon' | 'DescribeStacks'
): Promise<unknown> {
  const refuse = () => {
    throw refusal
  }
  const { aws, close } = await awsWith({ [call]: refuse })
  try {
    if (call === 'GetRole') await (await aws.iam()).send(new GetRoleCommand({ RoleName: 'x' }))
    if (call === 'DescribeSubnets') await (await aws.ec2()).send(new DescribeSubnetsCommand({}))
    if (call === 'DescribeAddon') {
      await (await aws.eks()).send(new DescribeAddonCommand({ clusterName: 'c', addonName: 'a' }))
    }
    if (call === 'DescribeStacks') {
      await (await aws.cloudformation()).send(new DescribeStacksCommand({ StackName: 's' }))
    }
    return undefined
  } catch (error) {
    return error
  } finally {
    await close()
  }
}

const iamDenial =
  'User: arn:aws:sts::111122223333:assumed-role/deployer/run is not authorized to perform: iam:GetRole on resource: role blue-karpenter because no identity-based policy allows the iam:GetRole action'

const fixOf = (error: Error): string => (error instanceof UserError ? error.fix : '')

describe('AWS errors', () => {
  it.each([
    ['GetRole', 'NoSuchEntity', 'The role cannot be found.', 404],
    ['DescribeSubnets', 'InvalidSubnetID.NotFound', 'The subnet ID does not exist', 400],
    ['DescribeAddon', 'ResourceNotFoundException', 'No addon', 404],
    ['DescribeStacks', 'ValidationError', 'Stack with id s does not exist', 400]
  ] as const)('of %s that say %s mean that it is not there', async (call, code, message, status) => {
    const error = await thrown(new Refusal(code, message, status), call)
    expect(isNotFound(error)).toBe(true)
    expect(accessDenied(error)).toBeUndefined()
  })

  it('of IAM that deny name action and reason', async () => {
    const error = await thrown(new Refusal('AccessDenied', iamDenial, 403), 'GetRole')
    expect(isNotFound(error)).toBe(false)
    expect(accessDenied(error)).toEqual({
      action: 'iam:GetRole',
      resource: 'role blue-karpenter',
      because: 'no identity-based policy allows the iam:GetRole action'
    })
  })

  it("of EC2 that deny name the action of EC2's own code", async () => {
    const error = await thrown(
      new Refusal(
        'UnauthorizedOperation',
        'You are not authorized to perform this operation. User: arn:aws:sts::111122223333:assumed-role/d/r is not authorized to perform: ec2:DescribeSubnets because no identity-based policy allows the ec2:DescribeSubnets action',
        403
      ),
      'DescribeSubnets'
    )
    expect(accessDenied(error)?.action).toBe('ec2:DescribeSubnets')
  })

  it('that deny become an error that names the published policy', async () => {
    const error = awsProblem(
      'Role x',
      'could not be read',
      await thrown(new Refusal('AccessDenied', iamDenial, 403), 'GetRole')
    )
    expect(error.message).toMatch(/^Role x: could not be read: the run's role may not call iam:GetRole/)
    expect(fixOf(error)).toContain('docs/permissions/install.json')
  })

  it('are none of AWS where the run was told to end while it waited', () => {
    const ended = new TimeoutError(90)
    expect(awsProblem('CloudFormation stack x', 'could not be planned', ended)).toBe(ended)
  })

  it('that deny by a service control policy say that the role is not at fault', async () => {
    const text =
      'User: arn:aws:sts::1:assumed-role/d/r is not authorized to perform: iam:GetRole on resource: arn:aws:iam::1:role/x with an explicit deny in a service control policy'
    const error = awsProblem(
      'Role x',
      'could not be read',
      await thrown(new Refusal('AccessDenied', text, 403), 'GetRole')
    )
    expect(fixOf(error)).toContain('an explicit deny in a service control policy')
  })

  // IAM User Guide, "Troubleshoot access denied error messages"; the ARNs since 2026 (AWS Security Blog).
  it.each([
    'because no service control policy allows the iam:GetRole action',
    'with an explicit deny in a service control policy: arn:aws:organizations::987654321098:policy/o-qv5af4abcd/service_control_policy/p-2kgnabcd',
    'with an explicit deny in a resource control policy',
    'because no permissions boundary allows the iam:GetRole action',
    'with an explicit deny in a permissions boundary: arn:aws:iam::1:policy/guard',
    'because no session policy allows the iam:GetRole action',
    'with an explicit deny in a session policy',
    'because no VPC endpoint policy allows the iam:GetRole action',
    'with an explicit deny in a VPC endpoint policy',
    'with an explicit deny in a resource-based policy',
    'because no resource-based policy allows the iam:GetRole action'
  ])('that deny %s do not ask for another statement of the role', async (cause) => {
    const text = `User: arn:aws:sts::1:assumed-role/d/r is not authorized to perform: iam:GetRole on resource: arn:aws:iam::1:role/x ${cause}`
    const because = cause.replace(/^(because|with) /, '')
    const denial = await thrown(new Refusal('AccessDenied', text, 403), 'GetRole')
    expect(accessDenied(denial)).toEqual({
      action: 'iam:GetRole',
      resource: 'arn:aws:iam::1:role/x',
      because
    })
    expect(fixOf(awsProblem('Role x', 'could not be read', denial))).toBe(
      `Allow iam:GetRole where it is denied: ${because}. Another statement in the role's own policy does not help against it.`
    )
    await expect(liveOf('Role x', async () => Promise.reject(denial as Error))).resolves.toMatchObject({
      state: 'unreadable',
      reason: `the run's role may not call iam:GetRole (${because})`
    })
  })

  it('that deny explicitly in an identity-based policy ask to take that back', async () => {
    const because = 'an explicit deny in an identity-based policy: arn:aws:iam::1:policy/no-roles'
    const text = `User: arn:aws:sts::1:assumed-role/d/r is not authorized to perform: iam:GetRole on resource: role x with ${because}`
    const denial = await thrown(new Refusal('AccessDenied', text, 403), 'GetRole')
    expect(fixOf(awsProblem('Role x', 'could not be read', denial))).toBe(
      `Allow iam:GetRole where it is denied: ${because}.`
    )
  })

  it('NotAuthorized, of the common errors, is a denial', async () => {
    const error = await thrown(new Refusal('NotAuthorized', 'You do not have permission.', 400), 'GetRole')
    expect(accessDenied(error)?.action).toBe('iam:GetRole')
  })

  it.each(['EAI_AGAIN', 'ENOTFOUND', 'ECONNRESET', 'UND_ERR_SOCKET'])('of the network pass: %s', (code) => {
    expect(isTransient(Object.assign(new Error('getaddrinfo'), { code }))).toBe(true)
  })

  it('that say AWS is too busy are worth another try', () => {
    const error = Object.assign(new Error('Rate exceeded'), {
      name: 'Throttling',
      $metadata: { httpStatusCode: 400 }
    })
    expect(isThrottled(error)).toBe(true)
    expect(isTransient(error)).toBe(true)
  })

  it('make a read absent, unreadable with the action, or a failure', async () => {
    const read = async (refusal: Refusal) => {
      const error = await thrown(refusal, 'GetRole')
      return liveOf('Role x', async () => {
        throw error
      })
    }
    await expect(read(new Refusal('NoSuchEntity', 'no', 404))).resolves.toEqual({ state: 'absent' })
    await expect(read(new Refusal('AccessDenied', iamDenial, 403))).resolves.toEqual({
      state: 'unreadable',
      reason: "the run's role may not call iam:GetRole",
      missingPermission: 'iam:GetRole'
    })
    await expect(read(new Refusal('MalformedInput', 'what', 400))).rejects.toThrow(UserError)
  })
})
