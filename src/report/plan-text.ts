import type { InstallPlan, PlannedChange } from './install-plan.js'
import { cut, fenced, markdown, shown } from './markdown.js'

/** Differences of a resource that a person reads; the report has all. */
const mostDifferences = 8
const longestReason = 400
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

/** The plan for a person, as Markdown that can be taken apart between its blocks. */
export function planBlocks(plan: InstallPlan): readonly string[] {
  const { resources, refusals, asWanted, smokeTestPods } = plan
  const of = (action: PlannedChange['action']): readonly PlannedChange[] =>
    resources.filter((one) => one.action === action)
  return [
    ...(refusals.length === 0
      ? []
      : [`**An install would end before its first write:**\n\n${fenced(refusals.join('\n'))}`]),
    ...[...of('change'), ...of('remove')].map(changeBlock),
    ...made(of('create')),
    ...(resources.length === 0
      ? []
      : [
          `${asWanted} ${asWanted === 1 ? 'resource is' : 'resources are'} as wanted. ${
            smokeTestPods === 0
              ? 'No smoke test would follow.'
              : `A smoke test with ${smokeTestPods} pods would follow.`
          }`
        ])
  ]
}

function changeBlock({ action, title, differences }: PlannedChange): string {
  const first = differences.slice(0, mostDifferences)
  const more = differences.length - first.length
  return [
    `- ${action} **${shown(title)}**`,
    ...first.map(({ reason, effect }) => {
      const matters = effect === undefined ? '' : `; ${effect}`
      return `  - ${shown(cut(`${reason}${matters}`, longestReason))}`
    }),
    ...(more > 0 ? [`  - and ${more} more (see the report)`] : [])
  ].join('\n')
}

function made(changes: readonly PlannedChange[]): readonly string[] {
  if (changes.length === 0) return []
  const lines = changes.map(({ title }) => `- create **${shown(title)}**`).join('\n')
  return [changes.length > mostOpen ? folded(`${changes.length} to make`, lines) : lines]
}

/** Markdown of ours that is open only when it is asked for. */
export function folded(title: string, text: string): string {
  return `<details><summary>${shown(markdown(title))}</summary>\n\n${text}\n\n</details>`
}
