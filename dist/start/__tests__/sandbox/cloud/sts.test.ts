import {
  AssumeRoleCommand,
  AssumeRoleWithWebIdentityCommand,
  GetCallerIdentityCommand,
  STSClient
} from '@aws-sdk/client-sts'
import { startCloud, type Cloud } from '../../../sandbox/cloud/index.js'
import {
  accountId,
  administrator,
  iamClient,
  issuer,
  type Issuer,
  nobodyTrusted,
  refusalOf,
  region,
  settings,
  stsClient
} from './clients.js'
import { ListRolesCommand } from '@aws-sdk/client-iam'

const subject = 'repo:org/app:ref:refs/heads/main'
let cloud: Cloud
let github: Issuer
let offset = 0

beforeEach(async () => {
  offset = 0
  cloud = await startCloud({ accountId, region, now: () => Date.now() + offset })
  github = await issuer('https://token.actions.githubusercontent.com')
  cloud.trustIssuer(github.url, github.keys)
})
afterEach(async () => {
  await cloud.stop()
  // Requests are bad on purpose here.
  expect(cloud.unlikeAws().filter((fault) => !fault.includes(', request: '))).toEqual([])
})

function putDeployer(): string {
  const provider = cloud.iam.putOidcProvider(github.url, ['sts.amazonaws.com'])
  return cloud.iam.putRole({
    name: 'deployer',
    trust: {
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Action: 'sts:AssumeRoleWithWebIdentity',
          Principal: { Federated: provider.arn },
          Condition: {
            StringEquals: { 'token.actions.githubusercontent.com:aud': 'sts.amazonaws.com' },
            StringLike: { 'token.actions.githubusercontent.com:sub': 'repo:org/app:*' }
          }
        }
      ]
    },
    attached: ['arn:aws:iam::aws:policy/ReadOnlyAccess']
  }).arn
}

async function assume(token: string, roleArn: string, seconds?: number) {
  const client = new STSClient({
    endpoint: cloud.url,
    region,
    maxAttempts: 1,
    credentials: { accessKeyId: 'x', secretAccessKey: 'x' }
  })
  return client.send(
    new AssumeRoleWithWebIdentityCommand({
      RoleArn: roleArn,
      RoleSessionName: 'run-1',
      WebIdentityToken: token,
      ...(seconds === undefined ? {} : { DurationSeconds: seconds })
    })
  )
}

describe('GetCallerIdentity', () => {
  it('names the session of the role', async () => {
    const role = cloud.iam.putRole({ name: 'somebody', path: '/team/', trust: nobodyTrusted })
    const identity = await stsClient(cloud, cloud.credentialsFor(role.arn, 900, 'me')).send(
      new GetCallerIdentityCommand()
    )
    expect(identity.Arn).toBe('arn:aws:sts::111122223333:assumed-role/somebody/me')
    expect(identity.Account).toBe(accountId)
    expect(identity.UserId).toBe(`${role.id}:me`)
  })

  it('refuses keys that it has never handed out', async () => {
    const credentials = {
      accessKeyId: 'ASIAXXXXXXXXXXXXXXXX',
      secretAccessKey: 'x',
      sessionToken: 'x',
      expiration: new Date()
    }
    expect(await refusalOf(stsClient(cloud, credentials).send(new GetCallerIdentityCommand()))).toBe(
      'InvalidClientTokenId: The security token included in the request is invalid.'
    )
  })

  it('refuses a signature made with another secret', async () => {
    const credentials = { ...administrator(cloud), secretAccessKey: 'wrong' }
    expect(
      await refusalOf(
        new STSClient({ ...settings(cloud, administrator(cloud)), credentials }).send(
          new GetCallerIdentityCommand()
        )
      )
    ).toMatch(/^SignatureDoesNotMatch: The request signature we calculated does not match/)
  })

  it('refuses a session that is over', async () => {
    const { accessKeyId, secretAccessKey, sessionToken } = administrator(cloud)
    const credentials = { accessKeyId, secretAccessKey, sessionToken }
    offset = 901_000
    const client = new STSClient({
      ...settings(cloud, administrator(cloud)),
      credentials,
      systemClockOffset: offset
    })
    expect(await refusalOf(client.send(new GetCallerIdentityCommand()))).toBe(
      'ExpiredToken: The security token included in the request is expired'
    )
  })

  it('refuses a clock that is wrong', async () => {
    const { accessKeyId, secretAccessKey, sessionToken } = administrator(cloud)
    const credentials = { accessKeyId, secretAccessKey, sessionToken }
    const client = new STSClient({
      ...settings(cloud, administrator(cloud)),
      credentials,
      systemClockOffset: -600_000
    })
    expect(await refusalOf(client.send(new GetCallerIdentityCommand()))).toMatch(
      /^SignatureDoesNotMatch: Signature expired: \d{8}T\d{6}Z is now earlier than \d{8}T\d{6}Z \(\d{8}T\d{6}Z - 5 min\.\)$/
    )
  })
})

