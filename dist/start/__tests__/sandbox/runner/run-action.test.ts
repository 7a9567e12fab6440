import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLocalJWKSet, jwtVerify } from 'jose'
import { startIdTokenServer, type WorkflowRun } from '../../../sandbox/runner/id-token.js'
import { runAction, type ActionResult, type ActionRun } from '../../../sandbox/runner/run-action.js'

const run: WorkflowRun = {
  repository: 'octo-org/octo-repo',
  repositoryId: '74',
  repositoryOwnerId: '65',
  ref: 'refs/heads/main',
  subject: 'legacy',
  runId: '1000',
  runAttempt: '1',
  serverUrl: 'https://github.com'
}

const METADATA = `
name: probe
description: probe
inputs:
  cluster-name: { description: a }
  with space: { description: b, default: of action.yml }
runs: { using: node24, main: main.cjs, post: post.cjs }
`

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'action-'))
  await writeFile(join(folder, 'action.yml'), METADATA)
  await writeFile(join(folder, 'post.cjs'), 'console.log("post sees " + process.env.STATE_undo)')
})
afterEach(async () => rm(folder, { recursive: true, force: true }))

async function runMain(source: string, options: Partial<ActionRun> = {}): Promise<ActionResult> {
  await writeFile(join(folder, 'main.cjs'), `const fs = require('node:fs'), env = process.env\n${source}`)
  return runAction({
    actionDir: folder,
    inputs: {},
    run,
    idToken: undefined,
    node: process.execPath,
    ...options
  })
}

describe('runAction', () => {
  it('passes inputs by the runner’s names, defaults from action.yml, and nothing of its own environment', async () => {
    process.env['LEAKED_FROM_TEST'] = 'yes'
    const result = await runMain(
      `console.log(JSON.stringify([env['INPUT_CLUSTER-NAME'], env['INPUT_WITH_SPACE'], env.LEAKED_FROM_TEST, env.GITHUB_REPOSITORY_ID]))`,
      { inputs: { 'cluster-name': 'blue' } }
    )
    expect(result.log).toBe('["blue","of action.yml",null,"74"]')
    expect(result.conclusion).toBe('success')
  })
  it('warns of an input that action.yml does not declare', async () => {
    const result = await runMain('', { inputs: { clustername: 'blue' } })
    expect(result.annotations[0]?.message).toContain("Unexpected input(s) 'clustername'")
  })
  it('reads outputs and state, gives state to post, and runs post after a failure', async () => {
    const result = await runMain(`
      fs.appendFileSync(env.GITHUB_OUTPUT, 'nodes<<E\\n1\\n2\\nE\\n')
      fs.appendFileSync(env.GITHUB_STATE, 'undo=all\\n')
      fs.appendFileSync(env.GITHUB_STEP_SUMMARY, '# Done\\n')
      process.exitCode = 3`)
    expect(result).toMatchObject({
      exitCode: 3,
      conclusion: 'failure',
      outputs: { nodes: '1\n2' },
      state: { undo: 'all' },
      summary: '# Done\n'
    })
    expect(result.post?.log).toBe('post sees all')
  })
  it('cancels with SIGINT, then SIGTERM, then SIGKILL, and still runs post', async () => {
    const result = await runMain(
      `for (const s of ['SIGINT', 'SIGTERM']) process.on(s, () => console.log('got ' + s))
       setInterval(() => {}, 1000); console.log('ready')`,
      { cancelAt: (line) => line === 'ready', signals: { untilTerminate: 150, untilKill: 150 } }
    )
    expect(result.log).toBe('ready\ngot SIGINT\ngot SIGTERM')
    expect(result).toMatchObject({ conclusion: 'cancelled', exitCode: null })
    expect(result.post?.exitCode).toBe(0)
  })
  it('is killed at once where no time is given to end by itself, and still runs post', async () => {
    const result = await runMain(
      `process.on('SIGINT', () => process.exit(1)); setInterval(() => {}, 1000); console.log('ready')`,
      { cancelAt: (line) => line === 'ready', signals: { untilTerminate: 0, untilKill: 0 } }
    )
    expect(result).toMatchObject({ conclusion: 'cancelled', exitCode: null })
    expect(result.post?.exitCode).toBe(0)
  })
  it.each(['whole', 'alone'] as const)(
    'is lost (%s) without a signal that it could hear, and without post',
    async (how) => {
      let lose: (how: 'whole' | 'alone') => void = () => undefined
      const lostAt = new Promise<'whole' | 'alone'>((resolve) => (lose = resolve))
      const result = await runMain(
        `for (const s of ['SIGINT', 'SIGTERM']) process.on(s, () => console.log('got ' + s))
       setInterval(() => {}, 1000); console.log('ready')`,
        { lostAt, onLine: (line) => line === 'ready' && lose(how) }
      )
      expect(result).toMatchObject({ log: 'ready', exitCode: null, post: undefined })
    }
  )
  it('finds a secret in log, outputs and files, by its name', async () => {
    const result = await runMain(
      `console.log('k-1234'); fs.writeFileSync(env.RUNNER_TEMP + '/kubeconfig', Buffer.from('k-1234').toString('base64'))`,
      { secrets: () => ({ key: 'k-1234', other: 'absent' }) }
    )
    expect(result.leaks.map((leak) => leak.secret)).toEqual(['key', 'key'])
    expect(result.leaks.map((leak) => leak.place)).toEqual(
      expect.arrayContaining(['log', expect.stringContaining('kubeconfig')])
    )
  })
})

describe('the id-token endpoint', () => {
  it('gives a token of the job with the audience asked for, and only to its request token', async () => {
    const server = await startIdTokenServer({ now: Date.now })
    try {
      const grant = server.grant({ ...run, subject: 'immutable', environment: 'prod' })
      const ask = async (token: string): Promise<Response> =>
        fetch(`${grant.url}&audience=sts.amazonaws.com`, { headers: { authorization: `Bearer ${token}` } })
      const refused = await ask('other')
      expect(refused.status).toBe(401)
      await refused.text()
      const answered: unknown = await (await ask(grant.requestToken)).json()
      expect(answered).toMatchObject({ value: server.issued[0] })
      const { payload } = await jwtVerify(
        server.issued[0] ?? '',
        createLocalJWKSet({ keys: [...server.jwks.keys] }),
        { issuer: 'https://token.actions.githubusercontent.com', audience: 'sts.amazonaws.com' }
      )
      expect(payload.sub).toBe('repo:octo-org@65/octo-repo@74:environment:prod')
    } finally {
      await server.stop()
    }
  })
  it('goes wrong as often as it was told to', async () => {
    const server = await startIdTokenServer({ now: Date.now })
    try {
      const grant = server.grant(run)
      const ask = async (): Promise<number> => {
        const response = await fetch(grant.url, {
          headers: { authorization: `Bearer ${grant.requestToken}` }
        })
        await response.text()
        return response.status
      }
      server.fault({ kind: 'status', status: 500, times: 1 })
      expect([await ask(), await ask()]).toEqual([500, 200])
    } finally {
      await server.stop()
    }
  })
})
