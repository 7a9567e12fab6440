import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import {
  inputEnvironment,
  readActionMetadata,
  unexpectedInputs,
  type PostCondition
} from './action-metadata.js'
import { isBlockedVariable } from './file-commands.js'
import type { IdTokenGrant, WorkflowRun } from './id-token.js'
import { Masks } from './masks.js'
import { filesBelow, leaksIn, type Leak } from './secrets.js'
import { createStepFiles, type StepResults } from './step-files.js'
import { StepLog, type Annotation } from './step-log.js'
import {
  RUNNER_SIGNALS,
  runStepProcess,
  type CancelAt,
  type LostAt,
  type SignalTimes,
  type StepEnd
} from './step-process.js'

/** One step of a workflow: `uses: <actionDir>` with `with:` and what its job has. */
export interface ActionRun {
  /** Folder with action.yml. */
  readonly actionDir: string
  /** `with:` of the workflow. */
  readonly inputs: Readonly<Record<string, string>>
  readonly run: WorkflowRun
  /** What `permissions: id-token: write` gives; undefined without that permission. */
  readonly idToken: IdTokenGrant | undefined
  /** Variables beyond the runner's own. */
  readonly env?: Readonly<Record<string, string>>
  /** Folders before the PATH of the machine. */
  readonly path?: string
  /** Node 24, absolute. */
  readonly node: string
  readonly cancelAt?: CancelAt
  readonly lostAt?: LostAt
  /** Milliseconds. */
  readonly timeout?: number
  readonly signals?: SignalTimes
  /** RUNNER_TOOL_CACHE, kept between runs when given. */
  readonly toolCache?: string
  /** Sees each line as it comes, masked. */
  readonly onLine?: (line: string) => void
  /** Secrets by name that must appear nowhere; read when the run has ended. */
  readonly secrets?: () => Readonly<Record<string, string>>
  readonly debug?: boolean
}

export type Conclusion = 'success' | 'failure' | 'cancelled'

export interface ActionResult {
  /** Of main. Null when a signal ended it. */
  readonly exitCode: number | null
  readonly conclusion: Conclusion
  readonly timedOut: boolean
  /** The whole log of main, masked, groups opened. */
  readonly log: string
  /** Lines of main seen with groups folded. */
  readonly visible: readonly string[]
  /** Output of main as the process wrote it, unmasked. */
  readonly raw: string
  readonly annotations: readonly Annotation[]
  readonly outputs: Readonly<Record<string, string>>
  readonly state: Readonly<Record<string, string>>
  readonly summary: string
  /** What main put into GITHUB_ENV. */
  readonly env: Readonly<Record<string, string>>
  readonly masks: readonly string[]
  readonly milliseconds: number
  readonly maxRssBytes: number | undefined
  /** Undefined when the action has no post step or its condition did not hold. */
  readonly post: PostResult | undefined
  /** Text of every file that main left on the runner's disk, by path; the disk itself is gone after the run. */
  readonly files: Readonly<Record<string, string>>
  /** Secrets found in log, outputs, state, summary, environment or files on the runner's disk. */
  readonly leaks: readonly Leak[]
}

export interface PostResult {
  readonly exitCode: number | null
  readonly log: string
  readonly visible: readonly string[]
  readonly annotations: readonly Annotation[]
  readonly milliseconds: number
}

const MINUTES_15 = 15 * 60 * 1000

/** Runs main and then post of the action, as GitHub's runner does for one step of a job. */
export async function runAction(step: ActionRun): Promise<ActionResult> {
  const root = await mkdtemp(join(tmpdir(), 'runner-'))
  try {
    return await runBelow(root, step)
  } finally {
    await rm(root, { recursive: true, force: true })
  }
}

async function runBelow(root: string, step: ActionRun): Promise<ActionResult> {
  const metadata = await readActionMetadata(step.actionDir)
  const masks = new Masks()
  if (step.idToken !== undefined) {
    masks.add(step.idToken.requestToken)
  }
  const base = await jobEnvironment(root, step)
  const inputs = inputEnvironment(metadata.inputs, step.inputs)

  const main = await runScript(
    {
      script: metadata.main,
      name: 'main',
      environment: { ...base, ...inputs },
      cancelAt: step.cancelAt
    },
    { root, step, masks }
  )
  const unexpected = unexpectedInputs(metadata.inputs, step.inputs)
  if (unexpected.length > 0) {
    const valid = metadata.inputs.map((input) => `'${input.name}'`).join(', ')
    main.log.annotate(
      'warning',
      `Unexpected input(s) ${unexpected.map((name) => `'${name}'`).join(', ')}, valid inputs are [${valid}]`
    )
  }
  const conclusion = conclusionOf(main)
  const state = { ...main.log.state, ...main.results.state }

  let post: ScriptRun | undefined
  if (metadata.post !== undefined && !main.end.lost && holds(metadata.postIf, conclusion)) {
    const environment = { ...base, ...allowed(main.results.env), ...inputs, ...stateVariables(state) }
    environment['PATH'] = [...main.results.path, environment['PATH'] ?? ''].join(delimiter)
    post = await runScript({ script: metadata.post, name: 'post', environment }, { root, step, masks })
  }

  const outputs = { ...main.log.outputs, ...main.results.outputs }
  return {
    exitCode: main.end.exitCode,
    conclusion,
    timedOut: main.end.timedOut,
    log: main.log.lines.join('\n'),
    visible: main.log.visible,
    raw: main.raw.join('\n'),
    annotations: main.log.annotations,
    outputs,
    state,
    summary: masks.apply(main.results.summary),
    env: main.results.env,
    masks: masks.values,
    milliseconds: main.end.milliseconds,
    maxRssBytes: main.end.maxRssBytes,
    post:
      post === undefined
        ? undefined
        : {
            exitCode: post.end.exitCode,
            log: post.log.lines.join('\n'),
            visible: post.log.visible,
            annotations: post.log.annotations,
            milliseconds: post.end.milliseconds
          },
    files: main.files,
    leaks: leaksIn(step.secrets?.() ?? {}, {
      log: [...main.log.lines, ...(post?.log.lines ?? [])].join('\n'),
      outputs: JSON.stringify(outputs),
      state: JSON.stringify(state),
      summary: main.results.summary,
      env: JSON.stringify(main.results.env),
      ...main.files,
      ...(await filesBelow(root))
    })
  }
}

