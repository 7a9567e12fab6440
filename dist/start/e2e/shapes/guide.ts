import { CreatePodIdentityAssociationCommand } from '@aws-sdk/client-eks'
import { CreateServiceLinkedRoleCommand, InvalidInputException } from '@aws-sdk/client-iam'
import type { KubernetesVersion } from '../../sandbox/control-plane/index.js'
import type { Sandbox } from '../../sandbox/index.js'
import { account, AnotherHand } from '../another-hand.js'
import {
  addPodIdentityAgent,
  createOidcProvider,
  mapNodeRole,
  stackTags,
  tagForDiscovery
} from './eksctl-cluster.js'
import { podIdentityTrust, roleTemplate } from './eksctl-templates.js'
import { helmInstall } from './helm-install.js'
import { kubectlApply } from './kubectl.js'
import { ready } from './ready.js'
import { installedVersion, kubernetesVersion, type Shape } from './shape.js'
import { createStack } from './stack.js'

const cluster = 'karpenter-demo'
const namespace = 'kube-system'
const nodeRole = `KarpenterNodeRole-${cluster}`
const controllerRole = `${cluster}-karpenter`
const stacks = {
  karpenter: `Karpenter-${cluster}`,
  role: `eksctl-${cluster}-podidentityrole-${namespace}-karpenter`
}

export const guideImage = 'al2023@v20250519'

/** Step 12 of the guide, with the image alias of its later versions: 1.2.1's own names two AL2 images by id. */
const manifests = `
apiVersion: karpenter.sh/v1
kind: NodePool
metadata:
  name: default
spec:
  template:
    spec:
      requirements:
        - {key: kubernetes.io/arch, operator: In, values: [amd64]}
        - {key: kubernetes.io/os, operator: In, values: [linux]}
        - {key: karpenter.sh/capacity-type, operator: In, values: [on-demand]}
        - {key: karpenter.k8s.aws/instance-category, operator: In, values: [c, m, r]}
        - {key: karpenter.k8s.aws/instance-generation, operator: Gt, values: ["2"]}
      nodeClassRef: {group: karpenter.k8s.aws, kind: EC2NodeClass, name: default}
      expireAfter: 720h
  limits:
    cpu: 1000
  disruption:
    consolidationPolicy: WhenEmptyOrUnderutilized
    consolidateAfter: 1m
---
apiVersion: karpenter.k8s.aws/v1
kind: EC2NodeClass
metadata:
  name: default
spec:
  role: ${nodeRole}
  amiSelectorTerms: [{alias: ${guideImage}}]
  subnetSelectorTerms: [{tags: {karpenter.sh/discovery: ${cluster}}}]
  securityGroupSelectorTerms: [{tags: {karpenter.sh/discovery: ${cluster}}}]
`

/**
 * "Getting started with Karpenter" by hand: the published stack, the role for Pod Identity and the identity mapping by
 * eksctl's ClusterConfig, helm, kubectl (website/content/en/preview/getting-started, scripts step02 to step12 at 1.2.1).
 */
export const guide: Shape = guideOf(installedVersion, kubernetesVersion)

/** The same of another release. */
export function guideOf(version: string, kubernetes: KubernetesVersion): Shape {
  return {
    name: 'the getting-started guide by hand',
    spec: {
      name: cluster,
      region: 'us-west-2',
      kubernetesVersion: kubernetes,
      authenticationMode: 'API_AND_CONFIG_MAP'
    },
    async make(sandbox) {
      const hand = new AnotherHand(sandbox)
      try {
        await createStack(hand.cloudFormation, {
          name: stacks.karpenter,
          template: await publishedTemplate(sandbox, version),
          parameters: { ClusterName: cluster }
        })
        await tagForDiscovery(hand)
        await createOidcProvider(hand)
        await addPodIdentityAgent(hand)
        await createStack(hand.cloudFormation, {
          name: stacks.role,
          template: roleTemplate({
            description: `IAM role for pod identity association for service account "${namespace}/karpenter"`,
            name: controllerRole,
            trust: podIdentityTrust,
            policyArns: controllerPolicies(sandbox)
          }),
          tags: stackTags(cluster, {
            'alpha.eksctl.io/podidentityassociation-name': `${namespace}/karpenter`
          }),
          terminationProtection: true
        })
        await hand.eks.send(
          new CreatePodIdentityAssociationCommand({
            clusterName: cluster,
            namespace,
            serviceAccount: 'karpenter',
            roleArn: `arn:aws:iam::${account}:role/${controllerRole}`,
            tags: { 'alpha.eksctl.io/podidentityassociation-name': `${namespace}/karpenter` }
          })
        )
        await mapNodeRole(hand, `arn:aws:iam::${account}:role/${nodeRole}`)
        await createSpotRole(hand)
        const resources = { cpu: 1, memory: '1Gi' }
        await helmInstall(sandbox, {
          verb: 'upgrade --install',
          release: 'karpenter',
          namespace,
          version,
          values: {
            settings: { clusterName: cluster, interruptionQueue: cluster },
            controller: { resources: { requests: resources, limits: resources } }
          }
        })
        await kubectlApply(sandbox, manifests)
        return await ready(sandbox, {
          namespace,
          release: 'karpenter',
          controllerRole,
          nodeRole,
          identity: 'pod-identity',
          nodeAccess: 'aws-auth',
          stacks: [stacks.karpenter, stacks.role],
          queue: cluster,
          nodePools: ['default'],
          nodeClasses: ['default']
        })
      } finally {
        hand.close()
      }
    }
  }
}

/** As the guide fetches it, of the version that it installs. */
async function publishedTemplate(sandbox: Sandbox, version: string): Promise<string> {
  const folder = 'website/content/en/preview/getting-started/getting-started-with-karpenter'
  const path = `aws/karpenter-provider-aws/v${version}/${folder}/cloudformation.yaml`
  const answer = await fetch(`${sandbox.published.url}/${path}`)
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`)
  return answer.text()
}

/** The one of releases up to 1.8, or the six that there are since. */
function controllerPolicies(sandbox: Sandbox): readonly string[] {
  const names = sandbox.cloud.iam.policies.values().map(({ name }) => name)
  return names
    .filter((name) => name.startsWith('KarpenterController'))
    .map((name) => `arn:aws:iam::${account}:policy/${name}`)
}

/** As the guide does, which goes on where an account has had spot instances before. */
async function createSpotRole({ iam }: AnotherHand): Promise<void> {
  try {
    await iam.send(new CreateServiceLinkedRoleCommand({ AWSServiceName: 'spot.amazonaws.com' }))
  } catch (error) {
    if (!(error instanceof InvalidInputException)) throw error
  }
}
