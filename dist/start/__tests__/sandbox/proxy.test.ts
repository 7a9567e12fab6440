import { createServer } from 'node:net'
import { request } from 'node:http'
import { listen, type Listening } from '../../sandbox/listen.js'
import { startProxy, type Proxy } from '../../sandbox/proxy.js'

let echo: Listening
let proxy: Proxy
beforeEach(async () => {
  echo = await listen(createServer((socket) => socket.pipe(socket)))
  proxy = await startProxy({ portFor: (host) => (host === 'sts.amazonaws.com' ? echo.port : undefined) })
})
afterEach(async () => {
  await proxy.stop()
  await echo.close()
})

/** Status of a CONNECT, and what comes back of `hello` where the way is open. */
async function connect(target: string): Promise<{ status: number; echoed: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = request(proxy.url, { method: 'CONNECT', path: target })
    outgoing.on('error', reject)
    outgoing.on('connect', (response, socket) => {
      const status = response.statusCode ?? 0
      if (status !== 200) {
        socket.destroy()
        resolve({ status, echoed: '' })
        return
      }
      socket.once('data', (data: Buffer) => {
        socket.destroy()
        resolve({ status, echoed: data.toString() })
      })
      socket.write('hello')
    })
    outgoing.end()
  })
}

describe('the proxy', () => {
  it('leads a host that it knows to the sandbox’s own port', async () => {
    expect(await connect('sts.amazonaws.com:443')).toEqual({ status: 200, echoed: 'hello' })
  })
  it('refuses a host that is made unreachable, until it is not any more', async () => {
    proxy.setUnreachable(['sts.amazonaws.com'])
    expect(await connect('sts.amazonaws.com:443')).toEqual({ status: 403, echoed: '' })
    proxy.setUnreachable([])
    expect((await connect('sts.amazonaws.com:443')).status).toBe(200)
  })
  it('refuses any other host, and keeps both on record', async () => {
    await connect('sts.amazonaws.com:443')
    expect(await connect('example.com:8443')).toEqual({ status: 403, echoed: '' })
    expect(proxy.connections).toEqual([
      { host: 'sts.amazonaws.com', port: 443, refused: false },
      { host: 'example.com', port: 8443, refused: true }
    ])
  })
})
