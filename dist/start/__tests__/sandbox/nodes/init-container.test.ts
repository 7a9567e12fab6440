import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type InitEnd, runInitContainer } from '../../../sandbox/nodes/init-container.js'

let root = ''
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'init-'))
})
afterAll(async () => rm(root, { recursive: true }))

async function run(
  script: string,
  more: {
    readonly image?: string
    readonly dns?: boolean
    readonly api?: boolean
    readonly policy?: string
  } = {}
): Promise<InitEnd> {
  return runInitContainer(
    {
      image: more.image ?? 'public.ecr.aws/docker/library/busybox:1.37.0',
      command: ['sh', '-c', script],
      terminationMessagePolicy: more.policy ?? 'FallbackToLogsOnError'
    },
    {
      root,
      network: { dns: more.dns !== false, api: more.api !== false },
      signal: new AbortController().signal
    }
  )
}

const connect = 'nc -w 5 kubernetes.default 443'

describe('an init container', () => {
  test('runs its command, and reaches what the network lets it reach', async () => {
    expect(await run(connect)).toMatchObject({ exitCode: 0, reason: 'Completed', message: '' })
    expect(await run(connect, { dns: false })).toMatchObject({
      exitCode: 1,
      reason: 'Error',
      message: "nc: bad address 'kubernetes.default'"
    })
    expect((await run(connect, { api: false })).message).toMatch(/^nc: can't connect to remote host/)
    expect((await run('nc -w 5 example.com 443')).message).toBe("nc: bad address 'example.com'")
  })

  test('tells of its log only where its policy says so', async () => {
    expect(await run('echo no; exit 3', { policy: 'File' })).toMatchObject({ exitCode: 3, message: '' })
    expect(await run('echo no; exit 3')).toMatchObject({ exitCode: 3, message: 'no' })
  })

  test('does not start from an image without a shell', async () => {
    const end = await run(connect, { image: 'public.ecr.aws/eks-distro/kubernetes/pause:3.10' })
    expect(end).toMatchObject({ exitCode: 128, reason: 'StartError' })
    expect(end.message).toContain('exec: "sh": executable file not found in $PATH')
  })

  test('ends with its pod', async () => {
    const over = new AbortController()
    const ended = runInitContainer(
      { image: 'busybox', command: ['sh', '-c', 'sleep 600'] },
      { root, network: { dns: true, api: true }, signal: over.signal }
    )
    over.abort()
    expect((await ended).exitCode).toBe(137)
  })
})
