import { generateKeyPair } from 'node:crypto'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { createAuthority, type Authority, type IssuedCertificate } from '../certificates.js'
import { createWhatEksCreates } from './at-birth.js'
import {
  apiServerFlags,
  controllerManagerFlags,
  etcdFlags,
  schedulerFlags,
  type ControlPlaneFiles
} from './flags.js'
import { freePorts } from './free-ports.js'
import { kubeconfig } from './kubeconfig.js'
import { startPart, type Part } from './part.js'
import { requesterTo, type KubernetesRequest } from './request.js'

export type { KubernetesAnswer, KubernetesRequest } from './request.js'

export const kubernetesVersions = ['1.32', '1.33', '1.34', '1.35'] as const
export type KubernetesVersion = (typeof kubernetesVersions)[number]

export interface ControlPlaneOptions {
  /** The program that holds all four parts. */
  readonly program: string
  /** A folder of the sandbox's own; certificates, data and logs go into `control-plane` in it. */
  readonly folder: string
  readonly kubernetesVersion: KubernetesVersion
  /** The cluster's OIDC issuer. */
  readonly serviceAccountIssuer: string
  /** Answers TokenReviews: http://127.0.0.1:1234/authenticate. It need not listen yet. */
  readonly authenticatorUrl?: string
  /** Further names in the server's certificate: *.gr7.eu-west-1.eks.amazonaws.com */
  readonly serverNames?: readonly string[]
}

export interface ControlPlane {
  /** https://127.0.0.1:6443 */
  readonly endpoint: string
  /** PEM */
  readonly caCertificate: string
  /** The same in base64, as EKS gives it in certificateAuthority.data. */
  readonly caData: string
  /** Signs client certificates that the API server takes (kubelets: CN system:node:<name>, O system:nodes). */
  readonly authority: Authority
  /** In system:masters. */
  readonly admin: IssuedCertificate
  readonly kubeconfigPath: string
  readonly logFiles: readonly string[]
  /** A request as admin. */
  readonly request: KubernetesRequest
  /** The public keys of service-account tokens, as the API server publishes them. */
  jwks(): Promise<unknown>
  /** Ends controller manager and scheduler: from then on every object stays as it is written. */
  stopControllers(): Promise<void>
  /** Ends all parts and removes the data; logs stay until the folder goes. */
  stop(): Promise<void>
}

/** How long the parts may take to be ready, milliseconds. About 3 s on an idle machine of two cores. */
const readyWithin = 90_000

/** Starts etcd, API server, controller manager and scheduler, and waits until they serve. */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const folder = join(options.folder, 'control-plane')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const [apiPort = 0, etcdPort = 0, peerPort = 0] = await freePorts(3)
  const endpoint = `https://127.0.0.1:${apiPort}`
  const { authority, admin, files } = await writeFiles(options, folder, endpoint)
  const kubeconfigPath = join(folder, 'admin.kubeconfig')
  await writeFile(kubeconfigPath, kubeconfig(endpoint, authority.certPem, admin), { mode: 0o600 })

  const parts: Part[] = []
  const dataFolder = join(folder, 'etcd')
  const start = (name: string, flags: readonly string[]) => {
    parts.push(startPart(options.program, name, flags, join(folder, `${name}.log`)))
  }
  const requester = requesterTo(endpoint, authority.certPem, admin)
  const stop = async () => {
    requester.close()
    // The API server before etcd, without which it hangs.
    for (const part of parts.toReversed()) {
      await part.stop()
    }
    await rm(dataFolder, { recursive: true, force: true })
  }

  try {
    start('etcd', etcdFlags(dataFolder, etcdPort, peerPort))
    start(
      'kube-apiserver',
      apiServerFlags(
        {
          port: apiPort,
          etcdPort,
          kubernetesVersion: options.kubernetesVersion,
          serviceAccountIssuer: options.serviceAccountIssuer,
          authenticator: options.authenticatorUrl !== undefined
        },
        files
      )
    )
    await untilReady(requester.request, parts)
    start('kube-controller-manager', controllerManagerFlags(options.kubernetesVersion, files))
    start('kube-scheduler', schedulerFlags(options.kubernetesVersion, files))
    await createWhatEksCreates(requester.request)
    await untilServiceAccounts(requester.request, parts)
  } catch (error) {
    await stop()
    throw error
  }
  return {
    endpoint,
    caCertificate: authority.certPem,
    caData: Buffer.from(authority.certPem).toString('base64'),
    authority,
    admin,
    kubeconfigPath,
    logFiles: parts.map((part) => part.logFile),
    request: requester.request,
    stopControllers: async () => {
      const controllers = parts.filter(({ name }) => !['etcd', 'kube-apiserver'].includes(name))
      await Promise.all(controllers.map(async (part) => part.stop()))
    },
    jwks: async () => (await requester.request('GET', '/openid/v1/jwks')).body,
    stop
  }
}

