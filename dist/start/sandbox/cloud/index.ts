import { createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { Authority } from '../certificates.js'
import { listen, type Listening } from '../listen.js'
import { Issuers, type KeySource } from './credentials/issuers.js'
import { type Credentials, CredentialStore } from './credentials/store.js'
import { trusts } from './authorisation.js'
import { Faults } from './faults.js'
import { front } from './front.js'
import { type Identity } from './authenticator/identity.js'
import { fargateNodeIdentity, nodeIdentity, reviewToken } from './authenticator/review.js'
import { eksAuthService } from './eks/pod-identity-credentials.js'
import type { SubnetFacts } from './eks/fargate-profiles.js'
import { eksService } from './eks/service.js'
import { type ClusterSpec, EksState } from './eks/state.js'
import { zonalShiftService } from './eks/zonal-shift.js'
import { iamService } from './iam/service.js'
import { IamState } from './iam/state.js'
import { invoker } from './invoke.js'
import { homeOf } from './partition.js'
import { Pipeline } from './pipeline.js'
import type { Caller, Fault, RecordedCall, Service, Surroundings, WriteGate } from './service.js'
import { stsService } from './sts/service.js'
import { openSession } from './sts/sessions.js'

export interface CloudOptions {
  /** Twelve digits. */
  readonly accountId: string
  readonly region: string
  readonly clusters?: readonly ClusterSpec[]
  /** Signs the certificates of the TLS listener; without it there is none. */
  readonly authority?: Authority
  /** Services from outside: CloudFormation, and those that moto answers. */
  readonly services?: (surroundings: Surroundings) => readonly Service[]
  readonly now?: () => number
  /** Milliseconds until a new Pod Identity association gives credentials; 500 when absent. */
  readonly associationDelay?: number
  /** How long a pod's session lasts at most, seconds; as EKS and STS have it when absent. */
  readonly podSessionSeconds?: number | undefined
  /** Private DNS name of an EC2 instance by its id, for tokens that nodes make. */
  readonly privateDnsName?: (instanceId: string) => Promise<string | undefined>
  /** What EKS sees of a subnet; without it there are none. */
  readonly subnet?: SubnetFacts
}

export interface Cloud {
  /** http://127.0.0.1:PORT, for AWS_ENDPOINT_URL. */
  readonly url: string
  readonly port: number
  /** Port of the TLS listener, for a proxy to lead AWS's host names to. */
  readonly tlsPort: number | undefined
  readonly iam: IamState
  readonly eks: EksState
  /** In the order in which they were answered. */
  calls(): readonly RecordedCall[]
  clearCalls(): void
  /** What of requests and answers so far the services' own models do not have, each once; only operations of published models. */
  unlikeAws(): readonly string[]
  /** Another address, 127.0.0.1:PORT, that leads here: STS is taken to be there too by whoever presigns for a cluster. */
  alsoAt(host: string): void
  /** In place of all faults asked for before. */
  setFaults(faults: readonly Fault[]): void
  /** In place of the gate before; undefined: none. */
  setGate(gate: WriteGate | undefined): void
  /** Gives the cloud the public keys of an issuer (https://...), so that it can verify its tokens. */
  trustIssuer(issuer: string, keys: KeySource): void
  /** Keys of a session of this role, without asking its trust policy. */
  credentialsFor(roleArn: string, seconds: number, sessionName?: string): Credentials
  /** Secret keys and session tokens handed out so far, by a name that tells whose they are. */
  secrets(): Readonly<Record<string, string>>
  /** Whom a cluster takes a node for, or why it refuses it. */
  nodeIdentity(
    clusterName: string,
    node: { readonly roleArn: string; readonly instanceId: string; readonly privateDnsName: string }
  ): Promise<Identity | { readonly refused: string }>
  /** The same for the node that Fargate gives a pod. */
  fargateNodeIdentity(
    clusterName: string,
    node: { readonly roleArn: string; readonly nodeName: string }
  ): Promise<Identity | { readonly refused: string }>
  /** Token webhook of a cluster's API server. */
  webhookUrl(clusterName: string): string
  stop(): Promise<void>
}

/** Longer than any client keeps an idle connection, so that none is closed just as it is used again. */
const keepAlive = { keepAliveTimeout: 120_000 }

export async function startCloud(options: CloudOptions): Promise<Cloud> {
  const home = homeOf(options.accountId, options.region)
  const now = options.now ?? Date.now
  const iam = new IamState(home, now)
  const credentials = new CredentialStore()
  const issuers = new Issuers(now)
  const faults = new Faults()
  const pipeline = new Pipeline(iam, faults)
  const services = new Map<string, Service>()
  const eks = new EksState(home, now, (arn) => iam.roleByArn(arn)?.id)
  for (const spec of options.clusters ?? []) eks.putCluster(spec)
  const privateDnsName = options.privateDnsName ?? (async () => undefined)
  const aside = (path: string, body: string) => {
    const clusterName = /^\/authenticate\/([\w-]+)$/.exec(path)?.[1]
    if (clusterName === undefined) return undefined
    return reviewToken({ home, now, credentials, ownHosts, eks, privateDnsName }, clusterName, body)
  }
  const unlike = new Set<string>()
  const listener = front({
    home,
    now,
    services,
    credentials,
    pipeline,
    aside,
    unlike: (fault) => unlike.add(fault)
  })

  const plain = await listen(createServer(keepAlive, listener))
  const ownHosts = new Set([`127.0.0.1:${plain.port}`])
  const url = `http://127.0.0.1:${plain.port}`
  const invoke = invoker(() => services, pipeline)
  const associationDelay = options.associationDelay ?? 500
  const { podSessionSeconds } = options
  const own = [
    iamService(iam),
    stsService({ iam, credentials, issuers, podSessionSeconds }),
    eksService(eks, iam, options.subnet ?? (async () => undefined)),
    eksAuthService({ eks, iam, credentials, issuers, associationDelay, podSessionSeconds }),
    zonalShiftService(eks)
  ]
  const assume = (roleArn: string, service: string): Caller | undefined => {
    const role = iam.roleByArn(roleArn)
    if (role === undefined || trusts(role, service, 'sts:AssumeRole', {}, home.accountId) !== 'Allowed')
      return undefined
    return openSession(credentials, home, role, {
      name: 'AWSCloudFormation',
      expiresAt: now() + 3_600_000
    }).caller
  }
  const outside = options.services?.({ ...home, url, now, invoke, assume }) ?? []
  for (const service of [...own, ...outside]) services.set(service.name, service)
  const tls =
    options.authority === undefined ? undefined : await listenTls(options.authority, listener, options.region)

  return {
    url,
    port: plain.port,
    tlsPort: tls?.port,
    iam,
    eks,
    calls: () => pipeline.calls(),
    unlikeAws: () => [...unlike],
    clearCalls: () => pipeline.clearCalls(),
    setFaults: (wanted) => faults.set(wanted),
    alsoAt: (host) => ownHosts.add(host),
    setGate: (gate) => pipeline.setGate(gate),
    trustIssuer: (issuer, keys) => issuers.trust(issuer, keys),
    credentialsFor: (roleArn, seconds, sessionName = 'sandbox') => {
      const role = iam.roleByArn(roleArn)
      if (role === undefined) throw new Error(`${roleArn}: no such role in the sandbox's account`)
      return openSession(credentials, home, role, {
        name: sessionName,
        expiresAt: now() + seconds * 1000
      }).credentials
    },
    secrets: () =>
      Object.fromEntries(
        credentials.all().flatMap(({ caller, credentials: keys }) => [
          [`secret key of ${caller.arn} (${keys.accessKeyId})`, keys.secretAccessKey],
          [`session token of ${caller.arn} (${keys.accessKeyId})`, keys.sessionToken]
        ])
      ),
    nodeIdentity: (clusterName, node) => nodeIdentity(eks, clusterName, node),
    fargateNodeIdentity: (clusterName, node) => fargateNodeIdentity(eks, clusterName, node),
    webhookUrl: (clusterName) => `${url}/authenticate/${clusterName}`,
    stop: async () => {
      await Promise.all([plain.close(), tls?.close()])
    }
  }
}

async function listenTls(
  authority: Authority,
  listener: ReturnType<typeof front>,
  region: string
): Promise<Listening> {
  const suffixes = ['amazonaws.com', 'amazonaws.com.cn', 'api.aws']
  const pricing = ['us-east-1', 'ap-south-1', 'eu-central-1', 'cn-northwest-1']
  const { certPem, keyPem } = await authority.issue({
    commonName: 'aws.sandbox',
    dnsNames: suffixes.flatMap((suffix) => [
      `*.${suffix}`,
      ...[...new Set([region, 'us-east-1', 'us-gov'])].map((zone) => `*.${zone}.${suffix}`),
      ...pricing.map((zone) => `api.pricing.${zone}.${suffix}`)
    ]),
    ipAddresses: ['127.0.0.1'],
    usage: 'server'
  })
  return listen(createTlsServer({ ...keepAlive, cert: certPem, key: keyPem }, listener))
}