describe('AssumeRoleWithWebIdentity', () => {
  it('gives a session to a token that provider and trust policy accept', async () => {
    const arn = putDeployer()
    const session = await assume(await github.token({ sub: subject, aud: 'sts.amazonaws.com' }), arn)
    expect(session.AssumedRoleUser?.Arn).toBe('arn:aws:sts::111122223333:assumed-role/deployer/run-1')
    expect(session.SubjectFromWebIdentityToken).toBe(subject)
    const {
      AccessKeyId = '',
      SecretAccessKey = '',
      SessionToken = '',
      Expiration = new Date(0)
    } = session.Credentials ?? {}
    const credentials = {
      accessKeyId: AccessKeyId,
      secretAccessKey: SecretAccessKey,
      sessionToken: SessionToken,
      expiration: Expiration
    }
    expect((await iamClient(cloud, credentials).send(new ListRolesCommand())).Roles).toHaveLength(1)
  })

  it('refuses an issuer that the account has no provider for', async () => {
    const token = await github.token({ sub: subject, aud: 'sts.amazonaws.com' })
    expect(await refusalOf(assume(token, 'arn:aws:iam::111122223333:role/deployer'))).toBe(
      'InvalidIdentityTokenException: No OpenIDConnect provider found in your account for https://token.actions.githubusercontent.com'
    )
  })

  it('refuses an audience that the provider does not list', async () => {
    const arn = putDeployer()
    expect(await refusalOf(assume(await github.token({ sub: subject, aud: 'other' }), arn))).toBe(
      'InvalidIdentityTokenException: Incorrect token audience'
    )
  })

  it('refuses a subject that the trust policy does not name', async () => {
    const arn = putDeployer()
    const token = await github.token({ sub: 'repo:org/other:ref:refs/heads/main', aud: 'sts.amazonaws.com' })
    expect(await refusalOf(assume(token, arn))).toBe(
      'AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity'
    )
  })

  it('refuses a role that is not there as it refuses one that does not trust the token', async () => {
    putDeployer()
    const token = await github.token({ sub: subject, aud: 'sts.amazonaws.com' })
    expect(await refusalOf(assume(token, 'arn:aws:iam::111122223333:role/none'))).toBe(
      'AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity'
    )
  })

  it('refuses a token that is over, one that another key signed, and one that is none', async () => {
    const arn = putDeployer()
    const claims = { sub: subject, aud: 'sts.amazonaws.com' }
    expect(await refusalOf(assume(await github.token(claims, -10), arn))).toMatch(
      /^ExpiredTokenException: Token expired: current date\/time \d+ must be before the expiration date\/time \d+$/
    )
    const forger = await issuer(github.url)
    expect(await refusalOf(assume(await forger.token(claims), arn))).toMatch(
      /^InvalidIdentityTokenException: /
    )
    expect(await refusalOf(assume('nonsense', arn))).toMatch(
      /^InvalidIdentityTokenException: The ID Token provided is not a valid JWT/
    )
  })

  it('refuses a session longer than the role allows', async () => {
    const arn = putDeployer()
    const token = await github.token({ sub: subject, aud: 'sts.amazonaws.com' })
    expect(await refusalOf(assume(token, arn, 7200))).toBe(
      'ValidationError: The requested DurationSeconds exceeds the MaxSessionDuration set for this role.'
    )
    expect(await refusalOf(assume(token, arn, 100))).toMatch(
      /^ValidationError: 1 validation error detected: Value '100'/
    )
  })
})

describe('AssumeRole', () => {
  it('needs trust and permission, and one hour at most from a role session', async () => {
    const credentials = administrator(cloud)
    const target = cloud.iam.putRole({
      name: 'target',
      maxSessionDuration: 43_200,
      trust: {
        Version: '2012-10-17',
        Statement: [
          { Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { AWS: `arn:aws:iam::${accountId}:root` } }
        ]
      }
    })
    const closed = cloud.iam.putRole({ name: 'closed', trust: nobodyTrusted })
    const poor = cloud.iam.putRole({ name: 'poor', trust: nobodyTrusted })
    const ask = (from: typeof credentials, RoleArn: string, DurationSeconds = 900) =>
      stsClient(cloud, from).send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'x1', DurationSeconds }))

    expect((await ask(credentials, target.arn)).AssumedRoleUser?.Arn).toBe(
      'arn:aws:sts::111122223333:assumed-role/target/x1'
    )
    expect(await refusalOf(ask(credentials, closed.arn))).toBe(
      `AccessDenied: User: arn:aws:sts::111122223333:assumed-role/administrator/sandbox is not authorized to perform: sts:AssumeRole on resource: ${closed.arn}`
    )
    expect(await refusalOf(ask(cloud.credentialsFor(poor.arn, 900), target.arn))).toMatch(/^AccessDenied: /)
    expect(await refusalOf(ask(credentials, target.arn, 7200))).toBe(
      'ValidationError: The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining'
    )
  })
})
