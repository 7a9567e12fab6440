import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parsePairs, parsePath } from './file-commands.js'

/** The files of one step, and the variables that tell the step of them. */
export interface StepFiles {
  readonly variables: Readonly<Record<string, string>>
  read(): Promise<StepResults>
}

export interface StepResults {
  readonly outputs: Record<string, string>
  readonly state: Record<string, string>
  readonly env: Record<string, string>
  readonly path: readonly string[]
  readonly summary: string
  /** What the runner says of a file that it cannot parse; the step fails then. */
  readonly errors: readonly string[]
}

const FILES = {
  GITHUB_OUTPUT: 'set_output',
  GITHUB_STATE: 'save_state',
  GITHUB_ENV: 'set_env',
  GITHUB_PATH: 'add_path',
  GITHUB_STEP_SUMMARY: 'step_summary'
} as const

/** A step's summary above this is dropped as a whole (GitHub's limit: 1 MiB). */
const SUMMARY_LIMIT = 1024 * 1024

/** Makes the empty files for one step in `folder`. */
export async function createStepFiles(folder: string, step: string): Promise<StepFiles> {
  await mkdir(folder, { recursive: true })
  const variables: Record<string, string> = {}
  for (const [variable, name] of Object.entries(FILES)) {
    const path = join(folder, `${name}_${step}`)
    await writeFile(path, '')
    variables[variable] = path
  }
  const content = async (variable: keyof typeof FILES): Promise<string> =>
    readFile(variables[variable] ?? '', 'utf8').catch(() => '')

  return {
    variables,
    read: async () => {
      const errors: string[] = []
      const pairs = async (variable: keyof typeof FILES): Promise<Record<string, string>> => {
        try {
          return parsePairs(await content(variable))
        } catch (error) {
          errors.push(`Unable to process file command '${variable}' successfully. ${String(error)}`)
          return {}
        }
      }
      const summary = await content('GITHUB_STEP_SUMMARY')
      const tooLong = Buffer.byteLength(summary) > SUMMARY_LIMIT
      if (tooLong) {
        errors.push('$GITHUB_STEP_SUMMARY upload aborted, supports content up to a size of 1024k')
      }
      return {
        outputs: await pairs('GITHUB_OUTPUT'),
        state: await pairs('GITHUB_STATE'),
        env: await pairs('GITHUB_ENV'),
        path: parsePath(await content('GITHUB_PATH')),
        summary: tooLong ? '' : summary,
        errors
      }
    }
  }
}
