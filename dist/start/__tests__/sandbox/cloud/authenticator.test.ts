import { Sha256 } from '@aws-crypto/sha256-js'
import { SignatureV4 } from '@smithy/signature-v4'
import type { Credentials } from '../../../sandbox/cloud/credentials/store.js'
import type { AuthenticationMode } from '../../../sandbox/cloud/eks/state.js'
import { type Cloud, startCloud } from '../../../sandbox/cloud/index.js'
import { isRecord } from '../../../sandbox/cloud/input.js'
import { accountId, nobodyTrusted, region } from './clients.js'

const clusterName = 'blue'
let cloud: Cloud
let offset = 0

async function start(authenticationMode: AuthenticationMode): Promise<void> {
  offset = 0
  cloud = await startCloud({
    accountId,
    region,
    now: () => Date.now() + offset,
    clusters: [
      {
        name: clusterName,
        version: '1.34',
        authenticationMode,
        vpcId: 'vpc-1',
        subnetIds: ['subnet-1'],
        clusterSecurityGroupId: 'sg-1',
        creatorArn: `arn:aws:iam::${accountId}:role/creator`
      }
    ]
  })
}
afterEach(() => cloud.stop())

function credentials(name: string, path = '/'): Credentials {
  return cloud.credentialsFor(cloud.iam.putRole({ name, path, trust: nobodyTrusted }).arn, 3600, 'me')
}

async function token(
  keys: Credentials,
  header: Record<string, string> = { 'x-k8s-aws-id': clusterName },
  host = `sts.${region}.amazonaws.com`
) {
  const signer = new SignatureV4({ credentials: keys, region, service: 'sts', sha256: Sha256 })
  const signed = await signer.presign(
    {
      method: 'GET',
      protocol: 'https:',
      hostname: host,
      path: '/',
      query: { Action: 'GetCallerIdentity', Version: '2011-06-15' },
      headers: { host, ...header }
    },
    { expiresIn: 60, unhoistableHeaders: new Set(['x-k8s-aws-id']), unsignableHeaders: new Set() }
  )
  const query = Object.entries(signed.query ?? {}).map(
    ([name, value]) => `${name}=${encodeURIComponent(String(value))}`
  )
  return `k8s-aws-v1.${Buffer.from(`https://${host}/?${query.join('&')}`).toString('base64url')}`
}

async function review(given: string): Promise<Readonly<Record<string, unknown>>> {
  const response = await fetch(cloud.webhookUrl(clusterName), {
    method: 'POST',
    body: JSON.stringify({
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenReview',
      spec: { token: given }
    })
  })
  const answer: unknown = await response.json()
  return isRecord(answer) && isRecord(answer['status']) ? answer['status'] : {}
}

describe('tokens', () => {
  beforeEach(() => start('API'))

  it('of the creator are an administrator', async () => {
    expect(await review(await token(credentials('creator')))).toMatchObject({
      authenticated: true,
      user: {
        username: 'arn:aws:sts::111122223333:assumed-role/creator/me',
        groups: ['eks:cluster-admin'],
        extra: { sessionName: ['me'] }
      }
    })
  })

  it('are good for 15 minutes, for the cluster they were made for, on STS', async () => {
    const keys = credentials('creator')
    const good = await token(keys)
    offset = 14 * 60_000
    expect(await review(good)).toMatchObject({ authenticated: true })
    offset = 16 * 60_000
    expect((await review(good))['error']).toMatch(/Signature expired/)
  })

  it('are refused with the reason', async () => {
    const keys = credentials('creator')
    const refused = async (given: string) => (await review(given))['error']
    expect(await refused(await token(keys, { 'x-k8s-aws-id': 'green' }))).toMatch(/^SignatureDoesNotMatch/)
    expect(await refused(await token(keys, {}))).toMatch(/did not sign the x-k8s-aws-id header/)
    expect(await refused(await token(keys, undefined, 'sts.evil.com'))).toMatch(
      /unexpected hostname "sts.evil.com"/
    )
    expect(await refused('nonsense')).toMatch(/is not k8s-aws-v1/)
    expect(await refused(await token(credentials('other')))).toBe(
      'arn:aws:iam::111122223333:role/other has no access entry in cluster blue'
    )
  })
})

