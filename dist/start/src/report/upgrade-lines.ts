import type { NodeDrift } from '../upgrade/node-drift.js'
import type { UpgradeNotes } from '../upgrade/notes.js'
import { isMap } from '../engine/json.js'
import { cut, prose } from './markdown.js'
import { fitting, opening } from './sections.js'
import type { ClusterMode } from '../inputs/inputs.js'
import { oneLine } from '../engine/plain-text.js'

/** Who replaces the nodes: the run that says so, or the install that a run of another mode speaks of. */
function doer(mode: ClusterMode): 'this run' | 'an install' {
  return mode === 'install' ? 'this run' : 'an install'
}

/** What changes with a version, for the log: short lines, the long lists counted. The report has all. */
export function upgradeLines(notes: UpgradeNotes, mode: ClusterMode): readonly string[] {
  return [
    ...versionLines(notes),
    ...permissionLines(notes),
    ...crdLines(notes),
    ...lostLines(notes),
    ...chartLines(notes),
    ...cautionLines(notes),
    ...nodeLines(notes, mode),
    ...notes.unread.map((permission) => `not known without ${permission}: what depends on it is not said`)
  ]
}

/** What a person should look at before it happens. */
export function upgradeWarnings({ nodes }: UpgradeNotes, mode: ClusterMode): readonly string[] {
  return nodes === undefined || nodes.replaced + nodes.mayBeReplaced === 0 ? [] : [nodesSentence(nodes, mode)]
}

function versionLines({ from, to, direction, passes }: UpgradeNotes): readonly string[] {
  if (from === undefined || direction === 'same version') return []
  return [
    `${direction} of Karpenter from ${from} to ${to}${passes.length === 0 ? '' : `, past ${passes.join(', ')}`}`
  ]
}

function permissionLines({ permissions }: UpgradeNotes): readonly string[] {
  if (permissions === undefined) return []
  const { added, removed, statements, policies, by } = permissions
  const moves = [
    ...(policies.added.length > 0 ? [`${policies.added.length} new`] : []),
    ...(policies.removed.length > 0
      ? [`${policies.removed.length} gone (${first(policies.removed, 2)})`]
      : [])
  ]
  return [
    `permissions (by the ${by}): ${added.length} more, ${removed.length} less, in ${count(statements.length, 'statement')}`,
    ...statements.map(({ policy, statement, change, gains, loses }) => {
      const what = [...saying('+', gains), ...saying('-', loses)]
      return `  ${change} ${statement} (${policy}): ${first(what, 4)}`
    }),
    ...(moves.length === 0 ? [] : [`  policies: ${moves.join(', ')}`])
  ]
}

/** Lines of a statement without what nearly all of them say. */
function saying(sign: string, lines: readonly string[]): readonly string[] {
  return lines
    .filter((line) => line !== 'Effect: Allow' && line !== 'Resource: *')
    .map((line) => `${sign} ${line.replace(/^(Action|Resource): /, '')}`)
}

function crdLines({ crds }: UpgradeNotes): readonly string[] {
  return crds.map(({ crd, change, versions, added, gone, changed }) => {
    if (change === 'new') return `CRD ${crd} is new`
    const parts = [
      ...versions.gone.map((version) => `${version} is no longer served`),
      ...versions.added.map((version) => `${version} is served as well`),
      ...(added.length > 0 ? [`${count(added.length, 'field')} new (${first(added, 4)})`] : []),
      ...(gone.length > 0 ? [`${count(gone.length, 'field')} gone (${first(gone, 8)})`] : []),
      ...changedText(changed)
    ]
    return `CRD ${crd}: ${parts.join('; ')}`
  })
}

/** Preflight refuses an install for them; a check has only this. */
function lostLines({ fieldsLost, to }: UpgradeNotes): readonly string[] {
  return fieldsLost.map(
    ({ object, path }) => `${object}: the CRDs of ${to} have no ${path}, which it would lose`
  )
}

/** Rules and limits are counted: what they say is long, and the API server says it where it matters. */
function changedText(changed: UpgradeNotes['crds'][number]['changed']): readonly string[] {
  const told = changed.filter(({ change }) => /^(is |also |no longer |takes |default )/.test(change))
  const others = changed.length - told.length
  return [
    ...(told.length > 0
      ? [
          first(
            told.map(({ path, change }) => `${path} ${change}`),
            6
          )
        ]
      : []),
    ...(others > 0 ? [others === 1 ? '1 rule or limit changed' : `${others} rules and limits changed`] : [])
  ]
}

