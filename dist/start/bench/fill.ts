import type { Sandbox } from '../sandbox/index.js'
import { list, record } from '../sandbox/values.js'
import { manyAtOnce, nodeName, patch, post } from './crowd.js'

/** How much of what is not Karpenter's, or not this Karpenter's, a cluster has. */
export interface Filling {
  readonly deployments: number
  readonly pods: number
  /** NodePools of another Karpenter, as EKS Auto Mode's are. */
  readonly foreignNodePools: number
  readonly subnets: number
}

/** Some of the variables that a chart gives a container: they are most of what a Deployment or pod is in bytes. */
const variables = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    name: `TEAM_SERVICE_SETTING_${index}`,
    value: `https://service-${index}.team.svc.cluster.local:8443/api/v1`
  }))
const container = (count: number) => ({
  name: 'app',
  image: '111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/app:v1.2.3',
  resources: { requests: { cpu: '100m', memory: '128Mi' } },
  env: variables(count)
})

/** Adds it to a sandbox whose controllers are stopped: a Deployment is about 8.6 KB, a pod 4 KB. */
export async function fill(sandbox: Sandbox, filling: Filling, nodes: number): Promise<void> {
  await manyAtOnce(filling.subnets, async (index) => {
    // What the sandbox's own subnets leave free.
    const at = 192 * 256 + index * 16
    await sandbox.moto.ec2('CreateSubnet', {
      VpcId: sandbox.vpc.id,
      CidrBlock: `10.0.${at >> 8}.${at & 255}/28`,
      AvailabilityZone: `${sandbox.region}${['a', 'b', 'c'][index % 3] ?? 'a'}`
    })
  })
  await manyAtOnce(filling.foreignNodePools, async (index) =>
    post(sandbox, '/apis/karpenter.sh/v1/nodepools', foreignNodePool(index))
  )
  await manyAtOnce(filling.deployments, async (index) => {
    const labels = { app: `app-${index}` }
    await post(sandbox, '/apis/apps/v1/namespaces/default/deployments', {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: `app-${index}`, labels },
      spec: {
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [container(70)] } }
      }
    })
  })
  await manyAtOnce(filling.pods, async (index) =>
    post(sandbox, '/api/v1/namespaces/default/pods', {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: `app-${index}`, labels: { app: `app-${index % 2000}` } },
      spec: { nodeName: nodeName(index % nodes), containers: [container(25)] }
    })
  )
}

/** Has these EC2NodeClasses say that they found so many subnets, as they do in a large VPC: 70 bytes each. */
export async function findSubnets(sandbox: Sandbox, names: readonly string[], count: number): Promise<void> {
  await manyAtOnce(names.length, async (index) => {
    const path = `/apis/karpenter.k8s.aws/v1/ec2nodeclasses/${names[index] ?? ''}`
    const answer = await sandbox.kubernetes('GET', path)
    const found = list(record(record(answer.body)['status'])['subnets'])
    const more = Array.from({ length: count - found.length }, (_, at) => ({
      id: `subnet-${(at + 1).toString(16).padStart(17, '0')}`,
      zone: `${sandbox.region}a`,
      zoneID: 'euw1-az1'
    }))
    await patch(sandbox, `${path}/status`, { subnets: [...found, ...more] })
  })
}

function foreignNodePool(index: number) {
  return {
    apiVersion: 'karpenter.sh/v1',
    kind: 'NodePool',
    metadata: { name: `foreign-${index}` },
    spec: {
      template: {
        spec: {
          nodeClassRef: { group: 'eks.amazonaws.com', kind: 'NodeClass', name: 'default' },
          requirements: [{ key: 'kubernetes.io/arch', operator: 'In', values: ['amd64'] }]
        }
      }
    }
  }
}
