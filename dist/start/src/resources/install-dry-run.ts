import type { Ownership } from '../aws/environment.js'
import type { Kubernetes } from '../kubernetes/client.js'
import { KubernetesError } from '../kubernetes/errors.js'
import { deployments, namespaces } from '../kubernetes/kinds.js'
import { field, type Manifest } from '../kubernetes/manifest.js'
import { type LackingRight, noDryRun } from './dry-run.js'
import { withOwnership } from './kubernetes-object.js'

/** Objects that the cluster would not let an install make. */
export interface AdmissionRefusal {
  /** `Deployment karpenter`, those that were refused alike. */
  readonly titles: readonly string[]
  /** In the server's words, with who refused. */
  readonly message: string
  readonly fix: string
  /** The controller's namespace is not there yet, so the question was about this one. */
  readonly askedIn: string | undefined
}

/** What stands in for a namespace that is not there yet. */
const standIn = 'default'

/**
 * What the API server says to every object that an install will make, without writing one: policies, Pod Security, quotas,
 * rights. `objects` are made as they are; of a Deployment one pod is asked about as well. What is there already and is
 * only changed counts where admission refuses it: a change is made in another way than this dry run's.
 */
export async function admissionRefusals(
  kubernetes: Kubernetes,
  objects: readonly Manifest[],
  of: { readonly namespace: string; readonly ownership: Ownership; readonly lacking?: LackingRight }
): Promise<readonly AdmissionRefusal[]> {
  if (objects.length === 0) return []
  const isThere = (await kubernetes.get(namespaces, of.namespace)) !== undefined
  const asked = [...objects, ...objects.flatMap((object) => podOf(object))]
  const running = await anyRunning(kubernetes, objects, of.namespace)
  const answers = (
    await Promise.all(asked.map(async (object) => ask(kubernetes, object, { ...of, isThere })))
  )
    // A rollout ends a pod before it makes the next, so that a quota that is full now is none then.
    .filter((answer) => !(running && answer?.by.startsWith('ResourceQuota') === true))
  const groups = new Map<string, AdmissionRefusal>()
  for (const answer of answers) {
    if (answer === undefined) continue
    const key = `${answer.by}\n${answer.refusal.fix}`
    const before = groups.get(key)
    groups.set(
      key,
      before === undefined
        ? answer.refusal
        : { ...before, titles: [...before.titles, ...answer.refusal.titles] }
    )
  }
  return [...groups.values()]
}

async function ask(
  kubernetes: Kubernetes,
  object: Manifest,
  of: {
    readonly namespace: string
    readonly ownership: Ownership
    readonly lacking?: LackingRight
    readonly isThere: boolean
  }
): Promise<{ readonly by: string; readonly refusal: AdmissionRefusal } | undefined> {
  const kind = await kubernetes.kindOf(object.apiVersion, object.kind)
  if (kind === undefined) return undefined
  const { name } = object.metadata
  const meant = kind.namespaced ? (object.metadata.namespace ?? of.namespace) : undefined
  const elsewhere = meant === of.namespace && !of.isThere
  const namespace = elsewhere ? standIn : meant
  try {
    const live = elsewhere ? undefined : await kubernetes.get(kind, name, namespace)
    try {
      const made = live === undefined ? withOwnership(object, undefined, of.ownership) : object
      const metadata = { ...made.metadata, ...(namespace !== undefined && { namespace }) }
      await kubernetes.apply(kind, { ...made, metadata }, { dryRun: true, force: true })
      return undefined
    } catch (error) {
      if (error instanceof KubernetesError && isLacking(error, of.lacking)) throw error
      if (!(error instanceof KubernetesError) || error.status === 404 || noDryRun(error)) return undefined
      const { refusedBy, message, fix } = error
      if (refusedBy === undefined && (live !== undefined || elsewhere)) return undefined
      // Of a namespace that only stands in: what is about it, and not about the object.
      if (
        elsewhere &&
        (!/^admission webhook|^Validating/.test(refusedBy ?? '') || /\bdefault\b/.test(said(message)))
      )
        return undefined
      const title = `${object.kind} ${name}`
      const askedIn = elsewhere ? standIn : undefined
      const advice = elsewhere ? fix.replace(`namespace ${standIn}`, `namespace ${of.namespace}`) : fix
      return { by: refusedBy ?? message, refusal: { titles: [title], message, fix: advice, askedIn } }
    }
  } catch (error) {
    // What may not be read is for the walk to say.
    if (error instanceof KubernetesError && !isLacking(error, of.lacking)) return undefined
    throw error
  }
}

function isLacking({ permission }: KubernetesError, lacking: LackingRight | undefined): boolean {
  return lacking === 'is thrown' && permission !== undefined
}

async function anyRunning(
  kubernetes: Kubernetes,
  objects: readonly Manifest[],
  otherwise: string
): Promise<boolean> {
  const found = await Promise.all(
    objects
      .filter(({ kind }) => kind === 'Deployment')
      .map(async ({ metadata }) =>
        kubernetes.get(deployments, metadata.name, metadata.namespace ?? otherwise)
      )
  )
  return found.some((one) => one !== undefined)
}

/** The policy's own words, without what the request was. */
function said(message: string): string {
  return message.replace(/^.*?(denied the request|denied request):?/s, '')
}

/** A pod as the Deployment will make it: policies, Pod Security and quotas are about pods. */
function podOf(object: Manifest): readonly Manifest[] {
  const template = object.kind === 'Deployment' ? field(object, 'spec', 'template') : undefined
  const spec = field(template, 'spec')
  if (typeof spec !== 'object' || spec === null) return []
  const labels = field(template, 'metadata', 'labels')
  const annotations = field(template, 'metadata', 'annotations')
  const { name, namespace } = object.metadata
  return [
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: `${name}-dry-run`,
        ...(namespace !== undefined && { namespace }),
        ...(isTexts(labels) && { labels }),
        ...(isTexts(annotations) && { annotations })
      },
      // Its own service account may not be there yet.
      spec: { ...spec, serviceAccountName: 'default' }
    }
  ]
}

function isTexts(value: unknown): value is Readonly<Record<string, string>> {
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.values(value).every((text) => typeof text === 'string')
  )
}
