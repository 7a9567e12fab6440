import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ContainerLog } from '../../../sandbox/nodes/container-log.js'
import {
  runControllerContainer,
  type ControllerContainer
} from '../../../sandbox/nodes/controller-container.js'
import type { ContainerReport } from '../../../sandbox/nodes/pod-status.js'

const pod = {
  metadata: { name: 'karpenter-1', namespace: 'karpenter', uid: 'u' },
  spec: {
    volumes: [
      { name: 'aws', projected: { sources: [{ serviceAccountToken: { path: 'token', audience: 'sts' } }] } }
    ]
  }
}
const container = {
  name: 'controller',
  env: [
    { name: 'AWS_WEB_IDENTITY_TOKEN_FILE', value: '/var/run/aws/token' },
    { name: 'METRICS_PORT', value: '8080' }
  ],
  volumeMounts: [{ name: 'aws', mountPath: '/var/run/aws' }]
}

let folder: string
let running: ControllerContainer | undefined
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'controller-'))
})
afterEach(async () => {
  await running?.stop(1000)
  await rm(folder, { recursive: true, force: true })
})

/** Runs a shell script as the controller until a report is as wanted. */
async function runUntil(
  script: string,
  wanted: (report: ContainerReport) => boolean,
  tokenFor: (token: { readonly audience: string }) => Promise<string> = async (token) =>
    `token for ${token.audience}`
): Promise<{ reports: ContainerReport[]; log: ContainerLog }> {
  const binary = join(folder, 'controller')
  await writeFile(binary, `#!/bin/sh\n${script}\n`)
  await chmod(binary, 0o755)
  const log = new ContainerLog()
  const reports: ContainerReport[] = []
  await new Promise<void>((resolve) => {
    running = runControllerContainer({
      pod,
      container,
      binary,
      root: join(folder, 'root'),
      log,
      allocatable: {},
      apiEndpoint: 'https://127.0.0.1:1',
      apiCaData: '',
      cloudUrl: 'http://127.0.0.1:2',
      agentUrl: 'http://127.0.0.1:3',
      tokenFor,
      report: async (report) => {
        reports.push(report)
        if (wanted(report)) {
          resolve()
        }
      }
    })
  })
  return { reports, log }
}

describe('the container of a controller', () => {
  it('finds its token where the pod says, its own ports, and the cloud', async () => {
    const { log } = await runUntil(
      'cat "$AWS_WEB_IDENTITY_TOKEN_FILE"; echo; echo "$AWS_ENDPOINT_URL"; [ "$METRICS_PORT" != 8080 ] && echo moved; exit 1',
      (report) => report.state.kind === 'waiting'
    )
    expect(log.current).toEqual(['token for sts', 'http://127.0.0.1:2', 'moved'])
  })
  it('waits for a token that its node may not have yet', async () => {
    let refusals = 1
    const { log } = await runUntil(
      'cat "$AWS_WEB_IDENTITY_TOKEN_FILE"; echo; exit 1',
      (report) => report.state.kind === 'waiting',
      async () => (refusals-- > 0 ? Promise.reject(new Error('no relationship found')) : 'late token')
    )
    expect(log.current).toEqual([
      'kubelet: MountVolume.SetUp failed: Error: no relationship found',
      'late token'
    ])
  })
  it('is started again after an exit, with the code in its last state and the earlier log kept', async () => {
    const { reports, log } = await runUntil('echo words; exit 3', (report) => report.restarts === 2)
    expect(reports.at(-1)).toMatchObject({
      state: { kind: 'waiting', reason: 'CrashLoopBackOff' },
      restarts: 2,
      lastTermination: { exitCode: 3 }
    })
    expect(log.previous).toEqual(['words'])
  })
  it('is running, without a probe ready, until it is stopped by SIGTERM', async () => {
    const { reports, log } = await runUntil(
      'trap "echo ended; exit 0" TERM; echo up; while :; do sleep 0.02; done',
      (report) => report.state.kind === 'running' && report.state.ready
    )
    while (!log.current.includes('up')) {
      await new Promise((resolve) => setImmediate(resolve))
    }
    await running?.stop(5000)
    expect(reports.map((report) => report.state.kind)).toEqual(['running', 'running'])
    expect(log.current).toContain('ended')
  })
})