describe('aws-auth', () => {
  const map = (text: string) => cloud.eks.setAwsAuth(clusterName, async () => ({ mapRoles: text }))
  const line = (arn: string) => `- rolearn: ${arn}\n  username: dev:{{SessionName}}\n  groups: [developers]\n`

  it('maps roles where the mode is CONFIG_MAP', async () => {
    await start('CONFIG_MAP')
    map(line(`arn:aws:iam::${accountId}:role/dev`))
    expect(await review(await token(credentials('dev', '/team/')))).toMatchObject({
      authenticated: true,
      user: { username: 'dev:me', groups: ['developers'] }
    })
    expect(await review(await token(credentials('creator')))).toMatchObject({
      user: { username: 'kubernetes-admin', groups: ['system:masters'] }
    })
  })

  it('takes the last of several lines for one role, as the authenticator does', async () => {
    await start('CONFIG_MAP')
    const arn = `arn:aws:iam::${accountId}:role/dev`
    map(
      line(arn) +
        line(arn.toUpperCase().replace('ARN:AWS:IAM', 'arn:aws:iam')).replace('developers', 'others')
    )
    expect(await review(await token(credentials('dev', '/team/')))).toMatchObject({
      user: { username: 'dev:me', groups: ['others'] }
    })
  })

  it('maps nobody by an ARN with a path, nor anybody when it is not YAML', async () => {
    await start('CONFIG_MAP')
    const given = await token(credentials('dev', '/team/'))
    map(line(`arn:aws:iam::${accountId}:role/team/dev`))
    expect(await review(given)).toMatchObject({ authenticated: false })
    map(`${line(`arn:aws:iam::${accountId}:role/dev`)}  : [`)
    expect(await review(given)).toMatchObject({ authenticated: false })
  })

  it('comes after access entries, and is not read in mode API', async () => {
    await start('API_AND_CONFIG_MAP')
    const given = await token(credentials('dev'))
    map(line(`arn:aws:iam::${accountId}:role/dev`))
    expect(await review(given)).toMatchObject({ user: { username: 'dev:me' } })
    cloud.eks.putAccessEntry(clusterName, `arn:aws:iam::${accountId}:role/dev`, 'STANDARD', [
      'AmazonEKSViewPolicy'
    ])
    expect(await review(given)).toMatchObject({ user: { groups: ['eks:view'] } })
    await cloud.stop()
    await start('API')
    map(line(`arn:aws:iam::${accountId}:role/dev`))
    expect(await review(await token(credentials('dev')))).toMatchObject({ authenticated: false })
  })
})

describe('nodes', () => {
  const node = { instanceId: 'i-0a1b', privateDnsName: 'ip-10-0-0-1.us-west-2.compute.internal' }
  const roleArn = `arn:aws:iam::${accountId}:role/node`

  it('join by an access entry of type EC2_LINUX, not by one of type STANDARD', async () => {
    await start('API')
    expect(await cloud.nodeIdentity(clusterName, { roleArn, ...node })).toEqual({
      refused: `${roleArn} has no access entry in cluster blue`
    })
    cloud.eks.putAccessEntry(clusterName, roleArn, 'STANDARD')
    expect(await cloud.nodeIdentity(clusterName, { roleArn, ...node })).toHaveProperty('refused')
    cloud.eks.putAccessEntry(clusterName, roleArn, 'EC2_LINUX')
    expect(await cloud.nodeIdentity(clusterName, { roleArn, ...node })).toEqual({
      username: `system:node:${node.privateDnsName}`,
      groups: ['system:nodes']
    })
  })

  it('do not join by the entry of a role that was deleted and made again', async () => {
    await start('API')
    cloud.iam.putRole({ name: 'node', trust: nobodyTrusted })
    cloud.eks.putAccessEntry(clusterName, roleArn, 'EC2_LINUX')
    expect(await cloud.nodeIdentity(clusterName, { roleArn, ...node })).toHaveProperty('username')
    cloud.iam.putRole({ name: 'node', trust: nobodyTrusted })
    expect(await cloud.nodeIdentity(clusterName, { roleArn, ...node })).toEqual({
      refused: `the access entry of ${roleArn} is of a role that was deleted`
    })
  })

  it('join by a line in aws-auth', async () => {
    await start('CONFIG_MAP')
    cloud.eks.setAwsAuth(clusterName, async () => ({
      mapRoles: `- rolearn: ${roleArn}\n  username: system:node:{{EC2PrivateDNSName}}\n  groups:\n  - system:bootstrappers\n  - system:nodes\n`
    }))
    expect(await cloud.nodeIdentity(clusterName, { roleArn, ...node })).toEqual({
      username: `system:node:${node.privateDnsName}`,
      groups: ['system:bootstrappers', 'system:nodes']
    })
  })
})
