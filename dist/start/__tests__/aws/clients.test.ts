import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { GetRoleCommand, TagRoleCommand } from '@aws-sdk/client-iam'
import { openAws } from '../../src/aws/clients.js'
import { openConnection } from '../../src/aws/connection.js'
import { UserError } from '../../src/engine/errors.js'
import { account, awsWith, fixedCredentials, Refusal } from './stand-in.js'

/** An HTTP proxy that answers for every host; `asked` are the URLs it was asked for. */
async function proxy(asked: string[]): Promise<{ url: string; server: Server }> {
  const server = createServer((message, response) => {
    asked.push(message.url ?? '')
    message.resume().on('end', () => {
      response
        .writeHead(200, { 'content-type': 'text/xml' })
        .end(
          '<GetRoleResponse><GetRoleResult><Role><Arn>by-proxy</Arn></Role></GetRoleResult></GetRoleResponse>'
        )
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${address.port}`, server }
}

async function roleArn(env: Record<string, string>): Promise<string | undefined> {
  const connection = openConnection({ region: 'eu-west-1', env, now: Date.now })
  const aws = openAws(connection, fixedCredentials, account, new URL('http://aws.invalid'))
  try {
    const iam = await aws.iam()
    return (await iam.send(new GetRoleCommand({ RoleName: 'x' }))).Role?.Arn
  } finally {
    aws.destroy()
  }
}

describe('AWS clients', () => {
  it('go through the proxy of the environment', async () => {
    const asked: string[] = []
    const { url, server } = await proxy(asked)
    process.env['AWS_ENDPOINT_URL'] = 'http://aws.invalid'
    expect(await roleArn({ HTTP_PROXY: url })).toBe('by-proxy')
    expect(asked).toEqual(['http://aws.invalid/'])
    server.close()
  })

  it('leave it out for hosts of NO_PROXY', async () => {
    const asked: string[] = []
    const { url, server } = await proxy(asked)
    const direct = await awsWith({ GetRole: () => ({ Role: { Arn: 'direct' } }) })
    expect(await roleArn({ HTTP_PROXY: url, NO_PROXY: '127.0.0.1' })).toBe('direct')
    expect(asked).toEqual([])
    await direct.close()
    server.close()
  })

  it('send no write, and no second try of one, when the run may not write any more; they read all the same', async () => {
    const { server, close } = await awsWith({
      GetRole: () => ({ Role: { Arn: 'arn' } }),
      TagRole: () => {
        mayWrite = false
        throw new Refusal('ServiceUnavailable', 'later', 503)
      }
    })
    let mayWrite = true
    const connection = openConnection({
      region: 'eu-west-1',
      env: {},
      now: Date.now,
      beforeWrite: async () => {
        if (!mayWrite) throw new UserError('Lease', 'another run took the lock over', 'Run again.')
      }
    })
    const aws = openAws(connection, fixedCredentials, account, new URL('http://aws.invalid'))
    const iam = await aws.iam()
    const write = new TagRoleCommand({ RoleName: 'x', Tags: [] })
    await expect(iam.send(write)).rejects.toThrow('another run took the lock over')
    await expect(iam.send(write)).rejects.toThrow('another run took the lock over')
    await iam.send(new GetRoleCommand({ RoleName: 'x' }))
    expect(server.calls).toEqual(['TagRole', 'GetRole'])
    aws.destroy()
    await close()
  })

  it('are loaded once each, and log every attempt with its service, action and outcome', async () => {
    let answers = 0
    const { aws, close } = await awsWith({
      GetRole: () => {
        if (++answers === 1) throw new Refusal('ServiceUnavailable', 'later', 503)
        return { Role: { Arn: 'arn' } }
      }
    })
    expect(await aws.iam()).toBe(await aws.iam())
    const iam = await aws.iam()
    await iam.send(new GetRoleCommand({ RoleName: 'x' }))
    await iam.send(new GetRoleCommand({ RoleName: 'x' }))
    await iam.send(new GetRoleCommand({ RoleName: 'y' }))
    expect(
      aws.requests.all.map(({ service, action, attempt, outcome }) => [service, action, attempt, outcome])
    ).toEqual([
      ['iam', 'GetRole', 1, 'ServiceUnavailable'],
      ['iam', 'GetRole', 2, 'ok'],
      ['iam', 'GetRole', 1, 'ok'],
      ['iam', 'GetRole', 1, 'ok']
    ])
    expect(aws.requests.duplicates()).toEqual([{ service: 'iam', action: 'GetRole', times: 2 }])
    expect(aws.requests.all.every((request) => !request.write)).toBe(true)
    await close()
  })
})
