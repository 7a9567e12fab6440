import type { Aws } from '../aws/clients.js'
import { connectAws } from '../aws/connect.js'
import { eksTokens } from '../aws/eks-token.js'
import type { Cluster } from '../aws/environment.js'
import type { CredentialsInput } from '../aws/credentials.js'
import { createKubernetes, type Kubernetes, type KubernetesRequest } from '../kubernetes/client.js'
import type { Ports } from './ports.js'
import { countRequests } from '../report/ledger.js'
import type { ReportedRequests } from '../report/report.js'

export interface SessionInputs {
  readonly region: string
  readonly credentials: CredentialsInput
  readonly allowedAccountIds: readonly string[]
}

/** The connections of a run: opened when they are needed, counted, closed together so that the process ends. */
export class Session {
  readonly #inputs: SessionInputs
  readonly #ports: Ports
  readonly #signal: AbortSignal
  readonly #closers: (() => Promise<void> | void)[] = []
  readonly #kubernetesRequests: KubernetesRequest[] = []
  #aws: Aws | undefined
  #kubernetes: Kubernetes | undefined

  constructor(inputs: SessionInputs, ports: Ports, signal: AbortSignal) {
    this.#inputs = inputs
    this.#ports = ports
    this.#signal = signal
  }

  /** Credentials, proved once. */
  async aws(): Promise<Aws> {
    if (this.#aws !== undefined) return this.#aws
    const { env, runner, clock } = this.#ports
    const aws = await connectAws(this.#inputs, {
      env,
      idToken: async (audience) => runner.getIDToken(audience),
      mask: (secret) => runner.setSecret(secret),
      pause: async (milliseconds) => clock.pause(milliseconds, this.#signal),
      now: () => clock.now()
    })
    this.#aws = aws
    this.onClose(() => aws.destroy())
    return aws
  }

  /** Tokens for the cluster's API, made in memory. */
  tokens(aws: Aws, clusterName: string): () => Promise<string> {
    const tokens = eksTokens(aws, clusterName, {
      now: () => this.#ports.clock.now(),
      mask: (secret) => this.#ports.runner.setSecret(secret)
    })
    return async () => (await tokens()).token
  }

  /** The client of the run's cluster, made once. */
  kubernetes(cluster: Cluster, callerArn: string, token: () => Promise<string>): Kubernetes {
    if (this.#kubernetes !== undefined) return this.#kubernetes
    const kubernetes = createKubernetes({
      endpoint: cluster.endpoint,
      certificateAuthority: cluster.certificateAuthority,
      token,
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

  /** Called once, when the run is over, last registered first. */
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
