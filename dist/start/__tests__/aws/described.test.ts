import { connectAws, type ConnectInputs } from '../../src/aws/connect.js'
import { type Handlers, standIn, type StandIn } from './stand-in.js'

const caller = { Arn: 'arn:aws:iam::111122223333:user/deployer', Account: '111122223333', UserId: 'AIDA' }
const cluster = { cluster: { name: 'blue' } }
const environment = ['AWS_ENDPOINT_URL', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'] as const

type Connect = (inputs: Partial<ConnectInputs>) => ReturnType<typeof connectAws>

async function withAws(
  handlers: Handlers,
  test: (connect: Connect, server: StandIn) => Promise<void>
): Promise<void> {
  const server = await standIn(handlers)
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: server.url,
    AWS_ACCESS_KEY_ID: 'AKIDCHAIN',
    AWS_SECRET_ACCESS_KEY: 'secret'
  } satisfies Record<(typeof environment)[number], string>)
  const connect: Connect = async (inputs) =>
    connectAws(
      { region: 'eu-west-1', credentials: { kind: 'chain' }, allowedAccountIds: [], ...inputs },
      {
        env: {},
        idToken: async () => '',
        mask: () => undefined,
        pause: async () => undefined,
        now: Date.now
      }
    )
  try {
    await test(connect, server)
  } finally {
    for (const name of environment) Reflect.deleteProperty(process.env, name)
    await server.close()
  }
}

describe('the cluster of the run', () => {
  it('is asked for before it is known whose the credentials are, and that answer is handed out once', async () => {
    const asked = Promise.withResolvers<undefined>()
    const handlers: Handlers = {
      DescribeCluster: () => {
        asked.resolve(undefined)
        return cluster
      },
      GetCallerIdentity: async () => {
        await asked.promise
        return caller
      }
    }
    await withAws(handlers, async (connect) => {
      const aws = await connect({ clusterName: 'blue' })
      expect(aws.described?.('green')).toBeUndefined()
      expect((await aws.described?.('blue'))?.cluster?.name).toBe('blue')
      expect(aws.described?.('blue')).toBeUndefined()
      aws.destroy()
    })
  })

  it('is left alone until then where the account may be another one', async () => {
    await withAws({ GetCallerIdentity: () => caller }, async (connect, server) => {
      const refused = connect({
        clusterName: 'blue',
        allowedAccountIds: ['999988887777']
      })
      await expect(refused).rejects.toThrow('is not one of 999988887777')
      expect(server.calls).toEqual(['GetCallerIdentity'])
    })
  })
})
