import { createServer } from 'node:https'
import type { Authority } from '../certificates.js'
import { listen } from '../listen.js'

export interface KubeletServer {
  readonly port: number
  stop(): Promise<void>
}

export interface LogRequest {
  readonly namespace: string
  readonly pod: string
  readonly container: string
  readonly previous: boolean
}

/** Answers /containerLogs for all nodes, to the API server only, over TLS. */
export async function startKubeletServer(
  authority: Authority,
  logOf: (request: LogRequest) => readonly string[] | undefined
): Promise<KubeletServer> {
  const { certPem, keyPem } = await authority.issue({
    commonName: 'system:node:sandbox',
    organization: 'system:nodes',
    ipAddresses: ['127.0.0.1'],
    usage: 'server'
  })
  const server = createServer(
    { cert: certPem, key: keyPem, ca: authority.certPem, requestCert: true, rejectUnauthorized: true },
    (request, response) => {
      request.resume()
      const url = new URL(request.url ?? '/', 'https://localhost')
      const [, kind, namespace = '', pod = '', container = ''] = url.pathname.split('/')
      const previous = url.searchParams.get('previous') === 'true'
      const lines = kind === 'containerLogs' ? logOf({ namespace, pod, container, previous }) : undefined
      if (lines === undefined) {
        response.writeHead(404, { 'content-type': 'text/plain' })
        response.end(`previous terminated container "${container}" in pod "${pod}" not found`)
        return
      }
      const tail = Number(url.searchParams.get('tailLines') ?? lines.length)
      response.writeHead(200, { 'content-type': 'text/plain' })
      response.end(
        lines
          .slice(Math.max(0, lines.length - tail))
          .map((line) => `${line}\n`)
          .join('')
      )
    }
  )
  const listening = await listen(server)
  return { port: listening.port, stop: listening.close }
}
