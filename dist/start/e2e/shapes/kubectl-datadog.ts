import { CloudFormationClient } from '@aws-sdk/client-cloudformation'
import { CreateOpenIDConnectProviderCommand, IAMClient } from '@aws-sdk/client-iam'
import { builtInTemplateText } from '../../src/karpenter/template-built-in.js'
import { newest, type Sandbox } from '../../sandbox/index.js'
import { text } from '../../sandbox/values.js'
import { at, auditor } from '../scenario.js'
import { inferred } from './datadog-node-pools.js'
import { recordCluster } from './datadog-cluster-info.js'
import { existingNodesStack, fargateStack } from './datadog-stack.js'
import { giveToManager } from './field-manager.js'
import { helmInstall } from './helm-install.js'
import { create } from './kubectl.js'
import { kubernetesVersion, type Made, type Shape } from './shape.js'
import { createStack } from './stack.js'

const namespace = 'dd-karpenter'
const release = 'karpenter'
/** Of the plugin, which it writes into tags and labels. */
const pluginVersion = 'v1.27.0'
/** What the plugin calls itself where it writes to Kubernetes. */
const manager = 'kubectl-datadog'

const metricsCheck = JSON.stringify(
  {
    karpenter: { init_config: {}, instances: [{ openmetrics_endpoint: 'http://%%host%%:8080/metrics' }] }
  },
  null,
  2
)

/** Where the plugin puts the controller, by its flag --install-mode. */
interface InstallMode {
  readonly name: 'fargate' | 'existing-nodes'
  readonly identity: Made['identity']
  /** Template and own parameters of the second stack. */
  controllerStack(
    sandbox: Sandbox,
    administrator: ReturnType<typeof auditor>
  ): Promise<{
    readonly template: Readonly<Record<string, unknown>>
    readonly parameters: Readonly<Record<string, string>>
  }>
  /** Its own chart values. */
  values(controllerRoleArn: string): Readonly<Record<string, unknown>>
}

const existingNodes: InstallMode = {
  name: 'existing-nodes',
  identity: 'pod-identity',
  controllerStack: async () => ({
    template: existingNodesStack(),
    parameters: { DeployPodIdentityAddon: 'true' }
  }),
  values: () => ({ podAnnotations: { 'ad.datadoghq.com/controller.checks': metricsCheck } })
}

const fargate: InstallMode = {
  name: 'fargate',
  identity: 'irsa',
  controllerStack: async (sandbox, administrator) => ({
    template: fargateStack(),
    parameters: {
      OIDCProviderArn: await oidcProvider(sandbox, administrator),
      OIDCProviderURL: issuerOf(sandbox).replace('https://', ''),
      FargateSubnets: sandbox.vpc.subnets
        .filter((subnet) => !subnet.public)
        .map(({ id }) => id)
        .toSorted()
        .join(',')
    }
  }),
  values: (controllerRoleArn) => ({
    service: {
      annotations: {
        'ad.datadoghq.com/endpoints.checks': metricsCheck,
        'ad.datadoghq.com/endpoints.resolve': 'ip'
      }
    },
    serviceAccount: { annotations: { 'eks.amazonaws.com/role-arn': controllerRoleArn } }
  })
}

/**
 * `kubectl datadog autoscaling cluster install --karpenter-version 1.2.1`: the controller runs on Fargate, in a profile of
 * its own, and has its role by IRSA.
 */
export const kubectlDatadog = shapeFor('kubectl datadog autoscaling cluster install', fargate)

/** The same with `--install-mode existing-nodes`: on nodes that are there, by Pod Identity. */
export const kubectlDatadogOnNodes = shapeFor(
  'kubectl datadog autoscaling cluster install --install-mode existing-nodes',
  existingNodes
)

/**
 * One of the plugin's modes (datadog-operator, cmd/kubectl-datadog/autoscaling/cluster). Whichever version is asked for, the
 * policies are those of the template that the plugin brings along.
 */
function shapeFor(name: string, mode: InstallMode): Shape {
  return {
    name,
    spec: {
      name: 'observed',
      region: 'eu-west-1',
      kubernetesVersion,
      authenticationMode: 'API_AND_CONFIG_MAP'
    },
    make: async (sandbox) => make(sandbox, mode)
  }
}