interface ScriptRun {
  readonly end: StepEnd
  readonly log: StepLog
  readonly raw: readonly string[]
  readonly results: StepResults
  readonly files: Readonly<Record<string, string>>
}

interface Script {
  readonly script: string
  readonly name: 'main' | 'post'
  readonly environment: Readonly<Record<string, string>>
  readonly cancelAt?: CancelAt | undefined
}

async function runScript(
  { script, name, environment, cancelAt }: Script,
  { root, step, masks }: { readonly root: string; readonly step: ActionRun; readonly masks: Masks }
): Promise<ScriptRun> {
  const files = await createStepFiles(join(root, 'temp', '_runner_file_commands'), name)
  const log = new StepLog(masks, step.debug === true)
  const raw: string[] = []
  const end = await runStepProcess({
    node: step.node,
    script,
    cwd: join(root, 'workspace'),
    env: { ...environment, ...files.variables },
    onLine: (line) => {
      raw.push(line)
      const before = log.lines.length
      log.take(line)
      for (const shown of log.lines.slice(before)) {
        step.onLine?.(shown)
      }
    },
    ...(cancelAt === undefined ? {} : { cancelAt }),
    ...(step.lostAt !== undefined && name === 'main' && { lostAt: step.lostAt }),
    timeout: step.timeout ?? MINUTES_15,
    signals: step.signals ?? RUNNER_SIGNALS
  })
  const results = await files.read()
  for (const error of results.errors) {
    log.annotate('error', error)
  }
  return { end, log, raw, results, files: await filesBelow(root) }
}

/** What every step of a job has, and nothing of the process that runs the test. */
async function jobEnvironment(root: string, step: ActionRun): Promise<Record<string, string>> {
  const folders = {
    HOME: join(root, 'home'),
    RUNNER_TEMP: join(root, 'temp'),
    RUNNER_TOOL_CACHE: step.toolCache ?? join(root, 'tool-cache'),
    GITHUB_WORKSPACE: join(root, 'workspace')
  }
  for (const folder of Object.values(folders)) {
    await mkdir(folder, { recursive: true })
  }
  return {
    PATH: step.path ?? '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    LANG: 'C.UTF-8',
    CI: 'true',
    GITHUB_ACTIONS: 'true',
    ...folders,
    RUNNER_OS: 'Linux',
    RUNNER_ARCH: process.arch === 'arm64' ? 'ARM64' : 'X64',
    RUNNER_NAME: 'GitHub Actions 1',
    RUNNER_ENVIRONMENT: 'github-hosted',
    GITHUB_SERVER_URL: step.run.serverUrl,
    GITHUB_API_URL: step.run.serverUrl.replace('://', '://api.'),
    GITHUB_REPOSITORY: step.run.repository,
    GITHUB_REPOSITORY_ID: step.run.repositoryId,
    GITHUB_REPOSITORY_OWNER: step.run.repository.split('/')[0] ?? '',
    GITHUB_REPOSITORY_OWNER_ID: step.run.repositoryOwnerId,
    GITHUB_REF: step.run.ref,
    GITHUB_REF_NAME: step.run.ref.replace(/^refs\/(heads|tags)\//, ''),
    GITHUB_SHA: '0123456789abcdef0123456789abcdef01234567',
    GITHUB_RUN_ID: step.run.runId,
    GITHUB_RUN_NUMBER: '1',
    GITHUB_RUN_ATTEMPT: step.run.runAttempt,
    GITHUB_ACTOR: 'octocat',
    GITHUB_WORKFLOW: 'karpenter',
    GITHUB_JOB: 'karpenter',
    GITHUB_EVENT_NAME: 'push',
    GITHUB_ACTION_PATH: step.actionDir,
    ...(step.debug === true ? { RUNNER_DEBUG: '1' } : {}),
    ...(step.idToken === undefined
      ? {}
      : {
          ACTIONS_ID_TOKEN_REQUEST_URL: step.idToken.url,
          ACTIONS_ID_TOKEN_REQUEST_TOKEN: step.idToken.requestToken
        }),
    ...step.env
  }
}

function conclusionOf(main: ScriptRun): Conclusion {
  if (main.end.cancelled) {
    return main.end.timedOut ? 'failure' : 'cancelled'
  }
  return main.end.exitCode === 0 && main.results.errors.length === 0 ? 'success' : 'failure'
}

function holds(condition: PostCondition, conclusion: Conclusion): boolean {
  switch (condition) {
    case 'always()':
      return true
    case 'success()':
      return conclusion === 'success'
    case 'failure()':
      return conclusion === 'failure'
    case 'cancelled()':
      return conclusion === 'cancelled'
    case '!cancelled()':
      return conclusion !== 'cancelled'
  }
}

function allowed(env: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !isBlockedVariable(name)))
}

function stateVariables(state: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(state).map(([name, value]) => [`STATE_${name}`, value]))
}
