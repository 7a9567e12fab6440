import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { newest, startSandbox, type ActionResult, type Sandbox } from '../sandbox/index.js'
import type { StoredIssue } from '../sandbox/runner/github-api.js'
import { paths, reportOf, succeeded } from './scenario.js'

const region = 'eu-west-1'
const inputs = { 'karpenter-version': newest }
const otherCluster = `<!-- setup-karpenter: arn:aws:eks:${region}:111122223333:cluster/staging -->`
const nodePool = `${paths.nodePools}/default`

describe('drift-issue: one issue a cluster, against the REST API of GitHub', () => {
  let sandbox: Sandbox

  beforeAll(async () => {
    sandbox = await startSandbox({
      name: 'today',
      region,
      kubernetesVersion: '1.35',
      runner: 'kept',
      authenticationMode: 'API'
    })
    succeeded(await sandbox.run({ ...inputs, 'smoke-test': 'false' }))
    sandbox.github.put({ title: 'Of another cluster', body: otherCluster, labels: ['karpenter-drift'] })
    sandbox.github.put({ title: "A person's", body: 'we have drift', labels: ['karpenter-drift'] })
  })
  afterAll(async () => sandbox.stop())

  async function check(token = sandbox.github.token): Promise<ActionResult> {
    const result = await sandbox.run({
      ...inputs,
      mode: 'check',
      'drift-issue': 'true',
      'github-token': token
    })
    expect(result.leaks).toEqual([])
    expect(result.log).not.toContain(token)
    return result
  }

  /** As somebody does it with `kubectl edit`. */
  async function edit(spec: Readonly<Record<string, unknown>>): Promise<void> {
    const answer = await sandbox.kubernetes('PATCH', `${nodePool}?fieldManager=kubectl-edit`, { spec })
    expect(answer.status).toBe(200)
  }

  function own(): StoredIssue | undefined {
    const [first, second, ...rest] = sandbox.github.issues()
    expect([first, second]).toMatchObject([
      { title: 'Of another cluster', body: otherCluster, state: 'open' },
      { title: "A person's", body: 'we have drift', state: 'open' }
    ])
    expect(sandbox.github.comments().filter(({ issue }) => issue < 3)).toEqual([])
    expect(rest.length).toBeLessThanOrEqual(1)
    return rest[0]
  }

  test('a check that finds nothing opens none', async () => {
    succeeded(await check())
    expect(own()).toBeUndefined()
  })

  test('drift opens one that says what, by whom and what install would do', async () => {
    await edit({ limits: { cpu: '7' } })
    const result = await check()
    expect(result.conclusion).toBe('failure')
    expect(result.log).toContain('opened https://github.com/octo-org/octo-repo/issues/3')
    expect(own()).toMatchObject({ state: 'open', title: `Karpenter on today (${region}) has drifted` })
    const { body = '' } = own() ?? {}
    expect(body.split('\n')[0]).toContain('1 drift.')
    expect(body).toMatch(/` → is `7`\n {2}- by kubectl-edit, /)
    expect(body).toContain('`spec.limits.cpu`: drift')
    expect(body).toMatch(/https:\/\/github\.com\/octo-org\/octo-repo\/actions\/runs\/\d+/)
  })

  test('the same drift again updates the body without a comment', async () => {
    const before = own()?.body
    expect((await check()).conclusion).toBe('failure')
    expect(own()?.body).not.toBe(before)
    expect(sandbox.github.comments()).toEqual([])
  })

  test('another drift adds a comment', async () => {
    await edit({ weight: 12 })
    expect((await check()).conclusion).toBe('failure')
    expect(own()?.body.split('\n')[0]).toContain('2 drift.')
    expect(sandbox.github.comments()).toHaveLength(1)
    expect(sandbox.github.comments()[0]?.body).toContain('spec.weight')
  })

  test('a token that may not write costs a warning, and the check says what it has found all the same', async () => {
    const before = own()
    sandbox.github.setFault({ kind: 'no write' })
    const result = await check()
    sandbox.github.setFault(undefined)
    expect(result.outputs['drift']).toBe('2')
    expect(result.log).toMatch(/drift-issue: .*not accessible by integration.*`permissions: issues: write`/)
    expect(await check('ghs_expired').then(({ log }) => log)).toContain('drift-issue: ')
    expect(own()).toEqual(before)
  })

  test('install repairs it and the next check closes the issue', async () => {
    succeeded(await sandbox.run({ ...inputs, 'smoke-test': 'false' }))
    succeeded(await check())
    expect(own()?.state).toBe('closed')
    expect(sandbox.github.comments().at(-1)?.body).toContain('Nothing drifts any more')
  })

  test('drift that comes back reopens the same issue', async () => {
    await edit({ limits: { cpu: '9' } })
    expect((await check()).conclusion).toBe('failure')
    expect(own()).toMatchObject({ number: 3, state: 'open' })
  })

  test('a secret in a chart value or in the live object is told nowhere, though the difference is', async () => {
    const env = (value: string): unknown => ({
      containers: [{ name: 'controller', env: [{ name: 'API_TOKEN', value }] }]
    })
    const answer = await sandbox.kubernetes(
      'PATCH',
      `${paths.deployments}/karpenter?fieldManager=kubectl-edit`,
      { spec: { template: { spec: env('hunter-live') } } },
      'application/strategic-merge-patch+json'
    )
    expect(answer.status).toBe(200)
    const result = await sandbox.run({
      ...inputs,
      mode: 'check',
      'helm-values': JSON.stringify({
        controller: { env: [{ name: 'HTTPS_PROXY', value: 'http://me:hunter-wanted@proxy:3128' }] }
      }),
      'fail-on': 'drift,pending,unknown',
      'drift-issue': 'true',
      'github-token': sandbox.github.token
    })
    expect(result.conclusion).toBe('failure')
    const { body = '' } = own() ?? {}
    expect(body).toContain('values.controller.env')
    expect(reportOf(result)['findings']).toContainEqual(
      expect.objectContaining({ path: 'values.controller.env', install: 'set it' })
    )
    const told = [
      result.raw,
      result.summary,
      JSON.stringify(result.annotations),
      JSON.stringify(result.files),
      body,
      ...sandbox.github.comments().map((comment) => comment.body)
    ]
    expect(told.filter((text) => text.includes('hunter-'))).toEqual([])
  })
})
