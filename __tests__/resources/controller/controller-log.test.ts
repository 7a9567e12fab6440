import {
  ControllerLog,
  loggedErrors,
  newestComplaint
} from '../../../src/resources/controller/controller-log.js'
import type { Deployment } from 'kubernetes-types/apps/v1.js'
import { ApiServer } from '../../kubernetes/api-server.js'

describe('the newest complaint about an object', () => {
  const since = Date.parse('2026-01-01T12:00:00Z')
  const line = (entry: object): string =>
    JSON.stringify({ level: 'ERROR', message: 'Reconciler error', ...entry })
  const denied = line({
    time: '2026-01-01T12:00:20.000Z',
    EC2NodeClass: { name: 'default' },
    error:
      'listing instance profiles, operation error IAM: ListInstanceProfiles, AccessDenied: User: x is not authorized to perform: iam:ListInstanceProfiles on resource: y because no identity-based policy allows it'
  })

  test('says the permission that the controller lacks', () => {
    const older = line({ time: '2026-01-01T12:00:10.000Z', name: 'default', error: 'something else' })
    const complaint = newestComplaint(
      loggedErrors([`panic: no JSON\n${denied}`, older]),
      new Set(['default']),
      since
    )
    expect(complaint).toMatchObject({
      text: expect.stringContaining('listing instance profiles') as unknown,
      lacks: 'iam:ListInstanceProfiles'
    })
    expect(complaint?.fix).toContain("Allow the controller's role iam:ListInstanceProfiles")
  })

  test('is none of another object, of before, or of another level', () => {
    expect(newestComplaint(loggedErrors([denied]), new Set(['other']), since)).toBeUndefined()
    expect(newestComplaint(loggedErrors([denied]), new Set(['default']), since + 60_000)).toBeUndefined()
    const info = JSON.stringify({
      level: 'INFO',
      time: '2026-01-01T12:00:30Z',
      name: 'default',
      message: 'ok'
    })
    expect(newestComplaint(loggedErrors([info]), new Set(['default']), since)).toBeUndefined()
  })

  test('is not that the NodePool is gone whose NodeClaims are being removed', () => {
    const gone = line({
      time: '2026-01-01T12:00:30.000Z',
      NodeClaim: { name: 'default-x6gvw' },
      error: 'NodePool.karpenter.sh "default" not found (nodeclaim=default-x6gvw, nodepool=default)'
    })
    expect(newestComplaint(loggedErrors([gone]), new Set(['default-x6gvw']), since)).toBeUndefined()
    expect(
      newestComplaint(loggedErrors([denied, gone]), new Set(['default', 'default-x6gvw']), since)
    ).toMatchObject({
      lacks: 'iam:ListInstanceProfiles'
    })
  })
})

describe('the log of the controller', () => {
  const second = 1_000
  const began = Date.parse('2026-01-01T12:00:00Z')
  const controllers: readonly Deployment[] = [
    {
      metadata: { name: 'karpenter', namespace: 'karpenter' },
      spec: { selector: { matchLabels: { 'app.kubernetes.io/name': 'karpenter' } }, template: {} }
    }
  ]
  const complaintOf = (name: string, error: string): string =>
    JSON.stringify({ level: 'ERROR', time: '2026-01-01T12:00:01Z', EC2NodeClass: { name }, error })
  let server: ApiServer
  let lines: readonly string[]
  beforeEach(async () => {
    server = await ApiServer.start()
    for (const name of ['karpenter-a', 'karpenter-b'])
      server.put(`/api/v1/namespaces/karpenter/pods/${name}`, {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { labels: { 'app.kubernetes.io/name': 'karpenter' } }
      })
    lines = [complaintOf('one', 'no subnets'), complaintOf('two', 'no images')]
    server.intercept = (call, response) => {
      if (!call.path.endsWith('/log')) return undefined
      response.writeHead(200, { 'content-type': 'text/plain' })
      response.end(call.path.includes('karpenter-a') ? lines.join('\n') : 'no JSON')
      return true
    }
  })
  afterEach(async () => server.stop())

  const asked = async (log: ControllerLog, name: string, now: number): Promise<string | undefined> =>
    (await log.complaintAbout(controllers, new Set([name]), { since: began, now }))?.text

  test('is read once for all who ask within five seconds, each of whom gets what is said of its own', async () => {
    const log = new ControllerLog(server.kubernetes)
    const at = began + 5 * second
    expect(await Promise.all(['one', 'two', 'three'].map(async (name) => asked(log, name, at)))).toEqual([
      'no subnets',
      'no images',
      undefined
    ])
    expect(await asked(log, 'two', at + 4 * second)).toBe('no images')
    expect(server.calls.map(({ path }) => path)).toEqual([
      '/api/v1/namespaces/karpenter/pods',
      '/api/v1/namespaces/karpenter/pods/karpenter-a/log',
      '/api/v1/namespaces/karpenter/pods/karpenter-b/log'
    ])
  })

  test('is read anew for who asks later', async () => {
    const log = new ControllerLog(server.kubernetes)
    expect(await asked(log, 'three', began + 5 * second)).toBeUndefined()
    lines = [complaintOf('three', 'no security groups')]
    expect(await asked(log, 'three', began + 10 * second)).toBe('no security groups')
  })

  test('is no reason to stop where it may not be read', async () => {
    server.intercept = (_call, response) => {
      response.writeHead(403, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ kind: 'Status', status: 'Failure', code: 403, reason: 'Forbidden' }))
      return true
    }
    expect(await asked(new ControllerLog(server.kubernetes), 'one', began + 5 * second)).toBeUndefined()
  })
})
