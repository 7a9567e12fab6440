import { canonical, mapAt, type JsonMap } from '../engine/json.js'
import { field, listField, textField, type Manifest } from '../kubernetes/manifest.js'
import { type Inner, innerOf, otherFields, schemaOf, servedBy } from '../kubernetes/structural-schema.js'

/** What becomes of one CRD. Status is Karpenter's own affair and left out. */
export interface CrdChange {
  /** `nodepools.karpenter.sh` */
  readonly crd: string
  readonly change: 'new' | 'changed'
  /** Served versions of the API that come and go. */
  readonly versions: { readonly added: readonly string[]; readonly gone: readonly string[] }
  /**
   * `spec.template.spec.taints[].key`; of a field that is new with all below it, only the field. What an open map takes, or took,
   * neither comes nor goes.
   */
  readonly added: readonly string[]
  readonly gone: readonly string[]
  /** What else is said of a field now: `is required now`, `is open now`, `also takes Balanced`, `2 rules more`. */
  readonly changed: readonly { readonly path: string; readonly change: string }[]
}

/** What the CRDs of a version change in those that the cluster has; without those that stay as they are. */
export function crdChanges(live: readonly Manifest[], wanted: readonly Manifest[]): readonly CrdChange[] {
  return wanted.flatMap((crd): readonly CrdChange[] => {
    const { name } = crd.metadata
    const now = live.find(({ metadata }) => metadata.name === name)
    const versions = { added: notIn(servedBy(crd), servedBy(now)), gone: notIn(servedBy(now), servedBy(crd)) }
    if (now === undefined) return [{ crd: name, change: 'new', versions, added: [], gone: [], changed: [] }]
    const version = storageOf(crd)
    const [before, after] = [fieldsOf(schemaOf(now, version)), fieldsOf(schemaOf(crd, version))]
    const change: CrdChange = {
      crd: name,
      change: 'changed',
      versions,
      added: topmost(notIn(after.keys(), before)).filter((path) => !isTaken(path, before)),
      gone: topmost(notIn(before.keys(), after)).filter((path) => !isTaken(path, after)),
      changed: [...after].flatMap(([path, facts]) => {
        const had = before.get(path)
        return had === undefined ? [] : changesOf(had, facts).map((text) => ({ path, change: text }))
      })
    }
    const parts = [versions.added, versions.gone, change.added, change.gone, change.changed]
    return parts.every((part) => part.length === 0) ? [] : [change]
  })
}

function fieldsOf(schema: JsonMap | undefined): ReadonlyMap<string, Inner> {
  const fields = new Map<string, Inner>()
  const walk = (at: Inner, path: string): void => {
    fields.set(path, at)
    for (const inner of innerOf(at.schema)) walk(inner, `${path}${inner.at}`)
  }
  const spec = innerOf(schema ?? {}).find(({ at }) => at === '.spec')
  if (spec !== undefined) walk(spec, 'spec')
  return fields
}

/** Whether a path that a schema does not name is inside a map that takes it all the same, or is what its map takes at all. */
function isTaken(path: string, fields: ReadonlyMap<string, Inner>): boolean {
  const facts = fields.get(parentOf(path))
  return facts !== undefined && (path.endsWith('.*') || otherFields(facts.schema) !== 'none')
}

/** `spec.kubelet` of `spec.kubelet.maxPods`, `spec.terms` of `spec.terms[]`. */
function parentOf(path: string): string {
  return path.endsWith('[]') ? path.slice(0, -2) : path.slice(0, Math.max(path.lastIndexOf('.'), 0))
}

/** What becomes of the fields that a map takes without naming them. */
function openness(was: JsonMap, is: JsonMap): readonly string[] {
  const [before, after] = [otherFields(was), otherFields(is)]
  if (before === after) return []
  if (after === 'all')
    return [
      'is open now: the API server takes any field in it, and what is wrong with one shows in the status alone'
    ]
  if (after === 'one kind') return ['takes fields of any name now, all of one kind']
  const names = Object.keys(mapAt(is, 'properties'))
  return [names.length === 0 ? 'takes no fields now' : `takes only the fields ${names.join(', ')} now`]
}

/** Words of a schema that narrow what a field takes, beside those that are said in words of their own. */
const limits = [
  'type',
  'pattern',
  'format',
  'minimum',
  'maximum',
  'minItems',
  'maxItems',
  'minLength',
  'maxLength'
]

function changesOf(before: Inner, after: Inner): readonly string[] {
  const [was, is] = [before.schema, after.schema]
  const values = (of: JsonMap): readonly string[] => listField(of, 'enum').map(String)
  const more = notIn(values(is), values(was))
  const less = notIn(values(was), values(is))
  const anything = values(was).length === 0 || values(is).length === 0
  return [
    ...openness(was, is),
    ...(after.required && !before.required ? ['is required now'] : []),
    ...(before.required && !after.required ? ['is optional now'] : []),
    ...(more.length > 0
      ? [anything ? `takes only ${more.join(', ')} now` : `also takes ${more.join(', ')}`]
      : []),
    ...(less.length > 0 ? [anything ? 'takes any value now' : `no longer takes ${less.join(', ')}`] : []),
    ...(canonical(was['default'] ?? null) === canonical(is['default'] ?? null)
      ? []
      : [`default ${shown(was['default'])} becomes ${shown(is['default'])}`]),
    ...limits.flatMap((word) =>
      was[word] === is[word] ? [] : [`${word} ${shown(was[word])} becomes ${shown(is[word])}`]
    ),
    ...ruleChanges(rulesOf(was), rulesOf(is))
  ]
}

/** CEL rules and what the API server says where they are broken. */
function rulesOf(schema: JsonMap): ReadonlyMap<string, string> {
  return new Map(
    listField(schema, 'x-kubernetes-validations').map((rule) => [
      textField(rule, 'rule') ?? '',
      textField(rule, 'message') ?? ''
    ])
  )
}

function ruleChanges(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>
): readonly string[] {
  const [more, less] = [notIn(after.keys(), before), notIn(before.keys(), after)]
  const messages = [...new Set(more.map((rule) => after.get(rule) ?? ''))].filter((text) => text !== '')
  const words = [
    ...(more.length > 0
      ? [`${more.length} new${messages.length > 0 ? ` (${messages.join('; ')})` : ''}`]
      : []),
    ...(less.length > 0 ? [`${less.length} gone`] : [])
  ]
  return words.length === 0 ? [] : [`CEL rules: ${words.join(', ')}`]
}

function shown(value: unknown): string {
  return value === undefined ? 'none' : JSON.stringify(value)
}

function storageOf(crd: Manifest): string {
  const stored = listField(crd, 'spec', 'versions').find((one) => field(one, 'storage') === true)
  return textField(stored, 'name') ?? ''
}

function notIn(
  one: Iterable<string>,
  other: ReadonlyMap<string, unknown> | readonly string[]
): readonly string[] {
  const known = new Set(Array.isArray(other) ? other : other.keys())
  return [...one].filter((text) => !known.has(text))
}

/** Without what is below another path of the list. */
function topmost(paths: readonly string[]): readonly string[] {
  return paths.filter(
    (path) => !paths.some((other) => path.startsWith(`${other}.`) || path.startsWith(`${other}[`))
  )
}