function chartLines({ chart }: UpgradeNotes): readonly string[] {
  if (chart === undefined) return []
  const { dead, added, gone, defaults } = chart
  return [
    ...dead.map(({ path, problem, given }) => `chart value ${path}, given ${given}: ${problem}`),
    ...defaults.map(
      ({ path, before, after }) => `chart default ${path}: ${shown(before)} becomes ${shown(after)}`
    ),
    ...(gone.length > 0 ? [`chart values gone: ${first(gone, 8)}`] : []),
    ...(added.length > 0
      ? [
          `chart values new: ${first(
            added.map(({ path, value: byDefault }) =>
              isMap(byDefault) ? path : `${path} (${shown(byDefault)})`
            ),
            12
          )}`
        ]
      : [])
  ]
}

function cautionLines({ cautions }: UpgradeNotes): readonly string[] {
  const other = cautions.filter(({ concerns }) => concerns === 'no').length
  return [
    ...cautions
      .filter(({ concerns }) => concerns !== 'no')
      .map(
        ({ version, text, handled }) =>
          `since ${version}: ${text}${handled === undefined ? '' : ` (${handled})`}`
      ),
    ...(other > 0
      ? [
          `${count(other, 'other caution')} of these versions ${other === 1 ? 'does' : 'do'} not concern this cluster`
        ]
      : [])
  ]
}

function nodeLines({ nodes }: UpgradeNotes, mode: ClusterMode): readonly string[] {
  if (nodes === undefined) return []
  const { causes, notes } = nodes
  return [
    ...(nodes.replaced + nodes.mayBeReplaced === 0 ? [nodesSentence(nodes, mode)] : []),
    ...causes.map(
      ({ object, reason, nodes: some, certain }) =>
        `nodes: ${object}: ${reason} (${certain ? '' : 'at most '}${count(some, 'node')})`
    ),
    ...notes.map((note) => `nodes: ${note}`)
  ]
}

/** `nodes: Karpenter will replace 5 of 12 and may replace 2 more, within the budgets of their NodePools`. */
function nodesSentence(
  { nodes, replaced, mayBeReplaced, driftedAlready }: NodeDrift,
  mode: ClusterMode
): string {
  const already =
    driftedAlready === 0
      ? ''
      : `; ${count(driftedAlready, 'node')} had drifted before, and will be replaced unless ${doer(mode)} undoes why`
  if (replaced + mayBeReplaced === 0)
    return `nodes: of ${count(nodes, 'node')} of Karpenter's, none is expected to be replaced because of ${doer(mode)}${already}`
  const parts = [
    ...(replaced > 0 ? [`will replace ${replaced}`] : []),
    ...(mayBeReplaced > 0 ? [`may replace ${mayBeReplaced}${replaced > 0 ? ' more' : ''}`] : [])
  ]
  return `nodes: Karpenter ${parts.join(' and ')} of its ${count(nodes, 'node')} because of ${doer(mode)}, within the budgets of their NodePools${already}`
}

/** Bytes that each part may take. */
const mostBytes = 10_000
const mostOpen = 12

/** For a page; the cautions and causes in full, what is long counted. */
export function upgradeText(notes: UpgradeNotes, mode: ClusterMode): string {
  const { from, to, direction } = notes
  const title =
    direction === 'same version'
      ? `Nodes that ${doer(mode)} replaces`
      : `${direction === 'upgrade' ? 'Upgrade' : 'Downgrade'} from ${from ?? ''} to ${to}`
  const parts = [
    part('Permissions', permissionLines(notes)),
    part('CRDs', [...crdLines(notes), ...lostLines(notes)]),
    part('Chart', chartLines(notes)),
    part('Cautions', cautionLines(notes)),
    part('Nodes', [
      ...(notes.nodes === undefined || notes.nodes.replaced + notes.nodes.mayBeReplaced === 0
        ? []
        : [nodesSentence(notes.nodes, mode)]),
      ...nodeLines(notes, mode)
    ])
  ].filter((text) => text !== '')
  return parts.length === 0 ? '' : [`### ${prose(title)}`, ...parts].join('\n\n')
}

/** Points under what they are about; what the log indents is a point below. */
function part(name: string, lines: readonly string[]): string {
  const points = lines.map((line) => `${line.startsWith('  ') ? '  ' : ''}- ${prose(line.trim())}`)
  return points.length === 0 ? '' : `**${name}**\n\n${fitting(opening(points, mostOpen), mostBytes)}`
}

function first(texts: readonly string[], most: number): string {
  const more = texts.length - most
  return more > 0 ? `${texts.slice(0, most).join(', ')} and ${more} more` : texts.join(', ')
}

function shown(of: unknown): string {
  if (of === undefined || of === '') return 'nothing'
  return cut(oneLine(typeof of === 'string' ? of : JSON.stringify(of)), 160)
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`
}
