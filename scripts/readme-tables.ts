import { load } from 'js-yaml'
import { catalogueRows } from '../src/preflight/catalogue.js'

/** The two parts of the README that are made from action.yml, and the markers around them. */
const parts = ['inputs', 'outputs'] as const
type Part = (typeof parts)[number]

/** The README with its tables as action.yml has them. Throws when a marker is not there. */
export function withTables(readme: string, action: string): string {
  const metadata = mapOf(load(action))
  return parts.reduce(
    (text, part) =>
      between('README.md', text, `${part} from action.yml`, part, tableOf(part, mapOf(metadata[part]))),
    readme
  )
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
  return between(
    'docs/preflight.md',
    page,
    'checks from src/preflight/catalogue.ts',
    'checks',
    table(head, rows)
  )
}

function tableOf(part: Part, entries: Readonly<Record<string, unknown>>): string {
  const rows = Object.entries(entries).map(([name, entry]) =>
    part === 'inputs' ? inputRow(name, mapOf(entry)) : [code(name), cell(mapOf(entry)['description'])]
  )
  const head = part === 'inputs' ? ['Input', 'Default', 'What it is'] : ['Output', 'What it is']
  return table(head, rows)
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

function inputRow(name: string, input: Readonly<Record<string, unknown>>): readonly string[] {
  const value = input['default']
  const shown = input['required'] === true ? 'required' : typeof value === 'string' ? code(value) : ''
  return [code(name), shown, cell(input['description'])]
}

function between(file: string, text: string, source: string, part: string, made: string): string {
  const start = `<!-- ${source}: npm run docs -->`
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
