import { withoutEncoded } from '../../aws/denials.js'
import type { Deployment } from 'kubernetes-types/apps/v1.js'
import { isMap } from '../../engine/json.js'
import type { Kubernetes } from '../../kubernetes/client.js'
import { pods } from '../../kubernetes/kinds.js'
import { controllerFix } from './controller-failure.js'

/** Whether anybody works on Karpenter's finalizers. */
export type Standing =
  | { readonly state: 'running' }
  /** There, and no replica of it is ready: it starts, or crashes. */
  | { readonly state: 'not ready'; readonly text: string }
  | { readonly state: 'gone'; readonly text: string }

/** By the Deployments of Karpenter that the cluster has, in whatever namespace. */
export function standingOf(controllers: readonly Deployment[]): Standing {
  const first = controllers[0]
  if (first === undefined) return { state: 'gone', text: 'no Karpenter controller is in the cluster' }
  if (controllers.some((one) => (one.status?.readyReplicas ?? 0) > 0)) return { state: 'running' }
  const started = controllers.find((one) => (one.spec?.replicas ?? 1) > 0)
  if (started === undefined) return { state: 'gone', text: `Deployment ${nameOf(first)} is scaled to 0` }
  return {
    state: 'not ready',
    text: `no replica of Deployment ${nameOf(started)} is ready (0 of ${started.spec?.replicas ?? 1})`
  }
}

function nameOf({ metadata }: Deployment): string {
  return `${metadata?.namespace ?? ''}/${metadata?.name ?? ''}`
}

/** What the controller says about an object that it does not get done with. */
export interface Complaint {
  /** The controller's own words: `listing instance profiles, ... is not authorized to perform: iam:ListInstanceProfiles`. */
  readonly text: string
  /** iam:ListInstanceProfiles, when the controller's role lacks it. */
  readonly lacks: string | undefined
  readonly fix: string
}

/** Said of each NodeClaim that outlives its NodePool (1.14), which is what every removal waits for. */
const removedNodePool = /^NodePool\.karpenter\.sh "[^"]*" not found/

/** Lines of each controller pod's log that are read, and characters of an error that are shown. */
const tailLines = 400
const shownCharacters = 600

/**
 * The controller's newest error about one of these objects since a moment (milliseconds since the epoch); undefined when
 * it has none, or its log cannot be read.
 */
export async function complaintAbout(
  kubernetes: Kubernetes,
  controllers: readonly Deployment[],
  names: ReadonlySet<string>,
  since: number
): Promise<Complaint | undefined> {
  const logs = await Promise.all(
    controllers.flatMap((deployment) => {
      const namespace = deployment.metadata?.namespace ?? ''
      const labels = Object.entries(deployment.spec?.selector.matchLabels ?? {})
      return [logsOf(kubernetes, namespace, labels.map(([key, value]) => `${key}=${value}`).join(','))]
    })
  )
  return newestComplaint(logs.flat(), names, since)
}

async function logsOf(
  kubernetes: Kubernetes,
  namespace: string,
  labelSelector: string
): Promise<readonly string[]> {
  try {
    const running = await kubernetes.list(pods, { namespace, labelSelector })
    return await Promise.all(
      running.items.map(async (pod) =>
        kubernetes.log({ name: pod.metadata?.name ?? '', namespace }, { tailLines }).catch(() => '')
      )
    )
  } catch {
    // The log is an extra: what is waited for is known without it.
    return []
  }
}

/** Of the logs' JSON lines the newest error that speaks of one of the names. */
export function newestComplaint(
  logs: readonly string[],
  names: ReadonlySet<string>,
  since: number
): Complaint | undefined {
  let newest: { readonly time: string; readonly text: string } | undefined
  for (const line of logs.flatMap((log) => log.split('\n'))) {
    const entry = parsed(line)
    if (entry === undefined || entry['level'] !== 'ERROR' || !speaksOf(entry, names)) continue
    const time = typeof entry['time'] === 'string' ? entry['time'] : ''
    if (Date.parse(time) < since) continue
    const said = [entry['message'], entry['error']].filter((part) => typeof part === 'string' && part !== '')
    const text = withoutEncoded(said.at(-1)?.toString() ?? '')
    if (removedNodePool.test(text)) continue
    if (newest === undefined || time >= newest.time) newest = { time, text }
  }
  if (newest === undefined) return undefined
  const lacks = /not authorized to perform:? ([\w-]+:\w+)/.exec(newest.text)?.[1]
  return {
    text: shortened(newest.text),
    lacks,
    fix:
      lacks === undefined
        ? controllerFix(newest.text)
        : `Allow the controller's role ${lacks} (mode install attaches every policy of this version, as long as no permissions boundary or organisation's policy denies it).`
  }
}

function parsed(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const entry: unknown = JSON.parse(line)
    return isMap(entry) ? entry : undefined
  } catch {
    return undefined
  }
}

/** Karpenter names what it works on by its kind: `"EC2NodeClass":{"name":"default"}`, and the object itself by `name`. */
function speaksOf(entry: Readonly<Record<string, unknown>>, names: ReadonlySet<string>): boolean {
  return ['name', 'EC2NodeClass', 'NodeClaim', 'Node', 'NodePool'].some((key) => {
    const value = entry[key]
    const name = isMap(value) ? value['name'] : value
    return typeof name === 'string' && names.has(name)
  })
}

/** The cause stands at the end of an error of AWS's SDK. */
function shortened(text: string): string {
  if (text.length <= shownCharacters) return text
  const start = Math.floor(shownCharacters / 3)
  return `${text.slice(0, start)} ... ${text.slice(text.length - (shownCharacters - start))}`
}
