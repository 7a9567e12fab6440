import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { listen } from '../../listen.js'
import { imagesFile } from './images.js'

export interface MotoOptions {
  /** Path of moto_server in its virtual environment. */
  readonly command: string
  readonly accountId: string
  /** Home region. */
  readonly region: string
}

export interface MotoServer {
  /** http://127.0.0.1:PORT */
  readonly url: string
  readonly pid: number | undefined
  readonly ended: Promise<void>
  stop(): Promise<void>
}

const longestStart = 60_000

/** Starts moto on a free port of 127.0.0.1 with the sandbox's images and no others. */
export async function startMoto({ command, accountId, region }: MotoOptions): Promise<MotoServer> {
  const folder = await mkdtemp(join(tmpdir(), 'setup-karpenter-moto-'))
  const imagesPath = join(folder, 'images.json')
  await writeFile(imagesPath, imagesFile())
  const port = await freePort()
  const child = spawn(command, ['-H', '127.0.0.1', '-p', String(port)], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      MOTO_ACCOUNT_ID: accountId,
      MOTO_AMIS_PATH: imagesPath,
      AWS_DEFAULT_REGION: region,
      PYTHONUNBUFFERED: '1'
    }
  })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-4000)))
  let ended: string | undefined
  const exit = new Promise<void>((resolve) => {
    child.once('exit', (code, signal) => {
      ended = `ended with ${code ?? signal ?? 'nothing'}`
      resolve()
    })
    child.once('error', (error) => {
      ended = error.message
      resolve()
    })
  })
  // A sandbox that breaks down leaves no server behind.
  const killOnExit = (): void => void child.kill('SIGTERM')
  process.once('exit', killOnExit)
  const url = `http://127.0.0.1:${port}`
  const stop = async (): Promise<void> => {
    if (ended === undefined) child.kill('SIGTERM')
    await exit
    process.off('exit', killOnExit)
    await rm(folder, { recursive: true, force: true })
  }
  const deadline = Date.now() + longestStart
  while (!(await answers(url))) {
    if (ended !== undefined || Date.now() > deadline) {
      const how = ended ?? `did not answer within ${longestStart / 1000} s`
      await stop()
      throw new Error(`${command}: ${how}\n${said}`)
    }
    await Promise.race([exit, setTimeout(50)])
  }
  return { url, pid: child.pid, ended: exit, stop }
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/moto-api/`, { method: 'HEAD' })
    await response.arrayBuffer()
    return true
  } catch {
    return false
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  const listening = await listen(server)
  const closed = once(server, 'close')
  await Promise.all([listening.close(), closed])
  return listening.port
}
