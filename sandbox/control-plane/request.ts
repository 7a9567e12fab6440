import { Agent, request } from 'node:https'
import type { IssuedCertificate } from '../certificates.js'
import { idleTimeout } from './kept-connection.js'

export interface KubernetesAnswer {
  readonly status: number
  /** Parsed when it is JSON, else the text. */
  readonly body: unknown
}

/** One request to the API server. An HTTP error is an answer; only a lost connection throws. */
export type KubernetesRequest = (
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
  /** /api/v1/nodes?limit=1 */
  path: string,
  body?: unknown,
  /** application/json, or for PATCH application/merge-patch+json, application/apply-patch+yaml, ... */
  contentType?: string
) => Promise<KubernetesAnswer>

export interface KubernetesRequester {
  readonly request: KubernetesRequest
  close(): void
}

/** Requests with a client certificate, over connections that are kept until they stand idle for `timeout` milliseconds. */
export function requesterTo(
  endpoint: string,
  caPem: string,
  user: IssuedCertificate,
  timeout = idleTimeout
): KubernetesRequester {
  const agent = new Agent({ keepAlive: true, timeout, ca: caPem, cert: user.certPem, key: user.keyPem })
  const send: KubernetesRequest = async (method, path, body, contentType) =>
    new Promise((resolve, reject) => {
      const payload = body === undefined ? undefined : JSON.stringify(body)
      const call = request(
        new URL(path, endpoint),
        {
          method,
          agent,
          headers: {
            // The key set is no application/json.
            accept: 'application/json, */*',
            ...(payload === undefined
              ? {}
              : {
                  'content-type':
                    contentType ?? (method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'),
                  'content-length': Buffer.byteLength(payload)
                })
          }
        },
        (response) => {
          let text = ''
          response.setEncoding('utf8')
          response.on('data', (chunk: string) => (text += chunk))
          response.on('error', reject)
          response.on('end', () => resolve({ status: response.statusCode ?? 0, body: parsed(text) }))
        }
      )
      call.on('error', reject)
      call.end(payload)
    })
  return { request: send, close: () => agent.destroy() }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
