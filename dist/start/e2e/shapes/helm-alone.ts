import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { CreateTagsCommand, EC2Client } from '@aws-sdk/client-ec2'
import {
  AddRoleToInstanceProfileCommand,
  AttachRolePolicyCommand,
  CreateInstanceProfileCommand,
  CreateOpenIDConnectProviderCommand,
  CreateRoleCommand,
  CreateServiceLinkedRoleCommand,
  IAMClient,
  PutRolePolicyCommand
} from '@aws-sdk/client-iam'
import { dump, load } from 'js-yaml'
import { images } from '../../sandbox/cloud/moto/images.js'
import { builtRelease, type Sandbox } from '../../sandbox/index.js'
import { list, text } from '../../sandbox/values.js'
import { at, auditor, get, paths } from '../scenario.js'
import { guidesInlinePolicy } from './guides-inline-policy.js'
import { helmInstall } from './helm-install.js'
import { kubectlApply, kubectlCreate } from './kubectl.js'
import { installedVersion, kubernetesVersion, type Made, type Shape } from './shape.js'

const namespace = 'kube-system'
const release = 'karpenter'

/**
 * The guide "Migrating from Cluster Autoscaler" of 1.2: everything by hand, with the AWS CLI, kubectl and helm, on a
 * cluster that has node groups and aws-auth. Nothing carries a mark of who made it, and there is no queue: the guide makes
 * none, and with its name in the settings the controller would not start.
 */
export const helmAlone: Shape = {
  name: 'helm alone, by the guide for those who come from Cluster Autoscaler',
  spec: {
    name: 'migrated',
    region: 'eu-west-1',
    kubernetesVersion,
    authenticationMode: 'CONFIG_MAP'
  },
  async make(sandbox) {
    const made: Made = {
      namespace,
      release,
      controllerRole: `KarpenterControllerRole-${sandbox.name}`,
      nodeRole: `KarpenterNodeRole-${sandbox.name}`,
      identity: 'irsa',
      nodeAccess: 'aws-auth',
      stacks: [],
      queue: undefined,
      nodePools: ['default'],
      nodeClasses: ['default']
    }
    const admin = auditor(sandbox)
    const iam = new IAMClient(admin)
    const ec2 = new EC2Client(admin)
    try {
      await makeNodeRole(iam, sandbox, made.nodeRole)
      await makeControllerRole(iam, sandbox, made)
      await iam.send(new CreateServiceLinkedRoleCommand({ AWSServiceName: 'spot.amazonaws.com' }))
      await ec2.send(
        new CreateTagsCommand({
          Resources: [...nodeGroupSubnets(sandbox), sandbox.vpc.clusterSecurityGroupId],
          Tags: [{ Key: 'karpenter.sh/discovery', Value: sandbox.name }]
        })
      )
    } finally {
      iam.destroy()
      ec2.destroy()
    }
    await editAwsAuth(sandbox, made.nodeRole)
    for (const crd of await crds(sandbox)) await kubectlCreate(sandbox, crd)
    await helmInstall(sandbox, {
      release,
      namespace,
      verb: 'upgrade --install',
      flags: ['--create-namespace', '--wait'],
      values: valuesFor(sandbox, made.controllerRole)
    })
    await kubectlApply(sandbox, nodePoolAndClass(sandbox, made.nodeRole))
    return made
  }
}

async function makeNodeRole(iam: IAMClient, sandbox: Sandbox, RoleName: string): Promise<void> {
  const Statement = [
    { Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' }
  ]
  await iam.send(
    new CreateRoleCommand({
      RoleName,
      AssumeRolePolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement })
    })
  )
  for (const policy of [
    'AmazonEKSWorkerNodePolicy',
    'AmazonEKS_CNI_Policy',
    'AmazonEC2ContainerRegistryReadOnly',
    'AmazonSSMManagedInstanceCore'
  ]) {
    await iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn: `arn:aws:iam::aws:policy/${policy}` }))
  }
  // The guide's own up to 0.32; who began with it has it still, beside those that the controller makes.
  const InstanceProfileName = `KarpenterNodeInstanceProfile-${sandbox.name}`
  await iam.send(new CreateInstanceProfileCommand({ InstanceProfileName }))
  await iam.send(new AddRoleToInstanceProfileCommand({ InstanceProfileName, RoleName }))
}

