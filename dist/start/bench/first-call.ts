import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { listen } from '../sandbox/listen.js'
import { inputEnvironment, readActionMetadata } from '../sandbox/runner/action-metadata.js'
import { median, type Figure } from './figure.js'

const runs = 11

/** From the start of the process to the moment its first request to AWS arrives. */
export async function firstCall(root: string): Promise<Figure> {
  const { main, inputs } = await readActionMetadata(root)
  const given = inputEnvironment(inputs, { 'cluster-name': 'bench', region: 'eu-west-1' })
  const times: number[] = []
  // The first run reads the files from disk and is not counted.
  for (let run = 0; run <= runs; run++) {
    const time = await untilFirstRequest(main, given)
    if (run > 0) times.push(time)
  }
  return {
    name: 'Process start to first API call',
    value: median(times),
    limit: 130,
    unit: 'ms',
    detail: `median of ${runs}, ${Math.min(...times).toFixed(0)} to ${Math.max(...times).toFixed(0)}`
  }
}

async function untilFirstRequest(main: string, inputs: Readonly<Record<string, string>>): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'setup-karpenter-bench-'))
  const server = createServer()
  const listening = await listen(server)
  const arrived = once(server, 'request').then(() => performance.now())
  const startedAt = performance.now()
  const child = spawn(process.execPath, [main], {
    stdio: 'ignore',
    cwd: folder,
    env: {
      ...inputs,
      HOME: folder,
      RUNNER_TEMP: folder,
      PATH: process.env['PATH'],
      AWS_ENDPOINT_URL: `http://127.0.0.1:${listening.port}`,
      AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
      AWS_SECRET_ACCESS_KEY: 'bench'
    }
  })
  const exited = once(child, 'exit')
  const time = await Promise.race([
    arrived,
    exited.then(() => {
      throw new Error('dist: it ended before it made a call; run `npm run build` and try again')
    })
  ]).finally(async () => {
    child.kill('SIGKILL')
    await listening.close()
  })
  await exited
  rmSync(folder, { recursive: true, force: true })
  return time - startedAt
}
