import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { load } from 'js-yaml'
import { record, text } from '../values.js'

/** When a post step runs, as GitHub's runner understands `post-if`. */
export type PostCondition = 'always()' | 'success()' | 'failure()' | 'cancelled()' | '!cancelled()'

export interface ActionInput {
  readonly name: string
  /** As written in action.yml; undefined where there is none. */
  readonly default: string | undefined
}

/** What the runner reads from an action.yml before it starts anything. */
export interface ActionMetadata {
  readonly using: string
  /** Absolute path of the main script. */
  readonly main: string
  /** Absolute path of the post script, when there is one. */
  readonly post: string | undefined
  readonly postIf: PostCondition
  readonly inputs: readonly ActionInput[]
}

const CONDITIONS: readonly PostCondition[] = [
  'always()',
  'success()',
  'failure()',
  'cancelled()',
  '!cancelled()'
]

/** Reads `<directory>/action.yml`. Throws when it is no JavaScript action, naming the field. */
export async function readActionMetadata(directory: string): Promise<ActionMetadata> {
  const path = join(directory, 'action.yml')
  return parseActionMetadata(await readFile(path, 'utf8'), directory)
}

/** The same from the file's text; paths are resolved against `directory`. */
function parseActionMetadata(yaml: string, directory: string): ActionMetadata {
  const document = record(load(yaml))
  const runs = record(document['runs'])
  const using = text(runs['using'])
  const main = text(runs['main'])
  if (using === undefined || main === undefined) {
    throw new Error('action.yml: runs.using and runs.main must be there for a JavaScript action')
  }
  const post = text(runs['post'])
  const wanted = text(runs['post-if']) ?? 'always()'
  const postIf = CONDITIONS.find((condition) => condition === wanted.replace(/^\$\{\{\s*|\s*\}\}$/g, ''))
  if (postIf === undefined) {
    throw new Error(
      `action.yml: runs.post-if is ${wanted}; the sandbox's runner knows ${CONDITIONS.join(', ')}`
    )
  }
  const inputs = Object.entries(record(document['inputs'])).map(([name, input]) => ({
    name,
    default: text(record(input)['default'])
  }))
  return {
    using,
    main: join(directory, main),
    post: post === undefined ? undefined : join(directory, post),
    postIf,
    inputs
  }
}

/**
 * The INPUT_* variables of a step. The name is upper-cased and spaces become `_`; hyphens stay, as the runner keeps
 * them. Defaults fill what the workflow leaves out; an input without default that is left out is an empty string.
 */
export function inputEnvironment(
  inputs: readonly ActionInput[],
  given: Readonly<Record<string, string>>
): Record<string, string> {
  const environment: Record<string, string> = {}
  for (const input of inputs) {
    environment[variableOf(input.name)] = input.default ?? ''
  }
  for (const [name, value] of Object.entries(given)) {
    environment[variableOf(name)] = value
  }
  return environment
}

/** Names that the workflow passes and action.yml does not declare: the runner warns of them and goes on. */
export function unexpectedInputs(
  inputs: readonly ActionInput[],
  given: Readonly<Record<string, string>>
): readonly string[] {
  const declared = new Set(inputs.map((input) => input.name.toLowerCase()))
  return Object.keys(given).filter((name) => !declared.has(name.toLowerCase()))
}

function variableOf(name: string): string {
  return `INPUT_${name.replaceAll(' ', '_').toUpperCase()}`
}
