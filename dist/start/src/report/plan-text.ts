import type { InstallPlan, PlannedChange } from './install-plan.js'
import { authorText, reasonText, severityRanks } from './finding-block.js'
import { bold, cut, literal } from './markdown.js'
import { errorQuote } from './prose.js'
import type { Section } from './sections.js'

/** Differences of a resource that a person reads; the report has all. */
const mostDifferences = 8
const mostRefusals = 20
const longestRefusal = 1500
/** A list that is longer is folded. */
const mostOpen = 12

/** `30 resources to make`, `2 to make, 3 to change, 4 nodes to be replaced`, `nothing to change`. */
export function planHeadline(plan: InstallPlan): string {
  const { resources, nodes, refusals } = plan
  const count = (action: PlannedChange['action']): number =>
    resources.filter((one) => one.action === action).length
  const counts = [
    [count('create'), 'to make'],
    [count('change'), 'to change'],
    [count('remove'), 'to remove']
  ] as const
  const parts = counts.filter(([number]) => number > 0)
  const resource = (number: number): string => (number === 1 ? '1 resource' : `${number} resources`)
  const said = [
    ...parts.map(([number, what], index) => `${index === 0 ? resource(number) : number} ${what}`),
    ...nodesTexts(nodes),
    ...(refusals.length > 0 ? ['an install would be refused'] : [])
  ]
  return said.length === 0 ? 'nothing to change' : said.join(', ')
}

function nodesTexts(nodes: InstallPlan['nodes']): readonly string[] {
  const { replaced = 0, mayBeReplaced = 0 } = nodes ?? {}
  const node = (number: number): string => (number === 1 ? '1 node' : `${number} nodes`)
  return [
    ...(replaced > 0 ? [`${node(replaced)} to be replaced`] : []),
    ...(mayBeReplaced > 0 ? [`${node(mayBeReplaced)} that may be`] : [])
  ]
}

/** The output `plan`: one line of JSON, without the values of fields, which the report has. */
export function planOutput(plan: InstallPlan): string {
  return JSON.stringify({
    ...plan,
    resources: plan.resources.map((change) => ({
      ...change,
      differences: change.differences.map(({ path, reason, severity }) => ({ path, reason, severity }))
    }))
  })
}

/** The plan for a person. */
export function planSections(plan: InstallPlan): readonly Section[] {
  const { resources, refusals, asWanted, smokeTestPods } = plan
  const of = (actions: readonly PlannedChange['action'][], what: string): Section => {
    const blocks = resources.filter(({ action }) => actions.includes(action)).map(changeBlock)
    return blocks.length > mostOpen ? { title: `${blocks.length} ${what}`, blocks } : { blocks }
  }
  const rest = asWanted === 1 ? '1 resource is as wanted.' : `${asWanted} resources are as wanted.`
  const proof =
    smokeTestPods === 0
      ? 'No smoke test would follow.'
      : `A smoke test with ${smokeTestPods} pods would follow.`
  return [
    { blocks: refusals.length === 0 ? [] : [refusalBlock(refusals)] },
    of(['change', 'remove'], 'to change'),
    of(['create'], 'to make'),
    { blocks: resources.length === 0 ? [] : [`${rest} ${proof}`] }
  ].filter(({ blocks }) => blocks.length > 0)
}

function refusalBlock(refusals: readonly string[]): string {
  const first = refusals.slice(0, mostRefusals).map((text) => errorQuote(cut(text, longestRefusal)))
  const more = refusals.length - first.length
  return [
    '**An install would end before its first write:**',
    ...first,
    ...(more > 0 ? [`and ${more} more (see the report)`] : [])
  ].join('\n\n')
}

function changeBlock({ action, title, differences }: PlannedChange): string {
  const gravest = differences.toSorted((a, b) => severityRanks[a.severity] - severityRanks[b.severity])
  const first = gravest.slice(0, mostDifferences)
  const more = differences.length - first.length
  return [
    `- ${action} ${bold(title)}`,
    ...first.map((difference) => {
      const { by } = difference
      const who = by === undefined ? '' : ` (by ${literal(authorText(by))})`
      return `  - ${reasonText(difference)}${who}`
    }),
    ...(more > 0 ? [`  - and ${more} more (see the report)`] : [])
  ].join('\n')
}
