import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { Socket } from 'node:net'
import { CreateRoleCommand, GetRoleCommand } from '@aws-sdk/client-iam'
import type { Clock } from '../../src/report/journal.js'
import { Trace } from '../../src/engine/calls.js'
import { isMap } from '../../src/engine/json.js'
import { openSession } from '../../src/run/session.js'
import { type Handlers, Refusal, type StandIn, standIn } from '../aws/stand-in.js'

const roleArn = 'arn:aws:iam::111122223333:role/deployer'
/** A runner's clock that is ten minutes behind. */
const behind = 600_000

let server: StandIn | undefined
afterEach(async () => {
  delete process.env['AWS_ENDPOINT_URL']
  await server?.close()
})

/** A run's session with AWS as these handlers answer, its role assumed by GitHub's token. */
async function opened(handlers: Handlers = {}) {
  server = await standIn({
    AssumeRoleWithWebIdentity: () => ({
      Credentials: {
        AccessKeyId: 'AKID',
        SecretAccessKey: 'secret-key',
        SessionToken: 'session-token',
        Expiration: new Date(Date.now() + 3_600_000).toISOString()
      }
    }),
    GetCallerIdentity: () => ({
      Arn: 'arn:aws:sts::111122223333:assumed-role/deployer/run',
      Account: '111122223333',
      UserId: 'AROA:run'
    }),
    GetRole: () => ({}),
    ...handlers
  })
  process.env['AWS_ENDPOINT_URL'] = server.url
  const audiences: string[] = []
  const masked: string[] = []
  const paused: AbortSignal[] = []
  const { signal } = new AbortController()
  const clock: Clock = {
    now: () => Date.now() - behind,
    monotonic: () => performance.now(),
    pause: async (_milliseconds, until) => void paused.push(until),
    every: () => ({ stop: () => undefined })
  }
  const session = openSession(
    {
      region: 'eu-west-1',
      credentials: { kind: 'oidc', roleArn, sessionName: 'run', durationSeconds: 3600, audience: undefined },
      allowedAccountIds: []
    },
    {
      env: { ACTIONS_ID_TOKEN_REQUEST_URL: 'http://x', ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'x' },
      clock,
      runner: {
        setSecret: (secret) => void masked.push(secret),
        getIDToken: async (audience) => {
          audiences.push(audience)
          return Promise.resolve('header.payload.signature')
        }
      }
    },
    signal
  )
  return { session, audiences, masked, paused, signal, clock, calls: server.calls }
}

describe('the login of a run', () => {
  it('is made once, however often it is asked for, and what it gets is masked', async () => {
    const { session, audiences, masked, calls } = await opened()
    const [one, other] = await Promise.all([session.aws(), session.aws()])
    expect(await session.aws()).toBe(one)
    expect(other).toBe(one)
    expect(one.account.id).toBe('111122223333')
    expect(audiences).toEqual(['sts.amazonaws.com'])
    expect(calls).toEqual(['AssumeRoleWithWebIdentity', 'GetCallerIdentity'])
    expect(masked).toEqual(['header.payload.signature', 'secret-key', 'session-token'])
    await session.close()
  })

  it('begins with the token of GitHub on the chain of calls that the run waits for', async () => {
    const { session } = await opened()
    const calls = new Trace(() => performance.now())
    await calls.run(async () => session.aws())
    expect(calls.path().steps.map(({ name }) => name)[0]).toBe('GitHub ID token')
    await session.close()
  })

  it('that is tried again waits by the clock of the run, which ends with it', async () => {
    let tries = 0
    const { session, paused, signal } = await opened({
      GetCallerIdentity: () => ({ Arn: roleArn, Account: '111122223333', UserId: 'AROA:run' }),
      AssumeRoleWithWebIdentity: () => {
        if (++tries === 1) throw new Refusal('ServiceUnavailable', 'away', 503)
        return { Credentials: { AccessKeyId: 'A', SecretAccessKey: 'b', SessionToken: 'c' } }
      }
    })
    await session.aws()
    expect(paused).toEqual([signal])
    expect(paused[0]).toBe(signal)
    await session.close()
  })
})

describe('the time of a run', () => {
  it("is the runner's until AWS has answered, and AWS's from then on, by which tokens are signed too", async () => {
    const { session, clock, masked } = await opened()
    expect(Date.now() - session.now()).toBeGreaterThan(behind / 2)
    const aws = await session.aws()
    expect(Math.abs(Date.now() - session.now())).toBeLessThan(behind / 2)
    const token = session.tokens(aws, 'blue')
    const [first, second] = [await token(), await token()]
    expect(second).toBe(first)
    expect(masked).toContain(first)
    const signed = new URL(Buffer.from(first.replace('k8s-aws-v1.', ''), 'base64url').toString('utf8'))
    const [, day, time] = /^(\d{8})T(\d{6})Z$/.exec(signed.searchParams.get('X-Amz-Date') ?? '') ?? []
    const at = `${day ?? ''}${time ?? ''}`.replace(/(....)(..)(..)(..)(..)(..)/, '$1-$2-$3T$4:$5:$6Z')
    expect(Date.parse(at) - clock.now()).toBeGreaterThan(behind / 2)
    await session.close()
  })
})

describe('the calls of a run to AWS', () => {
  it('are counted by service, and a read that is sent twice is named', async () => {
    const { session } = await opened()
    expect(session.requests()).toEqual({ total: 0, writes: 0, repeated: [], byService: {} })
    const iam = await (await session.aws()).iam()
    for (const RoleName of ['one', 'one', 'two']) await iam.send(new GetRoleCommand({ RoleName }))
    expect(session.requests()).toEqual({
      total: 5,
      writes: 0,
      repeated: ['iam:GetRole'],
      byService: { sts: 2, iam: 3 }
    })
    await session.close()
  })

  it('write nothing that the run may not write any more', async () => {
    const { session, calls } = await opened({ CreateRole: () => ({}) })
    const iam = await (await session.aws()).iam()
    const role = new CreateRoleCommand({ RoleName: 'one', AssumeRolePolicyDocument: '{}' })
    session.writes.set(async () => Promise.reject(new Error('the lock was lost')))
    await expect(iam.send(role)).rejects.toThrow('the lock was lost')
    await iam.send(new GetRoleCommand({ RoleName: 'one' }))
    expect(calls).not.toContain('CreateRole')
    session.writes.set(undefined)
    await iam.send(role)
    expect(calls).toContain('CreateRole')
    expect(session.requests().writes).toBe(1)
    await session.close()
  })

  it('leave no socket open behind it', async () => {
    const sockets: Socket[] = []
    const opens = (message: unknown): void => {
      if (isMap(message) && message['socket'] instanceof Socket) sockets.push(message['socket'])
    }
    subscribe('net.client.socket', opens)
    const { session } = await opened()
    await session.aws()
    unsubscribe('net.client.socket', opens)
    const destroyed = () => sockets.map((socket) => socket.destroyed)
    expect(destroyed()).toContain(false)
    await session.close()
    expect(destroyed()).not.toContain(false)
  })
})

test('what a run has opened is closed once, what came last first', async () => {
  const { session } = await opened()
  const closed: string[] = []
  session.onClose(() => void closed.push('lock'))
  session.onClose(async () => Promise.resolve(void closed.push('helm')))
  await session.close()
  await session.close()
  expect(closed).toEqual(['helm', 'lock'])
})
