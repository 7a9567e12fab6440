import type { Deployment } from 'kubernetes-types/apps/v1.js'
import { withoutEncoded } from '../../aws/denials.js'
import { isMap } from '../../engine/json.js'
import type { Kubernetes } from '../../kubernetes/client.js'
import { pods } from '../../kubernetes/kinds.js'
import { controllerFix } from './controller-failure.js'

/** What the controller says about an object that it does not get done with. */
export interface Complaint {
  /** The controller's own words: `listing instance profiles, ... is not authorized to perform: iam:ListInstanceProfiles`. */
  readonly text: string
  /** iam:ListInstanceProfiles, when the controller's role lacks it. */
  readonly lacks: string | undefined
  readonly fix: string
}

/** An error in the controller's log. */
interface LoggedError {
  /** RFC 3339, as the controller writes it. */
  readonly time: string
  readonly text: string
  /** Of the objects that it speaks of. */
  readonly names: readonly string[]
}

/** Said of each NodeClaim that outlives its NodePool (1.14), which is what every removal waits for. */
const removedNodePool = /^NodePool\.karpenter\.sh "[^"]*" not found/

/** Lines of each controller pod's log that are read, and characters of an error that are shown. */
const tailLines = 400
const shownCharacters = 600
/** Milliseconds for which what was read is new enough: hundreds who wait then cost no more than one who asks as often. */
const freshFor = 5_000

/** The errors that the controller's pods log, for all who wait for it at the same time. */
export class ControllerLog {
  readonly #kubernetes: Kubernetes
  #read: { readonly at: number; readonly errors: Promise<readonly LoggedError[]> } | undefined

  constructor(kubernetes: Kubernetes) {
    this.#kubernetes = kubernetes
  }

  /**
   * The controller's newest error about one of these objects since a moment (milliseconds since the epoch, like `now`);
   * undefined when it has none, or its log cannot be read.
   */
  async complaintAbout(
    controllers: readonly Deployment[],
    names: ReadonlySet<string>,
    { since, now }: { readonly since: number; readonly now: number }
  ): Promise<Complaint | undefined> {
    if (this.#read === undefined || now - this.#read.at >= freshFor)
      this.#read = { at: now, errors: errorsOf(this.#kubernetes, controllers) }
    return newestComplaint(await this.#read.errors, names, since)
  }
}

async function errorsOf(
  kubernetes: Kubernetes,
  controllers: readonly Deployment[]
): Promise<readonly LoggedError[]> {
  const logs = await Promise.all(
    controllers.map(async ({ metadata, spec }) => {
      const labels = Object.entries(spec?.selector.matchLabels ?? {})
      const labelSelector = labels.map(([key, value]) => `${key}=${value}`).join(',')
      return logsOf(kubernetes, metadata?.namespace ?? '', labelSelector)
    })
  )
  return loggedErrors(logs.flat())
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

/** Of the logs' JSON lines. */
export function loggedErrors(logs: readonly string[]): readonly LoggedError[] {
  return logs
    .flatMap((log) => log.split('\n'))
    .flatMap((line) => {
      const entry = parsed(line)
      if (entry === undefined || entry['level'] !== 'ERROR') return []
      const said = [entry['message'], entry['error']].filter(
        (part) => typeof part === 'string' && part !== ''
      )
      const text = withoutEncoded(said.at(-1)?.toString() ?? '')
      if (removedNodePool.test(text)) return []
      return [{ time: typeof entry['time'] === 'string' ? entry['time'] : '', text, names: namesIn(entry) }]
    })
}

/** The newest that speaks of one of the names. */
export function newestComplaint(
  errors: readonly LoggedError[],
  names: ReadonlySet<string>,
  since: number
): Complaint | undefined {
  let newest: LoggedError | undefined
  for (const error of errors) {
    if (!error.names.some((name) => names.has(name)) || Date.parse(error.time) < since) continue
    if (newest === undefined || error.time >= newest.time) newest = error
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
function namesIn(entry: Readonly<Record<string, unknown>>): readonly string[] {
  return ['name', 'EC2NodeClass', 'NodeClaim', 'Node', 'NodePool'].flatMap((key) => {
    const value = entry[key]
    const name = isMap(value) ? value['name'] : value
    return typeof name === 'string' ? [name] : []
  })
}

/** The cause stands at the end of an error of AWS's SDK. */
function shortened(text: string): string {
  if (text.length <= shownCharacters) return text
  const start = Math.floor(shownCharacters / 3)
  return `${text.slice(0, start)} ... ${text.slice(text.length - (shownCharacters - start))}`
}
