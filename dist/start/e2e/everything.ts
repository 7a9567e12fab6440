import { EC2Client, paginateDescribeInstances, paginateDescribeLaunchTemplates } from '@aws-sdk/client-ec2'
import type { Sandbox } from '../sandbox/index.js'
import { list, record, text } from '../sandbox/values.js'
import { at, auditor, get, listed, type KubernetesObject } from './scenario.js'

/** Kinds that change by themselves: who holds a lease and what has happened is no part of what an object is. */
const restless = ['events', 'leases', 'componentstatuses']

/**
 * Every object of the cluster as somebody wrote it: its uid, all but its status, and who manages which field. What
 * Kubernetes and Karpenter themselves keep in the status is left out, and with it the resource version.
 */
export async function allObjects(sandbox: Sandbox): Promise<Readonly<Record<string, unknown>>> {
  const paths = await collections(sandbox)
  const objects = await Promise.all(
    paths.map(async (path) =>
      (await listed(sandbox, path)).map((object) => [nameOf(path, object), asWritten(object)])
    )
  )
  return Object.fromEntries<unknown>(objects.flat().map(([name, object]) => [String(name), object]))
}

/** Paths of all collections that can be listed, each kind once. */
async function collections(sandbox: Sandbox): Promise<readonly string[]> {
  const groups = list((await get(sandbox, '/apis'))['groups']).map(
    (group) => `/apis/${text(at(group, 'preferredVersion', 'groupVersion')) ?? ''}`
  )
  const served = await Promise.all(
    ['/api/v1', ...groups].map(async (root) =>
      list((await get(sandbox, root))['resources'])
        .map(record)
        .filter(({ name, verbs }) => list(verbs).includes('list') && !restless.includes(text(name) ?? ''))
        .map(({ name }) => `${root}/${text(name) ?? ''}`)
    )
  )
  return served.flat()
}

function nameOf(path: string, object: KubernetesObject): string {
  const { namespace, name } = record(object['metadata'])
  return `${path} ${namespace === undefined ? '' : `${text(namespace) ?? ''}/`}${text(name) ?? ''}`
}

function asWritten(object: KubernetesObject): unknown {
  const metadata = record(object['metadata'])
  const writers = list(metadata['managedFields'])
    .map(record)
    .filter(({ subresource }) => subresource !== 'status')
  return {
    ...without(object, 'status'),
    metadata: { ...without(metadata, 'resourceVersion'), managedFields: writers }
  }
}

function without(object: KubernetesObject, name: string): KubernetesObject {
  return Object.fromEntries(Object.entries(object).filter(([field]) => field !== name))
}

/** What AWS has that Karpenter makes: instances that are not ended and instance profiles. */
export async function awsObjects(sandbox: Sandbox): Promise<readonly string[]> {
  const client = new EC2Client(auditor(sandbox))
  const instances: string[] = []
  for await (const { Reservations = [] } of paginateDescribeInstances({ client }, {})) {
    for (const { InstanceId, State } of Reservations.flatMap(({ Instances = [] }) => Instances)) {
      if (State?.Name !== 'terminated') instances.push(`${InstanceId ?? ''} ${State?.Name ?? ''}`)
    }
  }
  const { instanceProfiles, roles, policies } = sandbox.cloud.iam
  return [
    ...instances,
    ...[instanceProfiles, policies].flatMap((held) => held.values().map(({ arn }) => arn)),
    ...roles.values().flatMap(({ arn, attached }) => [arn, ...attached.map((policy) => `${arn} ${policy}`)])
  ].toSorted()
}

/** Launch templates of Karpenter for this cluster, by id. */
export async function launchTemplates(sandbox: Sandbox): Promise<readonly string[]> {
  const client = new EC2Client(auditor(sandbox))
  const filters = [{ Name: 'tag:eks:eks-cluster-name', Values: [sandbox.name] }]
  const ids: string[] = []
  for await (const { LaunchTemplates = [] } of paginateDescribeLaunchTemplates(
    { client },
    { Filters: filters }
  ))
    ids.push(...LaunchTemplates.map(({ LaunchTemplateId }) => LaunchTemplateId ?? ''))
  return ids.toSorted()
}
