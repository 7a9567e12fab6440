import { type Cloud, startCloud } from '../../sandbox/cloud/index.js'
import { ServerTime } from '../../src/aws/server-time.js'
import { openSession } from '../../src/run/session.js'
import { administrator } from '../sandbox/cloud/clients.js'

const minutes = (count: number): number => count * 60_000

describe('the time by AWS', () => {
  it.each([
    [minutes(10), '10 minutes ahead of'],
    [minutes(-10), '10 minutes behind'],
    [minutes(90), '90 minutes ahead of'],
    [minutes(1.1), '1 minute ahead of']
  ])('is what its answers say, and a clock that is %i ms off is told of', (off, said) => {
    const time = new ServerTime(() => Date.UTC(2026, 0, 1) + off)
    time.heard(new Date(Date.UTC(2026, 0, 1)).toUTCString())
    expect(time.now()).toBe(Date.UTC(2026, 0, 1))
    expect(time.warning).toContain(`clock: the runner's is ${said} AWS's`)
  })

  it.each([0, 900, -3_000])(
    'is the own clock, %i ms off, where a second and an answer make the difference',
    (off) => {
      const time = new ServerTime(() => Date.UTC(2026, 0, 1) + off)
      time.heard(new Date(Date.UTC(2026, 0, 1)).toUTCString())
      expect(time.now()).toBe(Date.UTC(2026, 0, 1) + off)
      expect(time.warning).toBeUndefined()
    }
  )

  it('is the own clock as long as nothing is heard, and where there is no time in an answer', () => {
    const time = new ServerTime(() => 7)
    time.heard(undefined)
    time.heard('yesterday')
    expect(time.now()).toBe(7)
    expect(time.warning).toBeUndefined()
  })
})

describe.each([
  ['ten minutes ahead', minutes(10)],
  ['ten minutes behind', minutes(-10)]
])("a run whose runner's clock is %s", (_name, off) => {
  let cloud: Cloud
  beforeEach(async () => {
    cloud = await startCloud({
      accountId: '111122223333',
      region: 'us-west-2',
      now: () => Date.now() - off,
      clusters: [
        {
          name: 'blue',
          version: '1.34',
          authenticationMode: 'API',
          vpcId: 'vpc-1',
          subnetIds: ['subnet-1'],
          clusterSecurityGroupId: 'sg-1'
        }
      ]
    })
  })
  afterEach(async () => cloud.stop())

  it('has a token that the cluster takes, and no call refused after the first', async () => {
    const keys = administrator(cloud)
    cloud.eks.putAccessEntry('blue', 'arn:aws:iam::111122223333:role/administrator', 'STANDARD', [
      'AmazonEKSClusterAdminPolicy'
    ])
    const env = {
      AWS_ENDPOINT_URL: cloud.url,
      AWS_ACCESS_KEY_ID: keys.accessKeyId,
      AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
      AWS_SESSION_TOKEN: keys.sessionToken
    }
    Object.assign(process.env, env)
    const session = openSession(
      { region: 'us-west-2', credentials: { kind: 'chain' }, allowedAccountIds: [] },
      {
        env,
        clock: {
          now: Date.now,
          monotonic: () => performance.now(),
          pause: async () => undefined,
          every: () => ({ stop: () => undefined })
        },
        runner: { setSecret: () => undefined, getIDToken: async () => '' }
      },
      new AbortController().signal
    )
    try {
      const aws = await session.aws()
      expect(Math.abs(aws.serverTime.ahead + off)).toBeLessThan(minutes(1))
      const token = await session.tokens(aws, 'blue')()
      const review = await fetch(cloud.webhookUrl('blue'), {
        method: 'POST',
        body: JSON.stringify({
          apiVersion: 'authentication.k8s.io/v1',
          kind: 'TokenReview',
          spec: { token }
        })
      })
      expect(await review.json()).toMatchObject({ status: { authenticated: true } })
      cloud.clearCalls()
      const { ListClustersCommand } = await import('@aws-sdk/client-eks')
      await (await aws.eks()).send(new ListClustersCommand({}))
      expect(cloud.calls().map(({ outcome }) => outcome)).toEqual(['ok'])
      expect(Math.abs(session.now() - (Date.now() - off))).toBeLessThan(minutes(1))
    } finally {
      await session.close()
      for (const name of Object.keys(env)) Reflect.deleteProperty(process.env, name)
    }
  })
})
