import {
  AddClientIDToOpenIDConnectProviderCommand,
  AddRoleToInstanceProfileCommand,
  AttachRolePolicyCommand,
  CreateInstanceProfileCommand,
  CreateOpenIDConnectProviderCommand,
  CreatePolicyCommand,
  CreatePolicyVersionCommand,
  CreateRoleCommand,
  CreateServiceLinkedRoleCommand,
  DeleteInstanceProfileCommand,
  DeletePolicyCommand,
  DeleteRoleCommand,
  GetOpenIDConnectProviderCommand,
  GetPolicyVersionCommand,
  GetRoleCommand,
  type IAMClient,
  ListAttachedRolePoliciesCommand,
  ListEntitiesForPolicyCommand,
  ListInstanceProfilesForRoleCommand,
  paginateListRoles,
  PutRolePolicyCommand,
  RemoveRoleFromInstanceProfileCommand,
  TagRoleCommand
} from '@aws-sdk/client-iam'
import { type Cloud, startCloud } from '../../../sandbox/cloud/index.js'
import { accountId, administrator, allow, iamClient, nobodyTrusted, refusalOf, region } from './clients.js'

let cloud: Cloud
let admin: IAMClient

beforeEach(async () => {
  cloud = await startCloud({ accountId, region })
  admin = iamClient(cloud, administrator(cloud))
})
afterEach(async () => {
  await cloud.stop()
  // Requests are bad on purpose here.
  expect(cloud.unlikeAws().filter((fault) => !fault.includes(', request: '))).toEqual([])
})

const trust = JSON.stringify(nobodyTrusted)
const createRole = (RoleName: string) =>
  admin.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: trust }))
const createPolicy = (PolicyName: string, document: unknown = allow('s3:GetObject')) =>
  admin.send(new CreatePolicyCommand({ PolicyName, PolicyDocument: JSON.stringify(document) }))
describe('roles', () => {
  it('come back as they were made, with the trust policy URL-encoded', async () => {
    await admin.send(
      new CreateRoleCommand({
        RoleName: 'karpenter',
        Path: '/team/',
        AssumeRolePolicyDocument: trust,
        Description: 'a & <b>',
        Tags: [{ Key: 'owner', Value: 'me' }]
      })
    )
    const { Role } = await admin.send(new GetRoleCommand({ RoleName: 'karpenter' }))
    expect(Role).toMatchObject({
      Arn: 'arn:aws:iam::111122223333:role/team/karpenter',
      Description: 'a & <b>',
      MaxSessionDuration: 3600,
      Tags: [{ Key: 'owner', Value: 'me' }]
    })
    expect(Role?.AssumeRolePolicyDocument).toBe(encodeURIComponent(trust))
    expect(Role?.CreateDate).toBeInstanceOf(Date)
  })

  it('are refused by name, by length and by trust policy', async () => {
    await createRole('taken')
    expect(await refusalOf(createRole('Taken'))).toBe(
      'EntityAlreadyExistsException: Role with name Taken already exists.'
    )
    expect(await refusalOf(createRole('x'.repeat(65)))).toMatch(/length less than or equal to 64$/)
    expect(await refusalOf(createRole('a/b'))).toMatch(
      /^ValidationError: The specified value for roleName is invalid/
    )
    const broken = { RoleName: 'r', AssumeRolePolicyDocument: '{' }
    expect(await refusalOf(admin.send(new CreateRoleCommand(broken)))).toMatch(
      /^MalformedPolicyDocumentException: /
    )
    const stranger = trust.replace(
      '"Service":"ec2.amazonaws.com"',
      `"AWS":"arn:aws:iam::${accountId}:role/none"`
    )
    expect(
      await refusalOf(
        admin.send(new CreateRoleCommand({ RoleName: 'r', AssumeRolePolicyDocument: stranger }))
      )
    ).toBe(
      'MalformedPolicyDocumentException: Invalid principal in policy: "AWS":"arn:aws:iam::111122223333:role/none"'
    )
    const long = JSON.stringify({
      ...nobodyTrusted,
      Statement: nobodyTrusted.Statement.map((item) => ({ ...item, Sid: 'x'.repeat(2048) }))
    })
    expect(
      await refusalOf(admin.send(new CreateRoleCommand({ RoleName: 'r', AssumeRolePolicyDocument: long })))
    ).toBe('LimitExceededException: Cannot exceed quota for ACLSizePerRole: 2048')
  })

  it('cannot go while something hangs on them', async () => {
    await createRole('r')
    const policy = await createPolicy('p')
    const PolicyArn = policy.Policy?.Arn ?? ''
    await admin.send(new AttachRolePolicyCommand({ RoleName: 'r', PolicyArn }))
    expect(await refusalOf(admin.send(new DeleteRoleCommand({ RoleName: 'r' })))).toBe(
      'DeleteConflictException: Cannot delete entity, must detach all policies first.'
    )
    expect(await refusalOf(admin.send(new DeletePolicyCommand({ PolicyArn })))).toBe(
      'DeleteConflictException: Cannot delete a policy attached to entities.'
    )
    await admin.send(new CreateInstanceProfileCommand({ InstanceProfileName: 'i' }))
    await admin.send(new AddRoleToInstanceProfileCommand({ InstanceProfileName: 'i', RoleName: 'r' }))
    expect(await refusalOf(admin.send(new DeleteInstanceProfileCommand({ InstanceProfileName: 'i' })))).toBe(
      'DeleteConflictException: Cannot delete entity, must remove roles from instance profile first.'
    )
    const profiles = await admin.send(new ListInstanceProfilesForRoleCommand({ RoleName: 'r' }))
    expect(profiles.InstanceProfiles?.[0]?.Roles?.[0]?.RoleName).toBe('r')
    await admin.send(new RemoveRoleFromInstanceProfileCommand({ InstanceProfileName: 'i', RoleName: 'r' }))
    expect(await refusalOf(admin.send(new DeleteInstanceProfileCommand({ InstanceProfileName: 'i' })))).toBe(
      'no error'
    )
  })

  it('are listed page by page', async () => {
    for (const name of ['a', 'b', 'c', 'd']) await createRole(name)
    const names: (string | undefined)[] = []
    for await (const page of paginateListRoles({ client: admin, pageSize: 2 }, {})) {
      expect(page.Roles?.length).toBeLessThanOrEqual(2)
      names.push(...(page.Roles ?? []).map((role) => role.RoleName))
    }
    expect(names).toEqual(['administrator', 'a', 'b', 'c', 'd'])
  })
})

