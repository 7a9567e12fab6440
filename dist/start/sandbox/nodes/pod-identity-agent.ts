import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { Sha256 } from '@aws-crypto/sha256-js'
import { SignatureV4 } from '@smithy/signature-v4'
import { listen } from '../listen.js'
import { record } from '../values.js'

export interface AgentCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string
}

export interface PodIdentityAgentOptions {
  readonly cloudUrl: string
  readonly region: string
  readonly clusterName: string
  /** Credentials of the node that the pod runs on. */
  readonly nodeCredentials: (node: string) => AgentCredentials | undefined
  /** Whether the agent's own pod is ready on the node: without it nobody listens there. */
  readonly agentReady: (node: string) => boolean
}

export interface PodIdentityAgent {
  /** What stands for http://169.254.170.23/v1/credentials on this node. */
  urlOn(node: string): string
  stop(): Promise<void>
}

/** The Pod Identity agents of all nodes, behind one port. */
export async function startPodIdentityAgent(options: PodIdentityAgentOptions): Promise<PodIdentityAgent> {
  const server = createServer((request, response) => {
    request.resume()
    answer(options, request, response).catch((error: unknown) => {
      reply(response, 500, { message: String(error) })
    })
  })
  const listening = await listen(server)
  return {
    urlOn: (node) => `http://127.0.0.1:${listening.port}/${node}/v1/credentials`,
    stop: listening.close
  }
}

async function answer(
  options: PodIdentityAgentOptions,
  request: IncomingMessage,
  response: ServerResponse
): Promise<void> {
  const node = (request.url ?? '').split('/')[1] ?? ''
  const credentials = options.nodeCredentials(node)
  if (credentials === undefined || !options.agentReady(node)) {
    request.socket.destroy()
    return
  }
  const token = request.headers.authorization ?? ''
  if (token === '') {
    reply(response, 400, { message: 'Service account token cannot be empty' })
    return
  }
  const path = `/clusters/${options.clusterName}/assume-role-for-pod-identity`
  const url = new URL(path, options.cloudUrl)
  const signer = new SignatureV4({
    service: 'eks-auth',
    region: options.region,
    credentials,
    sha256: Sha256
  })
  const signed = await signer.sign({
    method: 'POST',
    protocol: 'http:',
    hostname: url.hostname,
    port: Number(url.port),
    path,
    headers: { host: url.host, 'content-type': 'application/json' },
    body: JSON.stringify({ token })
  })
  const assumed = await fetch(url, {
    method: 'POST',
    headers: signed.headers,
    body: JSON.stringify({ token })
  })
  const body = record(await assumed.json())
  if (!assumed.ok) {
    reply(response, assumed.status, body)
    return
  }
  const given = record(body['credentials'])
  reply(response, 200, {
    AccessKeyId: given['accessKeyId'],
    SecretAccessKey: given['secretAccessKey'],
    Token: given['sessionToken'],
    Expiration: new Date(expiry(given['expiration'])).toISOString(),
    AccountId: ''
  })
}

/** EKS Auth gives seconds since the epoch. */
function expiry(value: unknown): number {
  return typeof value === 'number' ? value * 1000 : Date.parse(String(value))
}

function reply(response: ServerResponse, status: number, body: Readonly<Record<string, unknown>>): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body))
}
