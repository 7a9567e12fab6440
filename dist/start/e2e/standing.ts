import { EventBridgeClient, ListRulesCommand } from '@aws-sdk/client-eventbridge'
import { ListQueuesCommand, SQSClient } from '@aws-sdk/client-sqs'
import type { Sandbox } from '../sandbox/index.js'
import { items } from '../sandbox/cloud/moto/client.js'
import { list, text } from '../sandbox/values.js'
import { at, auditor, dataOf, find, listed, paths, tagsOf } from './scenario.js'

/** Names of all that an installation consists of in Kubernetes, IAM and EKS, without the smoke test's own. */
export async function standing(sandbox: Sandbox): Promise<readonly string[]> {
  const lists = await Promise.all(
    [
      paths.crds,
      paths.flowSchemas,
      paths.deployments,
      paths.nodePools,
      paths.nodeClasses,
      '/api/v1/namespaces'
    ].map(async (path) => (await listed(sandbox, path)).map((one) => `${path}/${name(one)}`))
  )
  const { iam, eks } = sandbox.cloud
  return [
    ...lists.flat().filter((object) => !object.includes('/smoke-test-')),
    ...[iam.roles, iam.policies, iam.oidcProviders].flatMap((held) => held.values().map(({ arn }) => arn)),
    ...iam.roles.values().flatMap((role) => role.attached.map((policy) => `${role.name} with ${policy}`)),
    ...eks.accessEntries.values().map(({ accessEntryArn }) => accessEntryArn),
    ...eks.associations.values().map(({ associationArn }) => associationArn)
  ]
}

/** The same with everything else that an installation or Karpenter itself could leave: nothing but instances that ended. */
export async function everything(sandbox: Sandbox): Promise<readonly string[]> {
  const kubeSystem = '/api/v1/namespaces/kube-system'
  // Before the roles are read, of which one is its own for as long as it reads.
  const rules = await interruption(sandbox)
  const [standingNow, templates, instances, subnets, groups, awsAuth, inKubernetes] = await Promise.all([
    standing(sandbox),
    sandbox.moto.ec2('DescribeLaunchTemplates', {}),
    sandbox.moto.instances(),
    tagsOf(sandbox, 'subnets'),
    tagsOf(sandbox, 'security groups'),
    find(sandbox, paths.awsAuth),
    Promise.all([
      listed(sandbox, `${kubeSystem}/configmaps`),
      listed(sandbox, `${kubeSystem}/secrets`),
      listed(sandbox, '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases'),
      listed(sandbox, '/apis/rbac.authorization.k8s.io/v1/namespaces/kube-system/rolebindings'),
      listed(sandbox, '/apis/rbac.authorization.k8s.io/v1/clusterroles'),
      listed(sandbox, '/apis/apps/v1/daemonsets')
    ])
  ])
  const { iam, eks } = sandbox.cloud
  return [
    ...standingNow,
    ...iam.instanceProfiles.values().map(({ arn }) => arn),
    ...eks.addons.values().map(({ addonArn }) => addonArn),
    ...items(templates['launchTemplates']).map((one) => text(one['launchTemplateName']) ?? ''),
    ...instances.filter(({ state }) => state !== 'terminated').map(({ id }) => id),
    ...rules,
    ...Object.entries({ ...subnets, ...groups }).flatMap(([id, tags]) =>
      Object.entries(tags).map(([key, value]) => `${id} ${key}=${value}`)
    ),
    `aws-auth ${JSON.stringify(awsAuth === undefined ? {} : dataOf(awsAuth))}`,
    ...list(inKubernetes)
      .flatMap(list)
      .map((object) => `${text(at(object, 'metadata', 'namespace')) ?? ''} ${name(object)}`)
  ].toSorted()
}

/** Names of queues and of rules. */
async function interruption(sandbox: Sandbox): Promise<readonly string[]> {
  const config = auditor(sandbox)
  const [sqs, events] = [new SQSClient(config), new EventBridgeClient(config)]
  try {
    const [{ QueueUrls = [] }, { Rules = [] }] = await Promise.all([
      sqs.send(new ListQueuesCommand({})),
      events.send(new ListRulesCommand({}))
    ])
    return [...QueueUrls, ...Rules.map(({ Name }) => Name ?? '')]
  } finally {
    sqs.destroy()
    events.destroy()
    sandbox.cloud.iam.roles.delete('auditor')
  }
}

function name(object: unknown): string {
  return text(at(object, 'metadata', 'name')) ?? ''
}
