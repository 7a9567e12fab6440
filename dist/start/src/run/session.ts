import { begun, called, joined } from '../engine/calls.js'
import type { Aws } from '../aws/clients.js'
import { connectAws } from '../aws/connect.js'
import { eksTokens } from '../aws/eks-token.js'
import type { Cluster } from '../aws/environment.js'
import type { CredentialsInput } from '../aws/credentials.js'
import { createKubernetes, type Kubernetes, type KubernetesRequest } from '../kubernetes/client.js'
import type { Clock } from '../report/journal.js'
import { countRequests } from '../report/ledger.js'
import type { ReportedRequests } from '../report/report.js'
import { WriteGuard } from './write-guard.js'

export interface SessionInputs {
  readonly region: string
  /** The cluster that is asked for as soon as there are credentials. */
  readonly clusterName?: string
  readonly credentials: CredentialsInput
  readonly allowedAccountIds: readonly string[]
}

/** What of the runner the connections need. */
export interface SessionPorts {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  readonly runner: {
    setSecret(secret: string): void
    getIDToken(audience: string): Promise<string>
  }
}

/** The connections of a run: opened when they are needed, counted, closed together so that the process ends. */
export interface Session {
  /** Credentials, proved once. */
  aws(): Promise<Aws>
  /** Tokens for the cluster's API, made in memory. */
  tokens(aws: Aws, clusterName: string): () => Promise<string>
  /** The client of the run's cluster, made once. */
  kubernetes(cluster: Cluster, callerArn: string, token: () => Promise<string>): Kubernetes
  /** Milliseconds since the epoch, by AWS's clock as soon as it has answered. */
  now(): number
  /** Every write of the run passes it: its clients' own, and helm's. */
  readonly writes: WriteGuard
  /** Called once, when the run is over, last registered first. */
  onClose(closer: () => Promise<void> | void): void
  close(): Promise<void>
  requests(): ReportedRequests
}

/** `answered`: whether the cluster's API has answered earlier in this job: it is waited for then, and not looked for. */
export function openSession(
  inputs: SessionInputs,
  ports: SessionPorts,
  signal: AbortSignal,
  answered = false
): Session {
  return new RunSession(inputs, ports, signal, answered)
}

class RunSession implements Session {
  readonly #inputs: SessionInputs
  readonly #ports: SessionPorts
  readonly #signal: AbortSignal
  readonly #closers: (() => Promise<void> | void)[] = []
  readonly #kubernetesRequests: KubernetesRequest[] = []
  readonly #answered: boolean
  readonly writes = new WriteGuard()
  #connecting: Promise<Aws> | undefined
  #aws: Aws | undefined
  #kubernetes: Kubernetes | undefined

  constructor(inputs: SessionInputs, ports: SessionPorts, signal: AbortSignal, answered: boolean) {
    this.#answered = answered
    this.#inputs = inputs
    this.#ports = ports
    this.#signal = signal
  }

  async aws(): Promise<Aws> {
    return joined((this.#connecting ??= begun(async () => this.#connect())))
  }

  async #connect(): Promise<Aws> {
    const { env, runner, clock } = this.#ports
    const aws = await connectAws(this.#inputs, {
      env,
      idToken: async (audience) => called('GitHub ID token', async () => runner.getIDToken(audience)),
      mask: (secret) => runner.setSecret(secret),
      pause: async (milliseconds) => clock.pause(milliseconds, this.#signal),
      now: () => clock.now(),
      beforeWrite: this.writes.pass
    })
    this.#aws = aws
    this.onClose(() => aws.destroy())
    return aws
  }

  now(): number {
    return this.#aws?.serverTime.now() ?? this.#ports.clock.now()
  }

  tokens(aws: Aws, clusterName: string): () => Promise<string> {
    const tokens = eksTokens(aws, clusterName, {
      now: () => aws.serverTime.now(),
      mask: (secret) => this.#ports.runner.setSecret(secret)
    })
    return async () => (await tokens()).token
  }

  kubernetes(cluster: Cluster, callerArn: string, token: () => Promise<string>): Kubernetes {
    if (this.#kubernetes !== undefined) return this.#kubernetes
    const kubernetes = createKubernetes({
      endpoint: cluster.endpoint,
      certificateAuthority: cluster.certificateAuthority,
      token,
      pace: this.#ports.clock,
      beforeWrite: this.writes.pass,
      answered: this.#answered,
      proxyEnv: this.#ports.env,
      record: (request) => void this.#kubernetesRequests.push(request),
      caller: {
        arn: callerArn,
        clusterName: cluster.name,
        region: this.#inputs.region,
        authenticationMode: cluster.authenticationMode
      },
      signal: this.#signal
    })
    this.#kubernetes = kubernetes
    this.onClose(() => kubernetes.close())
    return kubernetes
  }

  onClose(closer: () => Promise<void> | void): void {
    this.#closers.unshift(closer)
  }

  async close(): Promise<void> {
    for (const closer of this.#closers.splice(0)) await closer()
  }

  requests(): ReportedRequests {
    const toKubernetes = this.#kubernetesRequests.map((request) => ({
      service: 'kubernetes',
      name: `${request.method} ${request.path}`,
      write: request.method !== 'GET' && !request.path.includes('dryRun=All')
    }))
    const toAws = (this.#aws?.requests.all ?? []).map(({ service, action, write }) => ({
      service,
      name: action,
      write
    }))
    const repeated = [
      ...(this.#aws?.requests.duplicates() ?? []).map(({ service, action }) => `${service}:${action}`),
      ...twice(
        toKubernetes
          .filter((request) => !request.write && !request.name.includes('watch='))
          .map(({ name }) => name)
      )
    ]
    return countRequests([...toAws, ...toKubernetes], repeated)
  }
}

function twice(names: readonly string[]): string[] {
  return [...new Set(names.filter((name, index) => names.indexOf(name) !== index))]
}
