import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Sandbox } from '../../sandbox/index.js'
import { record } from '../../sandbox/values.js'

const checkout = fileURLToPath(new URL('../..', import.meta.url))

export interface SecondResult {
  readonly log: string
  /** What post wrote after its title. */
  readonly post: string
  readonly outputs: Readonly<Record<string, string>>
  /** What main left for post. */
  readonly cleanup: string
  readonly summary: string
  /** Empty when the run left none. */
  readonly report: Readonly<Record<string, unknown>>
}

/**
 * Runs src/main.ts and then src/post.ts in GitHub's own runner for developers, with the sandbox's cloud and cluster. It hands
 * out no OIDC token ("Not implemented"), so that the credentials are those of an earlier step. `stopAt`: when the step is
 * cancelled.
 */
export async function runSecond(
  program: string,
  sandbox: Sandbox,
  inputs: Readonly<Record<string, string>>,
  stopAt?: Promise<unknown>
): Promise<SecondResult> {
  const folder = await mkdtemp(join(tmpdir(), 'second-runner-'))
  try {
    const summary = join(folder, 'summary.md')
    const keys = sandbox.cloud.credentialsFor(sandbox.deployerRoleArn, 3600)
    const given = {
      'cluster-name': sandbox.name,
      chart: sandbox.published.chart,
      'chart-trust-root': sandbox.published.trustRootPath,
      'helm-download-url': sandbox.published.url,
      template: 'built-in',
      ...inputs
    }
    // A shell stands between, and shells drop variables with a hyphen: inputs come by the file, which is this runner's way.
    const file = join(folder, '.env')
    const lines = Object.entries(given).map(([name, value]) => `INPUT_${name.toUpperCase()}='${value}'`)
    await writeFile(file, lines.join('\n'))
    const log = await logOf(program, file, stopAt, {
      PATH: process.env['PATH'],
      HOME: folder,
      LANG: 'C.UTF-8',
      GITHUB_WORKSPACE: folder,
      GITHUB_STEP_SUMMARY: summary,
      GITHUB_SERVER_URL: 'https://github.com',
      GITHUB_REPOSITORY: 'octo-org/octo-repo',
      GITHUB_RUN_ID: '1234567890',
      GITHUB_RUN_ATTEMPT: '1',
      GITHUB_JOB: 'karpenter',
      RUNNER_TEMP: folder,
      RUNNER_TOOL_CACHE: join(folder, 'tools'),
      ...sandbox.env,
      AWS_ACCESS_KEY_ID: keys.accessKeyId,
      AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
      AWS_SESSION_TOKEN: keys.sessionToken
    })
    const outputs = Object.fromEntries(
      [...log.matchAll(/^::set-output name=([^:]+)::(.*)$/gm)].map(([, name = '', value = '']) => [
        name,
        value
      ])
    )
    const report = outputs['report'] === undefined ? '{}' : await readFile(outputs['report'], 'utf8')
    const post = log.slice(log.indexOf('Running Post Step'), log.indexOf('Action Outputs'))
    return {
      log,
      post,
      outputs,
      cleanup: /^state cleanup=(.*)$/m.exec(post)?.[1] ?? 'post did not begin',
      summary: await readFile(summary, 'utf8'),
      report: record(JSON.parse(report))
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function logOf(
  program: string,
  file: string,
  stopAt: Promise<unknown> | undefined,
  env: NodeJS.ProcessEnv
): Promise<string> {
  const entries = ['e2e/local-action/main.ts', file, '--post', 'e2e/local-action/post.ts']
  const child = spawn(process.execPath, [program, '.', ...entries], {
    cwd: checkout,
    env,
    stdio: ['ignore', 'pipe', 'pipe']
  })
  const chunks: Buffer[] = []
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
    })
  // To the action's own process, as GitHub's runner sends it. Ctrl-C would reach those between as well, and tsx, one of
  // them, signals anew what has not told it of the first signal within 30 ms and kills it after 60.
  stopAt?.then(
    () => {
      const [, action] = /^process=(\d+)$/m.exec(Buffer.concat(chunks).toString('utf8')) ?? []
      if (action !== undefined) process.kill(Number(action), 'SIGINT')
    },
    () => undefined
  )
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', () => resolve())
  })
  return Buffer.concat(chunks).toString('utf8')
}
