import { CloudFormationClient } from '@aws-sdk/client-cloudformation'
import { dump } from 'js-yaml'
import { builtInTemplateText } from '../../src/karpenter/template-built-in.js'
import type { Sandbox } from '../../sandbox/index.js'
import { text } from '../../sandbox/values.js'
import { at, auditor, listed, paths } from '../scenario.js'
import { inferred } from './datadog-node-pools.js'
import { controllerStack } from './datadog-stack.js'
import { giveToManager } from './field-manager.js'
import { helmInstall } from './helm-install.js'
import { create } from './kubectl.js'
import { installedVersion, kubernetesVersion, type Made, type Shape } from './shape.js'
import { createStack } from './stack.js'

const namespace = 'dd-karpenter'
const release = 'karpenter'
/** Of the plugin, which it writes into tags and labels. */
const pluginVersion = 'v1.27.0'
/** What the plugin calls itself where it writes to Kubernetes. */
const manager = 'kubectl-datadog'

/**
 * `kubectl datadog autoscaling cluster install --install-mode existing-nodes --karpenter-version 1.2.1`
 * (datadog-operator, cmd/kubectl-datadog/autoscaling/cluster). Whichever version is asked for, the policies are those of
 * the template that the plugin brings along. Without the flag it puts the controller on Fargate, which is not played here.
 */
export const kubectlDatadog: Shape = {
  name: 'kubectl datadog autoscaling cluster install',
  spec: {
    name: 'observed',
    region: 'eu-west-1',
    kubernetesVersion,
    authenticationMode: 'API_AND_CONFIG_MAP'
  },
  async make(sandbox) {
    const { name } = sandbox
    const stacks = [`dd-karpenter-${name}-karpenter`, `dd-karpenter-${name}-dd-karpenter`] as const
    const tags = { 'managed-by': 'kubectl-datadog', version: pluginVersion }
    const client = new CloudFormationClient(auditor(sandbox))
    try {
      await createStack(client, {
        name: stacks[0],
        template: builtInTemplateText('1.14.0'),
        parameters: { ClusterName: name },
        tags
      })
      await createStack(client, {
        name: stacks[1],
        template: JSON.stringify(controllerStack()),
        parameters: {
          ClusterName: name,
          KarpenterNamespace: namespace,
          DeployPodIdentityAddon: 'true',
          DeployNodeAccessEntry: 'true'
        },
        tags: { ...tags, 'install-mode': 'existing-nodes' }
      })
    } finally {
      client.destroy()
    }
    await helmInstall(sandbox, {
      release,
      namespace,
      flags: ['--create-namespace', '--wait', '--wait-for-jobs'],
      values: valuesFor(name)
    })
    await giveToManager(sandbox, { name: release, namespace }, manager)
    const { nodePools, nodeClasses } = await makeNodePools(sandbox)
    await recordCluster(sandbox)
    return {
      namespace,
      release,
      controllerRole: `${name}-karpenter`,
      nodeRole: `KarpenterNodeRole-${name}`,
      identity: 'pod-identity',
      nodeAccess: 'access-entry',
      stacks,
      policyStack: stacks[0],
      queue: name,
      nodePools,
      nodeClasses,
      objectsBy: manager
    } satisfies Made
  }
}

function valuesFor(clusterName: string): Readonly<Record<string, unknown>> {
  const size = { cpu: '1', memory: '2Gi' }
  const check = {
    karpenter: { init_config: {}, instances: [{ openmetrics_endpoint: 'http://%%host%%:8080/metrics' }] }
  }
  return {
    additionalLabels: {
      'autoscaling.datadoghq.com/installed-by': 'kubectl-datadog',
      'autoscaling.datadoghq.com/installer-version': pluginVersion
    },
    settings: { clusterName, interruptionQueue: clusterName },
    controller: { resources: { requests: size, limits: size } },
    podAnnotations: { 'ad.datadoghq.com/controller.checks': JSON.stringify(check, null, 2) }
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

/** What the plugin writes down for its next step: which nodes are whose. */
async function recordCluster(sandbox: Sandbox): Promise<void> {
  const nodes = (await listed(sandbox, paths.nodes)).map((node) => text(at(node, 'metadata', 'name')) ?? '')
  const info = {
    apiVersion: 'v1',
    clusterName: sandbox.name,
    region: sandbox.region,
    nodeManagement: { eksManagedNodeGroup: { managed: { nodes } } },
    autoscaling: {
      clusterAutoscaler: { present: false },
      karpenter: {
        present: true,
        namespace,
        name: release,
        version: installedVersion,
        managedByDatadog: true,
        installerVersion: pluginVersion
      },
      eksAutoMode: { enabled: false }
    }
  }
  await create(
    sandbox,
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name: 'dd-cluster-info',
        namespace,
        labels: { 'app.kubernetes.io/managed-by': 'kubectl-datadog' }
      },
      data: { 'cluster-info': dump(info) }
    },
    manager
  )
}
