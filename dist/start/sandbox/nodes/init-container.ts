import { spawn } from 'node:child_process'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { list, text } from '../values.js'
import { kubernetesTime } from './pod-status.js'

/** What a pod's packets reach from its node, by the security groups on the way. */
export interface PodNetwork {
  /** Pods on the nodes of the node groups, where CoreDNS runs: UDP 53. */
  readonly dns: boolean
  /** The network interfaces of the control plane: TCP 443. */
  readonly api: boolean
}

/** How a run of an init container ended, as a kubelet reports it. */
export interface InitEnd {
  readonly exitCode: number
  readonly reason: 'Completed' | 'Error' | 'StartError'
  readonly startedAt: string
  readonly finishedAt: string
  /** The end of the log of one that failed, where its terminationMessagePolicy asks for it. */
  readonly message: string
}

/** Images that have a shell; of any other nothing is known, and a command in it is not found. */
const SHELL = /(^|\/)busybox(:|@|$)/
/** A kubelet keeps so much of a log as a message, in characters and lines. */
const MESSAGE = { characters: 2048, lines: 80 }

/**
 * Runs an init container once. Its command is really run, by this machine's shell and with an `nc` in the place of BusyBox's
 * that reaches what the network lets it reach. Only `sh -c` is played.
 */
export async function runInitContainer(
  container: Readonly<Record<string, unknown>>,
  options: { readonly root: string; readonly network: PodNetwork; readonly signal: AbortSignal }
): Promise<InitEnd> {
  const startedAt = kubernetesTime(Date.now())
  const [program = '', flag, script = ''] = list(container['command']).flatMap((one) => text(one) ?? [])
  const end = (exitCode: number, reason: InitEnd['reason'], message: string): InitEnd => ({
    exitCode,
    reason,
    startedAt,
    finishedAt: kubernetesTime(Date.now()),
    message
  })
  if (program !== 'sh' || flag !== '-c' || !SHELL.test(text(container['image']) ?? '')) {
    return end(
      128,
      'StartError',
      `failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: exec: "${program}": executable file not found in $PATH`
    )
  }
  const programs = join(options.root, 'bin')
  await mkdir(programs, { recursive: true })
  await writeFile(join(programs, 'nc'), netcat(options.network))
  await chmod(join(programs, 'nc'), 0o755)
  const { exitCode, printed } = await run(script, programs, options.signal)
  const kept = printed.trimEnd().split('\n').slice(-MESSAGE.lines).join('\n').slice(-MESSAGE.characters)
  const told = exitCode !== 0 && container['terminationMessagePolicy'] === 'FallbackToLogsOnError'
  return end(exitCode, exitCode === 0 ? 'Completed' : 'Error', told ? kept : '')
}

/** What BusyBox 1.35's nc printed for each, tried on a machine: names first, then the connection. */
function netcat({ dns, api }: PodNetwork): string {
  const lines = [
    '#!/bin/sh',
    'while [ $# -gt 2 ]; do shift; done',
    // Pods of the sandbox know the API server's name only.
    `if [ "$1" != kubernetes.default ] || [ ${dns ? 'y' : 'n'} = n ]; then echo "nc: bad address '$1'" >&2; exit 1; fi`,
    `if [ "$2" != 443 ] || [ ${api ? 'y' : 'n'} = n ]; then echo "nc: can't connect to remote host (10.100.0.1): Connection timed out" >&2; exit 1; fi`,
    'exit 0'
  ]
  return `${lines.join('\n')}\n`
}

async function run(
  script: string,
  programs: string,
  signal: AbortSignal
): Promise<{ readonly exitCode: number; readonly printed: string }> {
  const child = spawn('/bin/sh', ['-c', script], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: `${programs}:/usr/bin:/bin` },
    // Its own group, so that what it waits for ends with it.
    detached: true
  })
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (some: string) => (printed += some))
  }
  const kill = (): void => {
    if (child.pid === undefined || child.exitCode !== null) return
    try {
      process.kill(-child.pid, 'SIGKILL')
    } catch {
      // It has ended by itself.
    }
  }
  signal.addEventListener('abort', kill, { once: true })
  if (signal.aborted) kill()
  process.once('exit', kill)
  try {
    return await new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code) => resolve({ exitCode: code ?? 137, printed }))
    })
  } finally {
    signal.removeEventListener('abort', kill)
    process.off('exit', kill)
  }
}
