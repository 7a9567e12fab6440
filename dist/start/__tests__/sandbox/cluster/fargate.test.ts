import { load } from 'js-yaml'
import { startCloud, type Cloud } from '../../../sandbox/cloud/index.js'
import type { Vpc } from '../../../sandbox/cloud/moto/index.js'
import { putFargateProfiles } from '../../../sandbox/cluster/fargate.js'
import type { KubernetesRequest } from '../../../sandbox/control-plane/index.js'
import { record, text } from '../../../sandbox/values.js'

const vpc: Vpc = {
  id: 'vpc-1',
  cidr: '10.0.0.0/16',
  subnets: [
    { id: 'subnet-public', zone: 'a', public: true, cidr: '10.0.0.0/19' },
    { id: 'subnet-private', zone: 'a', public: false, cidr: '10.0.32.0/19' }
  ],
  clusterSecurityGroupId: 'sg-1'
}
const nodeName = 'fargate-ip-10-0-36-0.us-west-2.compute.internal'
const asNode = expect.objectContaining({
  username: `system:node:${nodeName}`,
  groups: expect.arrayContaining(['system:nodes']) as unknown
}) as unknown
let cloud: Cloud
afterEach(async () => cloud.stop())

async function clusterWith(
  authenticationMode: 'API' | 'CONFIG_MAP',
  request: KubernetesRequest
): Promise<void> {
  cloud = await startCloud({
    accountId: '111122223333',
    region: 'us-west-2',
    clusters: [
      {
        name: 'blue',
        version: '1.34',
        authenticationMode,
        vpcId: vpc.id,
        subnetIds: [],
        clusterSecurityGroupId: 'sg-1'
      }
    ]
  })
  await putFargateProfiles({ cloud, vpc, request }, 'blue', {
    karpenter: [{ namespace: 'karpenter', labels: {} }]
  })
}

function roleArn(): string {
  return cloud.eks.fargateProfile('blue', 'karpenter').podExecutionRoleArn
}

test("a cluster's first profiles are over its private subnets, and their role has an access entry", async () => {
  await clusterWith('API', async () => {
    throw new Error('nothing is asked of Kubernetes')
  })
  expect(cloud.eks.fargateProfile('blue', 'karpenter')).toMatchObject({
    status: 'ACTIVE',
    subnets: ['subnet-private']
  })
  expect(await cloud.fargateNodeIdentity('blue', { roleArn: roleArn(), nodeName })).toEqual(asNode)
})

test('where there are no access entries the role is mapped in aws-auth', async () => {
  let mapRoles = ''
  await clusterWith('CONFIG_MAP', async (method, _path, body) => {
    if (method === 'GET') return { status: 404, body: {} }
    mapRoles = text(record(record(body)['data'])['mapRoles']) ?? ''
    return { status: 201, body: {} }
  })
  expect(load(mapRoles)).toEqual([
    {
      rolearn: roleArn(),
      username: 'system:node:{{SessionName}}',
      groups: ['system:bootstrappers', 'system:nodes', 'system:node-proxier']
    }
  ])
  expect(await cloud.fargateNodeIdentity('blue', { roleArn: roleArn(), nodeName })).toHaveProperty('refused')
  cloud.eks.setAwsAuth('blue', async () => ({ mapRoles }))
  expect(await cloud.fargateNodeIdentity('blue', { roleArn: roleArn(), nodeName })).toEqual(asNode)
})