async function make(sandbox: Sandbox, mode: InstallMode): Promise<Made> {
  const { name } = sandbox
  const stacks = [`dd-karpenter-${name}-karpenter`, `dd-karpenter-${name}-dd-karpenter`] as const
  const tags = { 'managed-by': 'kubectl-datadog', version: pluginVersion }
  const administrator = auditor(sandbox)
  const client = new CloudFormationClient(administrator)
  try {
    await createStack(client, {
      name: stacks[0],
      template: builtInTemplateText(newest),
      parameters: { ClusterName: name },
      tags
    })
    const { template, parameters } = await mode.controllerStack(sandbox, administrator)
    await createStack(client, {
      name: stacks[1],
      template: JSON.stringify(template),
      parameters: {
        ClusterName: name,
        KarpenterNamespace: namespace,
        DeployNodeAccessEntry: 'true',
        ...parameters
      },
      tags: { ...tags, 'install-mode': mode.name }
    })
  } finally {
    client.destroy()
  }
  const controllerRole = `${name}-karpenter`
  await helmInstall(sandbox, {
    release,
    namespace,
    flags: ['--create-namespace', '--wait', '--wait-for-jobs'],
    values: valuesFor(name, mode.values(sandbox.cloud.iam.role(controllerRole).arn))
  })
  await giveToManager(sandbox, { name: release, namespace }, manager)
  const { nodePools, nodeClasses } = await makeNodePools(sandbox)
  await recordCluster(sandbox, { namespace, release, manager, pluginVersion })
  return {
    namespace,
    release,
    controllerRole,
    nodeRole: `KarpenterNodeRole-${name}`,
    identity: mode.identity,
    ...(mode === fargate && { onFargate: true }),
    nodeAccess: 'access-entry',
    stacks,
    policyStack: stacks[0],
    queue: name,
    nodePools,
    nodeClasses,
    objectsBy: manager
  }
}

/** Made by the plugin itself, without tags and outside its stacks: others may use it. */
async function oidcProvider(sandbox: Sandbox, administrator: ReturnType<typeof auditor>): Promise<string> {
  const client = new IAMClient(administrator)
  try {
    const { OpenIDConnectProviderArn = '' } = await client.send(
      new CreateOpenIDConnectProviderCommand({ Url: issuerOf(sandbox), ClientIDList: ['sts.amazonaws.com'] })
    )
    return OpenIDConnectProviderArn
  } finally {
    client.destroy()
  }
}

function issuerOf(sandbox: Sandbox): string {
  return sandbox.cloud.eks.cluster(sandbox.name).issuer
}

function valuesFor(
  clusterName: string,
  ofMode: Readonly<Record<string, unknown>>
): Readonly<Record<string, unknown>> {
  const size = { cpu: '1', memory: '2Gi' }
  return {
    additionalLabels: {
      'autoscaling.datadoghq.com/installed-by': 'kubectl-datadog',
      'autoscaling.datadoghq.com/installer-version': pluginVersion
    },
    settings: { clusterName, interruptionQueue: clusterName },
    controller: { resources: { requests: size, limits: size } },
    ...ofMode
  }
}

/** One EC2NodeClass and one NodePool for what the node groups have in common. */
async function makeNodePools(sandbox: Sandbox): Promise<Pick<Made, 'nodePools' | 'nodeClasses'>> {
  const { nodegroups = [] } = sandbox.cloud.eks.cluster(sandbox.name)
  const subnets = [...new Set(nodegroups.flatMap((group) => group.subnets))].toSorted()
  const zones = sandbox.vpc.subnets.filter(({ id }) => subnets.includes(id)).map(({ zone }) => zone)
  const types = nodegroups.flatMap(({ instanceTypes = [] }) => instanceTypes)
  const { nodeClass, nodePool } = inferred({
    clusterName: sandbox.name,
    subnets,
    securityGroups: [sandbox.vpc.clusterSecurityGroupId],
    zones: [...new Set(zones)].toSorted(),
    families: [...new Set(types.map((type) => type.split('.')[0] ?? ''))].toSorted(),
    pluginVersion
  })
  await create(sandbox, nodeClass, manager)
  await create(sandbox, nodePool, manager)
  const nameOf = (object: unknown): string => text(at(object, 'metadata', 'name')) ?? ''
  return { nodePools: [nameOf(nodePool)], nodeClasses: [nameOf(nodeClass)] }
}