async function untilReady(request: KubernetesRequest, parts: readonly Part[]): Promise<void> {
  await until('kube-apiserver', parts, async () => {
    try {
      return (await request('GET', '/readyz')).status === 200
    } catch {
      return false
    }
  })
}

/** The controller manager works when it has made the default service account: before that no pod can be created. */
async function untilServiceAccounts(request: KubernetesRequest, parts: readonly Part[]): Promise<void> {
  await until('kube-controller-manager', parts, async () => {
    const answers = await Promise.all(
      ['default', 'kube-system'].map((namespace) =>
        request('GET', `/api/v1/namespaces/${namespace}/serviceaccounts/default`)
      )
    )
    return answers.every((answer) => answer.status === 200)
  })
}

async function until(name: string, parts: readonly Part[], condition: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + readyWithin
  let ended: Error | undefined
  for (const part of parts) {
    void part.ended.then((reason) => (ended ??= reason))
  }
  while (!(await condition())) {
    if (ended !== undefined) {
      throw ended
    }
    if (performance.now() > deadline) {
      const log = parts.find((part) => part.name === name)?.logFile ?? ''
      throw new Error(`${name}: not ready after ${readyWithin / 1000} s; its log is ${log}.`)
    }
    await delay(40)
  }
}

async function writeFiles(
  options: ControlPlaneOptions,
  folder: string,
  endpoint: string
): Promise<{ authority: Authority; admin: IssuedCertificate; files: ControlPlaneFiles }> {
  const authority = await createAuthority('kubernetes')
  const client = (commonName: string, organization?: string) =>
    authority.issue({ commonName, usage: 'client', ...(organization === undefined ? {} : { organization }) })
  const [server, admin, kubeletClient, controllerManager, scheduler, serviceAccount] = await Promise.all([
    authority.issue({
      commonName: 'kube-apiserver',
      dnsNames: [
        'localhost',
        'kubernetes',
        'kubernetes.default',
        'kubernetes.default.svc',
        ...(options.serverNames ?? [])
      ],
      ipAddresses: ['127.0.0.1', '172.20.0.1'],
      usage: 'server'
    }),
    client('kubernetes-admin', 'system:masters'),
    client('kube-apiserver-kubelet-client', 'system:masters'),
    client('system:kube-controller-manager'),
    client('system:kube-scheduler'),
    promisify(generateKeyPair)('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' }
    })
  ])
  const write = async (name: string, content: string) => {
    const path = join(folder, name)
    await writeFile(path, content, { mode: 0o600 })
    return path
  }
  const files: ControlPlaneFiles = {
    ca: await write('ca.crt', authority.certPem),
    serverCertificate: await write('server.crt', server.certPem),
    serverKey: await write('server.key', server.keyPem),
    kubeletClientCertificate: await write('kubelet-client.crt', kubeletClient.certPem),
    kubeletClientKey: await write('kubelet-client.key', kubeletClient.keyPem),
    serviceAccountKey: await write('service-account.key', serviceAccount.privateKey),
    serviceAccountPublicKey: await write('service-account.pub', serviceAccount.publicKey),
    controllerManagerKubeconfig: await write(
      'controller-manager.kubeconfig',
      kubeconfig(endpoint, authority.certPem, controllerManager)
    ),
    schedulerKubeconfig: await write(
      'scheduler.kubeconfig',
      kubeconfig(endpoint, authority.certPem, scheduler)
    ),
    authenticatorKubeconfig: await write(
      'authenticator.kubeconfig',
      kubeconfig(options.authenticatorUrl ?? 'http://127.0.0.1:1', undefined, undefined)
    )
  }
  return { authority, admin, files }
}
