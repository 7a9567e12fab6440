import { Sha256 } from '@aws-crypto/sha256-js'
import { SignatureV4 } from '@smithy/signature-v4'
import { SignJWT, exportJWK, generateKeyPair } from 'jose'
import type { Credentials } from '../../../sandbox/cloud/credentials/store.js'
import { type Cloud, startCloud } from '../../../sandbox/cloud/index.js'
import { isRecord } from '../../../sandbox/cloud/input.js'
import { accountId, nobodyTrusted, region } from './clients.js'

const clusterName = 'blue'
const podTrust = {
  Version: '2012-10-17',
  Statement: [
    {
      Effect: 'Allow',
      Action: ['sts:AssumeRole', 'sts:TagSession'],
      Principal: { Service: 'pods.eks.amazonaws.com' }
    }
  ]
}
let cloud: Cloud
let offset = 0
let serviceAccountToken: (aud: string) => Promise<string>

beforeEach(async () => {
  offset = 0
  cloud = await startCloud({
    accountId,
    region,
    associationDelay: 3000,
    now: () => Date.now() + offset,
    clusters: [
      {
        name: clusterName,
        version: '1.34',
        authenticationMode: 'API',
        vpcId: 'vpc-1',
        subnetIds: ['subnet-1'],
        clusterSecurityGroupId: 'sg-1',
        zonalShift: true
      }
    ]
  })
  const { publicKey, privateKey } = await generateKeyPair('RS256')
  const { issuer } = cloud.eks.cluster(clusterName)
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k', alg: 'RS256' }
  cloud.trustIssuer(issuer, async () => ({ keys: [jwk] }))
  serviceAccountToken = (aud) =>
    new SignJWT({
      'kubernetes.io': {
        namespace: 'karpenter',
        pod: { name: 'karpenter-1', uid: 'u1' },
        serviceaccount: { name: 'karpenter', uid: 'u2' }
      }
    })
      .setProtectedHeader({ alg: 'RS256', kid: 'k' })
      .setIssuer(issuer)
      .setAudience(aud)
      .setSubject('system:serviceaccount:karpenter:karpenter')
      .setIssuedAt()
      .setExpirationTime('1h')
      .sign(privateKey)
})
afterEach(async () => {
  await cloud.stop()
  // Requests are bad on purpose here.
  expect(cloud.unlikeAws().filter((fault) => !fault.includes(', request: '))).toEqual([])
})

function nodeKeys(): Credentials {
  const role = cloud.iam.putRole({
    name: 'node',
    trust: nobodyTrusted,
    attached: ['arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy']
  })
  return cloud.credentialsFor(role.arn, 3600, 'i-0a1b')
}

/** A signed request of a service that no client is installed for. */
async function ask(service: string, method: string, path: string, body: unknown, keys: Credentials) {
  const signer = new SignatureV4({ credentials: keys, region, service, sha256: Sha256 })
  const text = body === undefined ? undefined : JSON.stringify(body)
  const host = new URL(cloud.url).host
  const signed = await signer.sign({
    method,
    protocol: 'http:',
    hostname: host,
    path,
    headers: { host },
    ...(text === undefined ? {} : { body: text })
  })
  const { headers } = signed
  const response = await fetch(`${cloud.url}${path}`, {
    method,
    headers,
    ...(text === undefined ? {} : { body: text })
  })
  const answer: unknown = await response.json()
  return {
    error: response.headers.get('x-amzn-errortype'),
    status: response.status,
    answer: isRecord(answer) ? answer : {}
  }
}

const assume = async (keys: Credentials, aud = 'pods.eks.amazonaws.com') =>
  ask(
    'eks-auth',
    'POST',
    `/clusters/${clusterName}/assume-role-for-pod-identity`,
    { token: await serviceAccountToken(aud) },
    keys
  )

describe('AssumeRoleForPodIdentity', () => {
  it('gives the associated role a few seconds after the association was made', async () => {
    const role = cloud.iam.putRole({ name: 'karpenter', trust: podTrust })
    const keys = nodeKeys()
    cloud.eks.putAssociation(clusterName, 'karpenter', 'karpenter', role.arn)
    expect(await assume(keys)).toMatchObject({ status: 404, error: 'ResourceNotFoundException' })
    offset = 4000
    const { answer } = await assume(keys)
    expect(answer).toMatchObject({
      subject: { namespace: 'karpenter', serviceAccount: 'karpenter' },
      audience: 'pods.eks.amazonaws.com'
    })
    const session = isRecord(answer['assumedRoleUser']) ? answer['assumedRoleUser'] : {}
    expect(session['arn']).toMatch(
      /^arn:aws:sts::111122223333:assumed-role\/karpenter\/eks-blue-karpenter-1-/
    )
  })

  it('is refused by trust policy, audience and the permissions of the node', async () => {
    const role = cloud.iam.putRole({ name: 'karpenter', trust: nobodyTrusted })
    const keys = nodeKeys()
    cloud.eks.putAssociation(clusterName, 'karpenter', 'karpenter', role.arn)
    offset = 4000
    expect(await assume(keys)).toMatchObject({ error: 'AccessDeniedException' })
    expect(await assume(keys, 'sts.amazonaws.com')).toMatchObject({ error: 'InvalidTokenException' })
    const poor = cloud.iam.putRole({ name: 'poor', trust: nobodyTrusted })
    const refused = await assume(cloud.credentialsFor(poor.arn, 3600, 'i-0a1b'))
    expect(refused.answer['message']).toMatch(
      /is not authorized to perform: eks-auth:AssumeRoleForPodIdentity/
    )
  })
})

describe('GetManagedResource', () => {
  it('needs a statement on all resources, as the service knows no clusters', async () => {
    const { arn } = cloud.eks.cluster(clusterName)
    const keys = (Resource: string) =>
      cloud.credentialsFor(
        cloud.iam.putRole({
          name: 'controller',
          trust: nobodyTrusted,
          inline: {
            own: {
              Version: '2012-10-17',
              Statement: [{ Effect: 'Allow', Action: 'arc-zonal-shift:GetManagedResource', Resource }]
            }
          }
        }).arn,
        900
      )
    const get = (given: Credentials) =>
      ask('arc-zonal-shift', 'GET', `/managedresources/${encodeURIComponent(arn)}`, undefined, given)
    expect(await get(keys(arn))).toMatchObject({ error: 'AccessDeniedException' })
    expect((await get(keys('*'))).answer).toMatchObject({ arn, zonalShifts: [] })
  })
})
