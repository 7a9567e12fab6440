import { isMap } from './json.js'

/** A field that something in the cluster changes as it is written. */
export interface Mutation {
  readonly path: string
  /** Of path, wanted and live value. */
  readonly digest: string
  /** `MutatingWebhookConfiguration mirror` */
  readonly by: readonly string[]
}

/** What is kept of one resource after an install. */
export interface RecordedResource {
  /** Names of what was there of it before our first write; removal leaves them. Empty: all of it is our work. */
  readonly before: readonly string[]
  /** Of what was there before, that it was taken over: removal takes it when that is asked for. */
  readonly adopted?: true
  /** Undefined while a run that was broken off has only said that it is about to make it. */
  readonly wanted: unknown
  /** What came back of its last write otherwise than it was sent. */
  readonly mutated?: readonly Mutation[]
}

/** That a run has proved who signed the chart with this digest. */
export interface ProvedChart {
  /** `sha256:...` of its manifest. */
  readonly digest: string
  /** Digest of who was asked for, and by whose trust root. */
  readonly asked: string
  readonly run: string
  /** ISO 8601. */
  readonly time: string
}

/** What is kept in the ConfigMap kube-system/setup-karpenter after each install. */
export interface InstallRecord {
  readonly schema: 1
  readonly karpenterVersion: string
  /** Of the cluster; records of older releases have none. */
  readonly kubernetesVersion?: string
  /** What is known of the version and is not in the table of its release. */
  readonly facts?: unknown
  readonly run: string
  /** ISO 8601. */
  readonly time: string
  /** The last smoke test that passed on what is recorded; gone with the next change. */
  readonly smokeTest?: { readonly time: string }
  /** How an installation that somebody else made is called; there when it was taken over. */
  readonly adoption?: unknown
  /** Ids of subnets and security groups that had our discovery tag then, and that nobody chose. */
  readonly alsoTagged?: readonly string[]
  readonly provedChart?: ProvedChart
  /** Where the values of the chart stand when they may hold secrets: in a Secret beside the record. */
  readonly valuesIn?: 'secret'
  readonly resources: Readonly<Record<string, RecordedResource>>
}

/** The record, or why the text is none that this release knows. */
export function readRecordText(text: string): InstallRecord | { readonly broken: string } {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return { broken: 'it is no JSON' }
  }
  const schema = isMap(value) ? value['schema'] : undefined
  if (typeof schema === 'number' && schema > 1)
    return { broken: `it was written by a newer release of this action (schema ${schema})` }
  return recordOf(value) ?? { broken: 'it is no record of an install' }
}

/** Undefined when it is none that this release knows. */
export function parseRecord(text: string): InstallRecord | undefined {
  const record = readRecordText(text)
  return 'broken' in record ? undefined : record
}

function recordOf(value: unknown): InstallRecord | undefined {
  if (!isMap(value) || value['schema'] !== 1 || !isMap(value['resources'])) return undefined
  const { karpenterVersion, kubernetesVersion, run, time } = value
  if (typeof karpenterVersion !== 'string' || typeof run !== 'string' || typeof time !== 'string')
    return undefined
  const resources: Record<string, RecordedResource> = {}
  for (const [id, entry] of Object.entries(value['resources'])) {
    if (isMap(entry) && isTexts(entry['before'])) {
      resources[id] = {
        before: entry['before'],
        ...(entry['adopted'] === true && { adopted: true }),
        wanted: entry['wanted'],
        ...mutationsIn(entry['mutated'])
      }
    }
  }
  const passed = isMap(value['smokeTest']) ? value['smokeTest']['time'] : undefined
  return {
    schema: 1,
    karpenterVersion,
    ...(typeof kubernetesVersion === 'string' && { kubernetesVersion }),
    ...(value['facts'] !== undefined && { facts: value['facts'] }),
    run,
    time,
    ...(typeof passed === 'string' && { smokeTest: { time: passed } }),
    ...(value['adoption'] !== undefined && { adoption: value['adoption'] }),
    ...(isTexts(value['alsoTagged']) && { alsoTagged: value['alsoTagged'] }),
    ...provedChartIn(value['provedChart']),
    ...(value['valuesIn'] === 'secret' && { valuesIn: 'secret' }),
    resources
  }
}

