import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { type ActionResult, type RunOptions, type Sandbox } from '../sandbox/index.js'
import { isRecord, list, record, text } from '../sandbox/values.js'
import { succeeded } from './scenario.js'
import { type Contexts, Workflow } from './workflow.js'

const action = 'org/setup-karpenter@v1'

/** What stands in for the repository that an example was copied into. */
export interface Repository {
  readonly folder: string
  put(path: string, content: string): void
}

export function repositoryIn(folder: string): Repository {
  return {
    folder,
    put: (path, content) => {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), content, { mode: 0o755 })
    }
  }
}

/** A file of examples/ as somebody has filled it in: its own text, but for the names in `filled`. */
export function example(
  repository: Repository,
  path: string,
  filled: Readonly<Record<string, string>> = {}
): Workflow {
  const given = readFileSync(path, 'utf8')
  const absent = Object.keys(filled).filter((name) => !given.includes(name))
  if (absent.length > 0) throw new Error(`${path}: it does not say ${absent.join(', ')}`)
  const copied = Object.entries(filled).reduce((all, [from, to]) => all.replaceAll(from, to), given)
  repository.put(`.github/workflows/${basename(path)}`, copied)
  return new Workflow(join(repository.folder, '.github/workflows', basename(path)))
}

export interface Job {
  readonly sandbox: Sandbox
  readonly repository: Repository
  readonly contexts: Contexts
  readonly options?: RunOptions
  /** Inputs that lead the action to the sandbox, over those of the example. */
  readonly over?: Readonly<Record<string, string>>
}

/** Runs the steps of an example's job one after another, and gives what each step of this action came to. */
export async function played(workflow: Workflow, name: string, job: Job): Promise<readonly ActionResult[]> {
  const { sandbox, repository, options } = job
  const ofJob = workflow.job(name)
  const environment = text(ofJob['environment'])
  const results: ActionResult[] = []
  const steps: Record<string, unknown> = {}
  for (const step of list(ofJob['steps']).map(record)) {
    const contexts = { github: {}, inputs: {}, matrix: {}, ...job.contexts, steps }
    if (step['uses'] === action) {
      const inputs = Workflow.filled(step['with'], contexts)
      const result = await sandbox.run(
        { ...inputs, ...job.over },
        {
          ...options,
          run: { subject: 'immutable', ...(environment !== undefined && { environment }), ...options?.run },
          env: {
            GITHUB_WORKSPACE: repository.folder,
            ...Workflow.filled(ofJob['env'], contexts),
            ...options?.env
          }
        }
      )
      results.push(succeeded(result))
      const id = text(step['id'])
      if (id !== undefined) steps[id] = { outputs: result.outputs }
    } else if (isRecord(step) && 'run' in step) {
      const { status, error } = Workflow.script(step, contexts, repository.folder)
      if (status !== 0) throw new Error(`${name}: ${text(step['name']) ?? ''} ended with ${status}: ${error}`)
    } else if (!/^actions\/checkout@[0-9a-f]{40}$/.test(text(step['uses']) ?? ''))
      throw new Error(`${name}: nobody plays ${JSON.stringify(step)}`)
  }
  return results
}
