import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { downloadFile } from '../../src/helm/download.js'

/** No two parts of it are alike. */
const archive = Buffer.alloc(3_000_000)
for (let at = 0; at < archive.length; at += 4) archive.writeUInt32LE(Math.imul(at, 2_654_435_761) >>> 0, at)

describe('a file that is downloaded', () => {
  const folder = mkdtempSync(join(tmpdir(), 'download-'))
  const path = join(folder, 'archive')
  const servers: Server[] = []
  const options = { proxyEnv: {}, signal: new AbortController().signal }

  afterAll(() => {
    for (const server of servers) server.close()
    rmSync(folder, { recursive: true, force: true })
  })

  async function serve(answer: RequestListener): Promise<URL> {
    const server = createServer(answer)
    servers.push(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    return new URL(`http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/archive`)
  }

  it.each<[string, RequestListener]>([
    ['in one piece', (_request, response) => response.end(archive)],
    [
      'in pieces of any size',
      (_request, response) => {
        for (let at = 0, size; at < archive.length; at += size) {
          size = 1 + (at % 50_021)
          response.write(archive.subarray(at, at + size))
        }
        response.end()
      }
    ]
  ])('is what was sent, and nobody else may read it: %s', async (_how, answer) => {
    const digest = await downloadFile(await serve(answer), path, options)
    expect(readFileSync(path).equals(archive)).toBe(true)
    expect(digest).toBe(createHash('sha256').update(archive).digest('hex'))
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  it('is asked for again where it breaks off, and begun anew', async () => {
    let asked = 0
    const url = await serve((_request, response) => {
      asked += 1
      if (asked > 1) return response.end(archive)
      response.writeHead(200, { 'content-length': archive.length })
      return response.write(archive.subarray(0, 100_000), () => response.destroy())
    })
    await downloadFile(url, path, options)
    expect(readFileSync(path).equals(archive)).toBe(true)
  })

  it('is not there where it never came whole, nor where the run was ended', async () => {
    const end = new AbortController()
    const broken = await serve((_request, response) => {
      response.writeHead(200, { 'content-length': archive.length })
      response.write(archive.subarray(0, 100_000), () => response.destroy())
    })
    await expect(downloadFile(broken, path, { ...options, attempts: 1 })).rejects.toThrow(/could not be read/)
    expect(existsSync(path)).toBe(false)
    const silent = await serve((_request, response) => {
      response.write(archive.subarray(0, 100_000), () => end.abort(new Error('the run was cancelled')))
    })
    await expect(downloadFile(silent, path, { ...options, signal: end.signal })).rejects.toThrow(
      'the run was cancelled'
    )
    expect(existsSync(path)).toBe(false)
  })

  it('is none where the server has none', async () => {
    const url = await serve((_request, response) => response.writeHead(404).end())
    expect(await downloadFile(url, path, options)).toBeUndefined()
  })
})