function provedChartIn(value: unknown): Pick<InstallRecord, 'provedChart'> {
  const { digest, asked, run, time } = isMap(value) ? value : {}
  return typeof digest === 'string' &&
    typeof asked === 'string' &&
    typeof run === 'string' &&
    typeof time === 'string'
    ? { provedChart: { digest, asked, run, time } }
    : {}
}

function mutationsIn(value: unknown): Pick<RecordedResource, 'mutated'> {
  if (!Array.isArray(value)) return {}
  const mutated = value.flatMap((one: unknown): Mutation[] => {
    const { path, digest, by } = isMap(one) ? one : {}
    return typeof path === 'string' && typeof digest === 'string' && isTexts(by) ? [{ path, digest, by }] : []
  })
  return { mutated }
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string')
}

/** What a walk knows of a resource, for the record. */
export interface WalkedResource {
  readonly id: string
  readonly wanted: unknown
  /** Names of what was there of it when it was read, before this run wrote anything. */
  readonly found: readonly string[]
  /** This run takes over what was found. */
  readonly adopted?: true
  /** Where this run has written it and read it back. */
  readonly mutated?: readonly Mutation[] | undefined
}

/** What a record says of the run beside its resources. */
export type RecordFacts = Pick<
  InstallRecord,
  'karpenterVersion' | 'kubernetesVersion' | 'facts' | 'run' | 'time' | 'adoption' | 'provedChart'
>

function entryOf(
  previous: RecordedResource | undefined,
  { wanted, found, adopted, mutated = previous?.mutated ?? [] }: WalkedResource
): RecordedResource {
  const taken = previous === undefined ? adopted : previous.adopted
  return {
    before: previous?.before ?? found,
    ...(taken === true && { adopted: taken }),
    wanted,
    ...(mutated.length > 0 && { mutated })
  }
}

/** The record after an install. What was there before is what was found by the first run that saw the resource. */
export function nextRecord(
  previous: InstallRecord | undefined,
  facts: RecordFacts & Pick<InstallRecord, 'smokeTest' | 'alsoTagged'>,
  resources: readonly WalkedResource[]
): InstallRecord {
  return {
    schema: 1,
    ...facts,
    resources: Object.fromEntries(
      resources.map((walked) => [walked.id, entryOf(previous?.resources[walked.id], walked)])
    )
  }
}

/**
 * The record before the first write: says what was there before us of every resource that no run has seen yet, so that a
 * run that is killed does not take its own work for somebody else's the next time. Undefined when there is nothing new.
 */
export function recordAhead(
  previous: InstallRecord | undefined,
  facts: RecordFacts,
  resources: readonly WalkedResource[]
): InstallRecord | undefined {
  const fresh = resources.filter(({ id }) => previous?.resources[id] === undefined)
  if (fresh.length === 0) return undefined
  const announced = fresh.map(
    (walked) => [walked.id, entryOf(undefined, { ...walked, wanted: undefined })] as const
  )
  const { run, time, adoption } = facts
  const now = { run, time, ...(adoption !== undefined && { adoption }) }
  return {
    schema: 1,
    ...(previous === undefined
      ? facts
      : {
          ...now,
          karpenterVersion: previous.karpenterVersion,
          ...(previous.kubernetesVersion !== undefined && { kubernetesVersion: previous.kubernetesVersion }),
          ...(previous.facts !== undefined && { facts: previous.facts }),
          ...(previous.alsoTagged !== undefined && { alsoTagged: previous.alsoTagged }),
          ...(previous.provedChart !== undefined && { provedChart: previous.provedChart })
        }),
    resources: { ...previous?.resources, ...Object.fromEntries(announced) }
  }
}
