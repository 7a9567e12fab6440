// Clients that the facts load when they are first asked are loaded with the file: no test's own time goes by it.
import { networkReads } from '../../src/preflight/reads/network-reads.js'
import '../../src/aws/sdk/ec2.js'
import '../../src/aws/sdk/eks.js'
import '../../src/aws/sdk/iam.js'
import '../../src/aws/sdk/sqs.js'
import '../../src/aws/sdk/ssm.js'
import type { Inspection } from '../../src/engine/resource.js'
import { guideValues } from '../../src/helm/values.js'
import { defaultNodePools } from '../../src/karpenter/default-node-pools.js'
import { renderTemplate } from '../../src/karpenter/rendered-stack.js'
import { builtInTemplateText } from '../../src/karpenter/template-built-in.js'
import { tableFacts } from '../../src/karpenter/version-facts.js'
import type { Checked } from '../../src/preflight/facts.js'
import { inputsOf } from '../given-inputs.js'
import { node } from './nodes.js'

type Found = Checked['found']

export interface Given {
  readonly inputs?: Readonly<Record<string, string>>
  readonly cluster?: Partial<Found['cluster']>
  readonly found?: Partial<Found>
  readonly decisions?: Partial<Checked['decisions']>
  readonly inspections?: readonly Inspection[]
}

/** An installation of 1.14.1 that cluster blue has nothing of yet, and nothing in its way. */
export function checkedOf(clients: Pick<Found, 'aws' | 'kubernetes'>, given: Given = {}): Checked {
  const inputs = inputsOf({ 'cluster-name': 'blue', ...given.inputs })
  const stack = renderTemplate(builtInTemplateText('1.14.1'), {
    clusterName: 'blue',
    stackName: inputs.stackName,
    account: clients.aws.account
  })
  const subnet = (id: string, availabilityZone: string): Found['subnets'][number] => ({
    id,
    vpcId: 'vpc-1',
    availabilityZone,
    availableAddresses: 100,
    publicAddresses: false,
    tags: {}
  })
  return {
    inputs,
    ownership: { owner: 'setup-karpenter', run: 'local' },
    found: {
      ...clients,
      cluster: {
        name: 'blue',
        arn: 'arn:aws:eks:eu-west-1:111122223333:cluster/blue',
        kubernetesVersion: '1.34',
        status: 'ACTIVE',
        endpoint: 'https://blue',
        endpointAccess: { publicly: true, privately: true, cidrs: ['0.0.0.0/0'] },
        certificateAuthority: '',
        authenticationMode: 'API',
        oidcIssuer: 'https://oidc.eks.eu-west-1.amazonaws.com/id/1',
        vpcId: 'vpc-1',
        subnetIds: ['subnet-1', 'subnet-2'],
        clusterSecurityGroupId: 'sg-1',
        autoMode: false,
        tags: {},
        ...given.cluster
      },
      subnets: [subnet('subnet-1', 'a'), subnet('subnet-2', 'b')],
      securityGroups: [
        { id: 'sg-1', name: 'cluster', vpcId: 'vpc-1', tags: { 'kubernetes.io/cluster/blue': 'owned' } }
      ],
      controllers: [],
      autoscalers: [],
      denied: [],
      nodes: async () => [node('ip-1'), node('ip-2', { zone: 'b' })],
      othersNodes: async () => ({ nodes: [node('ip-1'), node('ip-2', { zone: 'b' })], ofAll: 2 }),
      podIdentityAgentPods: undefined,
      network: networkReads(clients.aws, { name: 'blue', vpcId: 'vpc-1' }),
      identityOf: async () => undefined,
      record: undefined,
      ...given.found
    },
    decisions: {
      version: '1.14.1',
      installed: undefined,
      identity: 'irsa',
      nodeAccess: 'access-entry',
      permissionsBoundary: undefined,
      facts: tableFacts('1.14.1'),
      ownPolicies: undefined,
      templateOrigin: 'built-in',
      stack,
      queueName: 'blue',
      chart: {
        path: 'chart.tgz',
        name: 'karpenter',
        version: '1.14.1',
        appVersion: '1.14.1',
        digest: undefined,
        values: {},
        crds: []
      },
      helm: async () => Promise.reject(new Error('helm is not played')),
      values: guideValues({ clusterName: 'blue', interruptionQueue: 'blue', controllerRoleArn: undefined }),
      ...defaultNodePools({ clusterName: 'blue', nodeRoleName: inputs.nodeRoleName }),
      ...given.decisions
    },
    inspections: Promise.resolve(new Map((given.inspections ?? []).map((one) => [one.resource.id, one])))
  }
}
