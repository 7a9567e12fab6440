import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { data, Evaluator, Lexer, Parser } from '@actions/expressions'
import { load } from 'js-yaml'
import { list, record, text } from '../sandbox/values.js'

type Step = Readonly<Record<string, unknown>>

/** What expressions of a job see: `inputs`, `matrix`, `needs`, `steps`. */
export type Contexts = Readonly<Record<string, unknown>>

/** A workflow of this repository, its expressions evaluated by GitHub's own library. */
export class Workflow {
  readonly #jobs: Readonly<Record<string, unknown>>
  readonly #called: Readonly<Record<string, unknown>>

  constructor(path: string) {
    const file = record(load(readFileSync(path, 'utf8')))
    this.#jobs = record(file['jobs'])
    this.#called = record(record(file['on'])['workflow_call'])
  }

  /** The inputs that a caller of this workflow may give, with their defaults. */
  inputs(): Readonly<Record<string, unknown>> {
    const declared = Object.entries(record(this.#called['inputs']))
    return Object.fromEntries(declared.map(([name, input]) => [name, record(input)['default']]))
  }

  job(name: string): Step {
    return record(this.#jobs[name])
  }

  /** The job's step of that name. */
  step(job: string, name: string): Step {
    const found = list(this.job(job)['steps'])
      .map(record)
      .find((step) => step['name'] === name)
    if (found === undefined) throw new Error(`job ${job} has no step ${name}`)
    return found
  }

  /** Whether the job runs, its needs having come out so and nothing being cancelled. */
  runs(job: string, contexts: Contexts): boolean {
    const condition = text(this.job(job)['if']) ?? 'success()'
    return evaluated(condition, contexts) === 'true'
  }

  /** A step's `with` or `env`, or a job's `with`, as texts. */
  static filled(block: unknown, contexts: Contexts): Readonly<Record<string, string>> {
    return Object.fromEntries(
      Object.entries(record(block)).map(([name, value]) => [
        name,
        String(value).replaceAll(/\$\{\{(.*?)\}\}/gs, (_all, expression: string) =>
          evaluated(expression, contexts)
        )
      ])
    )
  }

  /** Runs a step's script as the runner does, and gives what it wrote into GITHUB_OUTPUT. */
  static script(
    step: Step,
    contexts: Contexts,
    folder: string
  ): {
    readonly status: number | null
    readonly error: string
    readonly outputs: Readonly<Record<string, string>>
  } {
    const own = mkdtempSync(join(tmpdir(), 'workflow-step-'))
    const output = join(own, 'output')
    writeFileSync(output, '')
    try {
      const { status, stderr } = spawnSync('bash', ['--norc', '-e', '-c', text(step['run']) ?? ''], {
        cwd: folder,
        encoding: 'utf8',
        env: { PATH: process.env['PATH'], ...Workflow.filled(step['env'], contexts), GITHUB_OUTPUT: output }
      })
      const lines = readFileSync(output, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
      const outputs = lines.map((line): readonly [string, string] => {
        const at = line.indexOf('=')
        return [line.slice(0, at), line.slice(at + 1)]
      })
      return { status, error: stderr, outputs: Object.fromEntries(outputs) }
    } finally {
      rmSync(own, { recursive: true, force: true })
    }
  }
}

const no = new data.BooleanData(false)
const yes = new data.BooleanData(true)
/** No job of these is cancelled. */
const status = new Map(
  [
    { name: 'always', call: () => yes },
    { name: 'cancelled', call: () => no },
    { name: 'success', call: () => yes }
  ].map((one) => [one.name, { ...one, minArgs: 0, maxArgs: 0 }] as const)
)

/** As text; a list or map as JSON. */
function evaluated(expression: string, contexts: Contexts): string {
  const { tokens } = new Lexer(expression.trim()).lex()
  const tree = new Parser(tokens, Object.keys(contexts), [...status.values()]).parse()
  const dictionary: unknown = JSON.parse(JSON.stringify(contexts), data.reviver)
  if (!(dictionary instanceof data.Dictionary)) throw new Error('contexts are no map')
  const result = new Evaluator(tree, dictionary, status).evaluate()
  return result.primitive ? result.coerceString() : JSON.stringify(result, data.replacer)
}
