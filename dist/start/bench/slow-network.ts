import type { Sandbox } from '../sandbox/index.js'
import { type DelayingRelay, startDelayingRelay } from './delaying-relay.js'

/** Milliseconds of a round trip. */
export const roundTrips = { aws: 50, kubernetes: 10 } as const

/** AWS's services by the word in AWS_ENDPOINT_URL_<WORD>, each with a host of its own as at AWS. */
const services = ['CLOUDFORMATION', 'EC2', 'EKS', 'EVENTBRIDGE', 'IAM', 'SQS', 'SSM', 'STS'] as const

/** Round trips of TCP's handshake, and of TLS 1.3's (RFC 8446, section 2). */
const tcp = 1
const tls = 1

export interface SlowNetwork {
  /** With these a program on the runner reaches AWS from afar. */
  readonly env: Readonly<Record<string, string>>
  stop(): Promise<void>
}

/**
 * Moves the runner away from AWS and from the cluster, which stay close to each other: what a program on it sends goes
 * through relays, one a host, so that each host costs a set-up of its own. The API server's TLS passes through as bytes;
 * AWS speaks plain HTTP here, so its relays add what TLS would take. EKS states the relay as the cluster's endpoint.
 */
export async function startSlowNetwork(sandbox: Sandbox): Promise<SlowNetwork> {
  const { cloud, controlPlane } = sandbox
  const relays: DelayingRelay[] = []
  const relayed = async (endpoint: string, roundTrip: number, setUp: number): Promise<string> => {
    const relay = await startDelayingRelay(endpoint, { roundTrip, setUp })
    relays.push(relay)
    return relay.endpoint
  }
  const api = await relayed(controlPlane.endpoint, roundTrips.kubernetes, tcp)
  cloud.eks.setEndpoint(sandbox.name, api, controlPlane.caCertificate)
  const aws = async (): Promise<string> => {
    const endpoint = await relayed(cloud.url, roundTrips.aws, tcp + tls)
    cloud.alsoAt(new URL(endpoint).host)
    return endpoint
  }
  const env: Record<string, string> = { AWS_ENDPOINT_URL: await aws() }
  for (const service of services) env[`AWS_ENDPOINT_URL_${service}`] = await aws()
  return {
    env,
    stop: async () => {
      cloud.eks.setEndpoint(sandbox.name, controlPlane.endpoint, controlPlane.caCertificate)
      await Promise.all(relays.map(async (relay) => relay.stop()))
    }
  }
}
