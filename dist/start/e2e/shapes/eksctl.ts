import { account, AnotherHand } from '../another-hand.js'
import { createOidcProvider, mapNodeRole, stackTags, tag, tagForDiscovery } from './eksctl-cluster.js'
import { karpenterTemplate, roleTemplate, serviceAccountTrust } from './eksctl-templates.js'
import { giveToManager } from './field-manager.js'
import { helmInstall } from './helm-install.js'
import { kubectlApply } from './kubectl.js'
import { ready } from './ready.js'
import { installedVersion, kubernetesVersion, type Shape } from './shape.js'
import { createStack } from './stack.js'

const cluster = 'cluster-with-karpenter'
const namespace = 'karpenter'
const release = 'karpenter'
const nodeRole = `eksctl-KarpenterNodeRole-${cluster}`
const controllerRole = `eksctl-${cluster}-iamservice-role`
const instanceProfile = `eksctl-KarpenterNodeInstanceProfile-${cluster}`
const stacks = {
  karpenter: `eksctl-${cluster}-karpenter`,
  serviceAccount: `eksctl-${cluster}-addon-iamserviceaccount-${namespace}-${release}`
}

/** From eksctl's page on Karpenter. */
const manifests = `
apiVersion: karpenter.sh/v1
kind: NodePool
metadata:
  name: example
  annotations:
    kubernetes.io/description: "Example NodePool"
spec:
  template:
    spec:
      requirements:
        - {key: kubernetes.io/arch, operator: In, values: [amd64]}
        - {key: kubernetes.io/os, operator: In, values: [linux]}
        - {key: karpenter.sh/capacity-type, operator: In, values: [on-demand]}
        - {key: karpenter.k8s.aws/instance-category, operator: In, values: [c, m, r]}
        - {key: karpenter.k8s.aws/instance-generation, operator: Gt, values: ["2"]}
      nodeClassRef: {group: karpenter.k8s.aws, kind: EC2NodeClass, name: example}
---
apiVersion: karpenter.k8s.aws/v1
kind: EC2NodeClass
metadata:
  name: example
  annotations:
    kubernetes.io/description: "Example EC2NodeClass"
spec:
  role: ${nodeRole}
  subnetSelectorTerms: [{tags: {karpenter.sh/discovery: ${cluster}}}]
  securityGroupSelectorTerms: [{tags: {karpenter.sh/discovery: ${cluster}}}]
  amiSelectorTerms: [{alias: al2023@latest}]
`

/**
 * `eksctl create cluster` with `karpenter: {version, createServiceAccount: true, withSpotInterruptionQueue: true}` as in
 * eksctl's example 29 (pkg/actions/karpenter, pkg/karpenter, 0.231). Its value settings.interruptionQueueName is none of
 * the chart's since 0.33: the queue is made, and the controller does not listen to it.
 */
export const eksctl: Shape = {
  name: "eksctl's karpenter section",
  spec: { name: cluster, region: 'us-west-2', kubernetesVersion, authenticationMode: 'API_AND_CONFIG_MAP' },
  async make(sandbox) {
    const hand = new AnotherHand(sandbox)
    try {
      await tagForDiscovery(hand)
      const provider = await createOidcProvider(hand)
      await createStack(hand.cloudFormation, {
        name: stacks.karpenter,
        template: karpenterTemplate(cluster),
        tags: stackTags(cluster, {
          'alpha.eksctl.io/karpenter-name': stacks.karpenter,
          'alpha.eksctl.io/karpenter-version': installedVersion
        }),
        terminationProtection: true
      })
      const subnets = sandbox.vpc.subnets.map(({ id }) => id)
      await tag(hand, subnets, `kubernetes.io/cluster/${cluster}`, '')
      await createStack(hand.cloudFormation, {
        name: stacks.serviceAccount,
        template: roleTemplate({
          description: `IAM role for serviceaccount "${namespace}/${release}"`,
          name: controllerRole,
          trust: serviceAccountTrust(provider, namespace, release),
          policyArns: [`arn:aws:iam::${account}:policy/eksctl-KarpenterControllerPolicy-${cluster}`]
        }),
        tags: stackTags(cluster, { 'alpha.eksctl.io/iamserviceaccount-name': `${namespace}/${release}` }),
        terminationProtection: true
      })
      await mapNodeRole(hand, `arn:aws:iam::${account}:role/${nodeRole}`)
      const { endpoint } = sandbox.cloud.eks.cluster(cluster)
      const of = { clusterName: cluster, clusterEndpoint: endpoint }
      await helmInstall(sandbox, {
        release,
        namespace,
        values: {
          ...of,
          aws: { defaultInstanceProfile: instanceProfile },
          settings: { ...of, defaultInstanceProfile: instanceProfile, interruptionQueueName: cluster },
          serviceAccount: {
            create: true,
            name: release,
            annotations: { 'eks.amazonaws.com/role-arn': `arn:aws:iam::${account}:role/${controllerRole}` }
          }
        }
      })
      await giveToManager(sandbox, { name: release, namespace }, 'eksctl')
      await kubectlApply(sandbox, manifests)
      return await ready(sandbox, {
        namespace,
        release,
        controllerRole,
        nodeRole,
        identity: 'irsa',
        nodeAccess: 'aws-auth',
        stacks: [stacks.karpenter, stacks.serviceAccount],
        queue: cluster,
        queueUnheard: true,
        nodePools: ['example'],
        nodeClasses: ['example']
      })
    } finally {
      hand.close()
    }
  }
}