async function makeControllerRole(iam: IAMClient, sandbox: Sandbox, made: Made): Promise<void> {
  const { issuer } = sandbox.cloud.eks.cluster(sandbox.name)
  const provider = issuer.replace('https://', '')
  await iam.send(new CreateOpenIDConnectProviderCommand({ Url: issuer, ClientIDList: ['sts.amazonaws.com'] }))
  const trust = {
    Effect: 'Allow',
    Principal: { Federated: `arn:aws:iam::${sandbox.accountId}:oidc-provider/${provider}` },
    Action: 'sts:AssumeRoleWithWebIdentity',
    Condition: {
      StringEquals: {
        [`${provider}:aud`]: 'sts.amazonaws.com',
        [`${provider}:sub`]: `system:serviceaccount:${namespace}:karpenter`
      }
    }
  }
  await iam.send(
    new CreateRoleCommand({
      RoleName: made.controllerRole,
      AssumeRolePolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [trust] })
    })
  )
  await iam.send(
    new PutRolePolicyCommand({
      RoleName: made.controllerRole,
      PolicyName: `KarpenterControllerPolicy-${sandbox.name}`,
      PolicyDocument: JSON.stringify(
        guidesInlinePolicy({
          region: sandbox.region,
          accountId: sandbox.accountId,
          clusterName: sandbox.name,
          nodeRole: made.nodeRole
        })
      )
    })
  )
}

function nodeGroupSubnets({ cloud, name }: Sandbox): readonly string[] {
  return [...new Set((cloud.eks.cluster(name).nodegroups ?? []).flatMap(({ subnets }) => subnets))]
}

/** `kubectl edit configmap aws-auth -n kube-system`. */
async function editAwsAuth(sandbox: Sandbox, nodeRole: string): Promise<void> {
  const mapRoles = text(at(await get(sandbox, paths.awsAuth), 'data', 'mapRoles'))
  const lines = [
    ...list(load(mapRoles ?? '[]')),
    {
      groups: ['system:bootstrappers', 'system:nodes'],
      rolearn: `arn:aws:iam::${sandbox.accountId}:role/${nodeRole}`,
      username: 'system:node:{{EC2PrivateDNSName}}'
    }
  ]
  const path = `${paths.awsAuth}?fieldManager=kubectl-edit`
  const { status } = await sandbox.kubernetes('PATCH', path, { data: { mapRoles: dump(lines) } })
  if (status !== 200) throw new Error(`aws-auth: the API server answered ${status}`)
}

/** The three that the guide creates, as the release has them. */
async function crds({ built }: Sandbox): Promise<readonly string[]> {
  const { crdsDir } = builtRelease(built, installedVersion)
  const files = (await readdir(crdsDir)).filter((file) =>
    /_(nodepools|nodeclaims|ec2nodeclasses)\.yaml$/.test(file)
  )
  return Promise.all(files.map(async (file) => readFile(join(crdsDir, file), 'utf8')))
}

/** What the guide sets on helm's command line, and the affinity that it has people add: beside the group that is there. */
function valuesFor(sandbox: Sandbox, controllerRole: string): Readonly<Record<string, unknown>> {
  const [group] = sandbox.cloud.eks.cluster(sandbox.name).nodegroups ?? []
  const matchExpressions = [
    { key: 'karpenter.sh/nodepool', operator: 'DoesNotExist' },
    { key: 'eks.amazonaws.com/nodegroup', operator: 'In', values: [group?.name ?? ''] }
  ]
  const size = { cpu: '1', memory: '1Gi' }
  return {
    settings: { clusterName: sandbox.name },
    serviceAccount: {
      annotations: {
        'eks.amazonaws.com/role-arn': `arn:aws:iam::${sandbox.accountId}:role/${controllerRole}`
      }
    },
    controller: { resources: { requests: size, limits: size } },
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions }] }
      }
    }
  }
}

/** The guide's NodePool and EC2NodeClass: Amazon Linux 2 by the ids that SSM gave that day. */
function nodePoolAndClass(sandbox: Sandbox, nodeRole: string): string {
  const ids = images
    .filter(({ name }) => new RegExp(`^amazon-eks(-arm64)?-node-${kubernetesVersion}-v20250116$`).test(name))
    .map(({ id }) => id)
  return `
apiVersion: karpenter.sh/v1
kind: NodePool
metadata:
  name: default
spec:
  template:
    spec:
      requirements:
        - key: kubernetes.io/arch
          operator: In
          values: ["amd64"]
        - key: kubernetes.io/os
          operator: In
          values: ["linux"]
        - key: karpenter.sh/capacity-type
          operator: In
          values: ["spot"]
        - key: karpenter.k8s.aws/instance-category
          operator: In
          values: ["c", "m", "r"]
        - key: karpenter.k8s.aws/instance-generation
          operator: Gt
          values: ["2"]
      nodeClassRef:
        group: karpenter.k8s.aws
        kind: EC2NodeClass
        name: default
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
  amiFamily: AL2
  role: ${nodeRole}
  amiSelectorTerms:
${ids.map((id) => `    - id: ${id}`).join('\n')}
  subnetSelectorTerms:
    - tags:
        karpenter.sh/discovery: ${sandbox.name}
  securityGroupSelectorTerms:
    - tags:
        karpenter.sh/discovery: ${sandbox.name}
`
}