describe('managed policies', () => {
  it('may have 6,144 characters, white space not counted', async () => {
    const sized = (length: number) => {
      const empty = JSON.stringify(allow('s3:GetObject', 'arn:aws:s3:::')).length
      return allow('s3:GetObject', `arn:aws:s3:::${'x'.repeat(length - empty)}`)
    }
    const spaced = JSON.stringify(sized(6144), null, 8)
    expect(
      await refusalOf(admin.send(new CreatePolicyCommand({ PolicyName: 'fits', PolicyDocument: spaced })))
    ).toBe('no error')
    expect(await refusalOf(createPolicy('too-long', sized(6145)))).toBe(
      'LimitExceededException: Cannot exceed quota for PolicySize: 6144'
    )
    expect(
      await refusalOf(createPolicy('wrong', { Version: '2012-10-17', Statement: [{ Effect: 'Maybe' }] }))
    ).toMatch(/^MalformedPolicyDocumentException: /)
  })

  it('keep five versions', async () => {
    const PolicyArn = (await createPolicy('p')).Policy?.Arn ?? ''
    const next = () =>
      admin.send(
        new CreatePolicyVersionCommand({
          PolicyArn,
          PolicyDocument: JSON.stringify(allow('s3:PutObject')),
          SetAsDefault: true
        })
      )
    for (let count = 2; count <= 5; count += 1) await next()
    expect(await refusalOf(next())).toMatch(
      /^LimitExceededException: A managed policy can have up to 5 versions/
    )
    const version = await admin.send(new GetPolicyVersionCommand({ PolicyArn, VersionId: 'v5' }))
    expect(decodeURIComponent(version.PolicyVersion?.Document ?? '')).toBe(
      JSON.stringify(allow('s3:PutObject'))
    )
    expect(version.PolicyVersion?.IsDefaultVersion).toBe(true)
    expect(await refusalOf(admin.send(new DeletePolicyCommand({ PolicyArn })))).toMatch(
      /^DeleteConflictException: This policy has more than one version/
    )
  })

  it('tell the roles that have them, attached or as a boundary', async () => {
    const PolicyArn = (await createPolicy('p')).Policy?.Arn ?? ''
    cloud.iam.putRole({ name: 'attached', trust: nobodyTrusted, attached: [PolicyArn] })
    cloud.iam.putRole({ name: 'bounded', trust: nobodyTrusted, boundary: PolicyArn })
    const roles = async (PolicyUsageFilter?: 'PermissionsPolicy' | 'PermissionsBoundary') => {
      const command = new ListEntitiesForPolicyCommand({
        PolicyArn,
        ...(PolicyUsageFilter === undefined ? {} : { PolicyUsageFilter })
      })
      return (await admin.send(command)).PolicyRoles?.map(({ RoleName }) => RoleName)
    }
    expect(await roles()).toEqual(['attached', 'bounded'])
    expect(await roles('PermissionsPolicy')).toEqual(['attached'])
    expect(await roles('PermissionsBoundary')).toEqual(['bounded'])
  })

  it('of AWS are known by name only', async () => {
    await createRole('r')
    const attach = (name: string) =>
      admin.send(new AttachRolePolicyCommand({ RoleName: 'r', PolicyArn: `arn:aws:iam::aws:policy/${name}` }))
    await attach('AmazonEKS_CNI_Policy')
    const attached = await admin.send(new ListAttachedRolePoliciesCommand({ RoleName: 'r' }))
    expect(attached.AttachedPolicies).toEqual([
      { PolicyName: 'AmazonEKS_CNI_Policy', PolicyArn: 'arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy' }
    ])
    expect(await refusalOf(attach('AmazonEKSNoSuchPolicy'))).toBe(
      'NoSuchEntityException: Policy arn:aws:iam::aws:policy/AmazonEKSNoSuchPolicy does not exist or is not attachable.'
    )
  })
})

