import { hold, publishedStatements } from '../sandbox/cluster/deployer-policy.js'
import { rulesOf } from '../sandbox/cluster/deployer.js'
import type { Sandbox } from '../sandbox/index.js'
import { list, record, text } from '../sandbox/values.js'
import { at, find, listed, paths, type KubernetesObject } from './scenario.js'
import type { Made } from './shapes/shape.js'

/**
 * Gives the action's role exactly docs/permissions/<mode>.json with the installation's names in the place of the default
 * ones, as its README says under "Names of your own".
 */
export async function holdForNames(
  sandbox: Sandbox,
  made: Made,
  mode: 'install' | 'check' | 'uninstall'
): Promise<void> {
  const { name } = sandbox
  const names: readonly (readonly [string, string])[] = [
    [`:role/${name}-karpenter"`, `:role/${made.controllerRole}"`],
    [`/KarpenterNodeRole-${name}`, `/${made.nodeRole}`],
    ...(made.policyStack === undefined
      ? []
      : [
          [`:stack/Karpenter-${name}/`, `:stack/${made.policyStack}/`] as const,
          [`:rule/${rulesOf(`Karpenter-${name}`)}-`, `:rule/${rulesOf(made.policyStack)}-`] as const
        ]),
    ...(made.queue === undefined
      ? []
      : [[`:${sandbox.accountId}:${name}"`, `:${sandbox.accountId}:${made.queue}"`] as const])
  ]
  const statements = JSON.stringify(await publishedStatements(sandbox, mode))
  const filled = names.reduce((sofar, [byDefault, own]) => sofar.replaceAll(byDefault, own), statements)
  hold(sandbox, list(JSON.parse(filled)).map(record))
}

/** What nobody may lose by an adoption, an upgrade or an uninstall that spares it: the same before and after. */
export interface Standing {
  /** uid by name, without those that Fargate gives a pod and takes away with it. */
  readonly nodes: Readonly<Record<string, string>>
  readonly nodeClaims: Readonly<Record<string, string>>
  /** Ids of those that run. */
  readonly instances: readonly string[]
  /** uid and spec by kind and name. */
  readonly objects: Readonly<Record<string, unknown>>
}

export async function standingOf(sandbox: Sandbox, made: Made): Promise<Standing> {
  const [nodes, nodeClaims, instances, objects] = await Promise.all([
    listed(sandbox, `${paths.nodes}?labelSelector=eks.amazonaws.com%2Fcompute-type%21%3Dfargate`),
    listed(sandbox, paths.nodeClaims),
    sandbox.moto.instances(),
    Promise.all([
      ...made.nodePools.map(async (name) => written(sandbox, `${paths.nodePools}/${name}`)),
      ...made.nodeClasses.map(async (name) => written(sandbox, `${paths.nodeClasses}/${name}`))
    ])
  ])
  return {
    nodes: uids(nodes),
    nodeClaims: uids(nodeClaims),
    instances: instances
      .filter(({ state }) => state === 'running')
      .map(({ id }) => id)
      .toSorted(),
    objects: Object.fromEntries(objects)
  }
}

/** Restarts by uid of the controller's pods. */
export async function controllerPods(
  sandbox: Sandbox,
  made: Made
): Promise<Readonly<Record<string, unknown>>> {
  const pods = await podsOfController(sandbox, made)
  return Object.fromEntries(
    pods.map((pod) => [uid(pod), at(pod, 'status', 'containerStatuses', 0, 'restartCount')])
  )
}

/** Who placed the controller's pods: `default-scheduler`, or on Fargate `fargate-scheduler`. */
export async function schedulers(sandbox: Sandbox, made: Made): Promise<readonly unknown[]> {
  const pods = await podsOfController(sandbox, made)
  return [...new Set(pods.map((pod) => at(pod, 'spec', 'schedulerName')))]
}

async function podsOfController(sandbox: Sandbox, made: Made): Promise<readonly KubernetesObject[]> {
  const selector = 'labelSelector=app.kubernetes.io%2Fname%3Dkarpenter'
  return listed(sandbox, `/api/v1/namespaces/${made.namespace}/pods?${selector}`)
}

async function written(sandbox: Sandbox, path: string): Promise<readonly [string, unknown]> {
  const object = await find(sandbox, path)
  return [path, object === undefined ? undefined : { uid: uid(object), spec: object['spec'] }]
}

function uids(objects: readonly KubernetesObject[]): Readonly<Record<string, string>> {
  const named = objects.map((object) => [text(at(object, 'metadata', 'name')) ?? '', uid(object)] as const)
  return Object.fromEntries(named.toSorted(([a], [b]) => a.localeCompare(b)))
}

function uid(object: KubernetesObject): string {
  return text(at(object, 'metadata', 'uid')) ?? ''
}
