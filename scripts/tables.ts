import { load } from 'js-yaml'
import { catalogueRows } from '../src/preflight/catalogue.js'
import { growth } from '../bench/growth.js'
import type { InputGroup } from './input-groups.js'

/**
 * docs/inputs.md with its tables as action.yml has them, the inputs by what they are about. `modesOf`: the modes in which
 * an input means something. Throws when a marker is not there, or an input is in no group or in two.
 */
export function withTables(
  page: string,
  action: string,
  groups: readonly InputGroup[],
  modesOf: (input: string) => string
): string {
  const metadata = mapOf(load(action))
  const inputs = mapOf(metadata['inputs'])
  const grouped = groups.flatMap((group) => group.inputs)
  const wrong = [...new Set([...Object.keys(inputs), ...grouped])].filter(
    (name) => !(name in inputs) || grouped.filter((one) => one === name).length !== 1
  )
  if (wrong.length > 0)
    throw new Error(`scripts/input-groups.ts: not in exactly one group, or no input: ${wrong.join(', ')}`)
  const head = ['Input', 'Default', 'Modes', 'What it is']
  const tables = groups.map(({ title, inputs: names }) => {
    const rows = names.map((name) => inputRow(name, mapOf(inputs[name]), modesOf(name)))
    return `### ${title}\n\n${table(head, rows)}`
  })
  const outputs = Object.entries(mapOf(metadata['outputs'])).map(([name, entry]) => [
    code(name),
    cell(mapOf(entry)['description'])
  ])
  const withInputs = between(page, 'docs/inputs.md', 'inputs', `\n${tables.join('\n\n')}\n`)
  return between(withInputs, 'docs/inputs.md', 'outputs', table(['Output', 'What it is'], outputs))
}

/** docs/preflight.md with the table of every check. Throws when a marker is not there. */
export function withChecks(page: string): string {
  const rows = catalogueRows().map(([name, looksAt, level, says, override]) => [
    name === '' ? '' : code(name),
    cell(looksAt),
    level,
    cell(says),
    override === '' ? '' : code(override)
  ])
  const head = ['Check', 'What it looks at', 'Level', 'What the finding says', 'Override']
  return between(page, 'docs/preflight.md', 'checks', table(head, rows))
}

/** docs/benchmarks.md with the table of what a growing cluster adds. Throws when a marker is not there. */
export function withGrowth(page: string): string {
  const rows = Object.values(growth).map(({ count, what, adds }) => [
    `${count.toLocaleString('en')} ${what}`,
    String(adds.check),
    String(adds.install)
  ])
  const head = ['What a cluster gets', 'Requests more of a check', 'Requests more of an unchanged install']
  return between(page, 'docs/benchmarks.md', 'growth', table(head, rows))
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

function inputRow(name: string, input: Readonly<Record<string, unknown>>, modes: string): readonly string[] {
  const value = input['default']
  const shown = input['required'] === true ? 'required' : typeof value === 'string' ? code(value) : ''
  return [code(name), shown, modes, cell(input['description'])]
}

/** Where each generated part comes from, as its marker says. */
const sources = {
  inputs: 'inputs from action.yml',
  outputs: 'outputs from action.yml',
  checks: 'checks from src/preflight/catalogue.ts',
  growth: 'growth from bench/growth.ts'
} as const

function between(text: string, file: string, part: keyof typeof sources, made: string): string {
  const start = `<!-- ${sources[part]}: npm run docs -->`
  const end = `<!-- end of ${part} -->`
  const from = text.indexOf(start)
  const to = text.indexOf(end)
  if (from < 0 || to < from)
    throw new Error(`${file}: the markers ${start} and ${end} must stand around the table of ${part}`)
  return `${text.slice(0, from + start.length)}\n${made}\n${text.slice(to)}`
}

function cell(text: unknown): string {
  return typeof text === 'string' ? text.replaceAll('|', '\\|').replaceAll('\n', ' ') : ''
}

function code(text: string): string {
  return `\`${text}\``
}

function mapOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value))
    : {}
}