describe('OpenID Connect providers', () => {
  it('take audiences later', async () => {
    const Url = 'https://oidc.eks.us-west-2.amazonaws.com/id/ABC'
    const create = () => admin.send(new CreateOpenIDConnectProviderCommand({ Url, ClientIDList: ['other'] }))
    const { OpenIDConnectProviderArn } = await create()
    expect(OpenIDConnectProviderArn).toBe(
      'arn:aws:iam::111122223333:oidc-provider/oidc.eks.us-west-2.amazonaws.com/id/ABC'
    )
    await admin.send(
      new AddClientIDToOpenIDConnectProviderCommand({
        OpenIDConnectProviderArn,
        ClientID: 'sts.amazonaws.com'
      })
    )
    const provider = await admin.send(new GetOpenIDConnectProviderCommand({ OpenIDConnectProviderArn }))
    expect(provider.ClientIDList).toEqual(['other', 'sts.amazonaws.com'])
    expect(provider.Url).toBe('oidc.eks.us-west-2.amazonaws.com/id/ABC')
    expect(await refusalOf(create())).toBe(
      `EntityAlreadyExistsException: Provider with url ${Url} already exists.`
    )
  })

  it('are named without the port of HTTPS, with which eksctl gives the URL', async () => {
    const make = (Url: string) =>
      admin.send(new CreateOpenIDConnectProviderCommand({ Url, ClientIDList: ['sts.amazonaws.com'] }))
    const { OpenIDConnectProviderArn } = await make('https://oidc.eks.us-west-2.amazonaws.com:443/id/ABC')
    expect(OpenIDConnectProviderArn).toBe(
      'arn:aws:iam::111122223333:oidc-provider/oidc.eks.us-west-2.amazonaws.com/id/ABC'
    )
    const provider = await admin.send(new GetOpenIDConnectProviderCommand({ OpenIDConnectProviderArn }))
    expect(provider.Url).toBe('oidc.eks.us-west-2.amazonaws.com/id/ABC')
    expect(await refusalOf(make('https://oidc.eks.us-west-2.amazonaws.com/id/ABC'))).toMatch(
      /^EntityAlreadyExistsException/
    )
  })

  it('may be made by who is allowed to make the one without the port', async () => {
    const arn = 'arn:aws:iam::111122223333:oidc-provider/oidc.eks.us-west-2.amazonaws.com/id/ABC'
    const role = cloud.iam.putRole({
      name: 'limited',
      trust: nobodyTrusted,
      inline: { own: allow('iam:CreateOpenIDConnectProvider', arn) }
    })
    const limited = iamClient(cloud, cloud.credentialsFor(role.arn, 900))
    const make = (Url: string) =>
      limited.send(new CreateOpenIDConnectProviderCommand({ Url, ClientIDList: ['sts.amazonaws.com'] }))
    expect(await refusalOf(make('https://oidc.eks.us-west-2.amazonaws.com:443/id/ABC'))).toBe('no error')
    expect(await refusalOf(make('https://oidc.eks.us-west-2.amazonaws.com:443/id/DEF'))).toMatch(
      /^AccessDenied/
    )
  })
})

describe('service-linked roles', () => {
  it('are made once', async () => {
    const create = () =>
      admin.send(new CreateServiceLinkedRoleCommand({ AWSServiceName: 'spot.amazonaws.com' }))
    expect((await create()).Role?.Arn).toBe(
      'arn:aws:iam::111122223333:role/aws-service-role/spot.amazonaws.com/AWSServiceRoleForEC2Spot'
    )
    expect(await refusalOf(create())).toBe(
      'InvalidInputException: Service role name AWSServiceRoleForEC2Spot has been taken in this account, please try a different suffix.'
    )
  })
})

describe('the front', () => {
  it('records each call with its caller, outcome and whether it writes', async () => {
    cloud.clearCalls()
    await createRole('r')
    await refusalOf(admin.send(new GetRoleCommand({ RoleName: 'none' })))
    const line = { service: 'iam', callerArn: 'arn:aws:sts::111122223333:assumed-role/administrator/sandbox' }
    expect(cloud.calls()).toMatchObject([
      { ...line, action: 'CreateRole', outcome: 'ok', write: true, input: { RoleName: 'r' } },
      { ...line, action: 'GetRole', outcome: 'NoSuchEntity', write: false }
    ])
  })

  it('fails, cuts and lags where it is asked to', async () => {
    await createRole('r')
    const get = () => refusalOf(admin.send(new GetRoleCommand({ RoleName: 'r' })))
    cloud.setFaults([
      {
        service: 'iam',
        action: 'GetRole',
        skip: 1,
        times: 1,
        effect: { kind: 'error', code: 'Throttling', message: 'Rate exceeded', status: 400 }
      },
      { service: 'iam', action: 'TagRole', effect: { kind: 'reset' } }
    ])
    expect([await get(), await get(), await get()]).toEqual([
      'no error',
      'Throttling: Rate exceeded',
      'no error'
    ])
    expect(
      await refusalOf(admin.send(new TagRoleCommand({ RoleName: 'r', Tags: [{ Key: 'a', Value: 'b' }] })))
    ).toMatch(/ECONNRESET|socket hang up/)
    cloud.setFaults([{ service: 'iam', times: 1, effect: { kind: 'lag', milliseconds: 60_000 } }])
    expect(await get()).toBe('NoSuchEntityException: The role with name r cannot be found.')
    expect(await get()).toBe('no error')
  })

  it('asks a gate at each write, which cuts it off before it is carried out, or when it has been', async () => {
    const asked: string[] = []
    const tag = async (): Promise<string> =>
      refusalOf(admin.send(new TagRoleCommand({ RoleName: 'r', Tags: [{ Key: 'a', Value: 'b' }] })))
    const cutting = (at: 'before' | 'after') =>
      cloud.setGate(async ({ service, action }, moment) => {
        asked.push(`${service} ${action} ${moment}`)
        return moment === at ? 'cut' : 'pass'
      })
    await createRole('r')
    cutting('before')
    expect(await tag()).toMatch(/ECONNRESET|socket hang up/)
    expect(cloud.iam.roles.get('r')?.tags).toHaveLength(0)
    cutting('after')
    expect(await tag()).toMatch(/ECONNRESET|socket hang up/)
    expect(cloud.iam.roles.get('r')?.tags).toHaveLength(1)
    await admin.send(new GetRoleCommand({ RoleName: 'r' }))
    expect(new Set(asked)).toEqual(new Set(['iam TagRole before', 'iam TagRole after']))
    cloud.setGate(undefined)
    expect(await tag()).toBe('no error')
  })

  it('holds inline policies of a role to 10,240 characters together', async () => {
    await createRole('r')
    const put = (PolicyName: string) =>
      admin.send(
        new PutRolePolicyCommand({
          RoleName: 'r',
          PolicyName,
          PolicyDocument: JSON.stringify(allow('s3:GetObject', `arn:aws:s3:::${'x'.repeat(6000)}`))
        })
      )
    await put('one')
    expect(await refusalOf(put('two'))).toBe(
      'LimitExceededException: Maximum policy size of 10240 bytes exceeded for role r'
    )
  })
})
