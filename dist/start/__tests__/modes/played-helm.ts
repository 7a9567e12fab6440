import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../../src/engine/errors.js'
import { mapAt } from '../../src/engine/json.js'
import type { Chart } from '../../src/helm/chart.js'
import { releaseWorkflow } from '../../src/helm/signature/signer.js'
import type { HelmSource } from '../../src/run/ports.js'
import { releasePath, releaseSecret } from '../helm/release-secret.js'
import type { ApiServer } from '../kubernetes/api-server.js'

const owner = 'app.kubernetes.io/managed-by'
export const deploymentPath = '/apis/apps/v1/namespaces/karpenter/deployments/karpenter'
export const leasePath = '/apis/coordination.k8s.io/v1/namespaces/karpenter/leases/karpenter-leader-election'
/** Of a controller that works: however much time a test lets pass, it was renewed. */
const leader = {
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { namespace: 'karpenter' },
  spec: { holderIdentity: 'karpenter-0', renewTime: '2126-01-01T00:00:00.000000Z' }
}

type Writes = () => { readonly aws: readonly string[]; readonly cluster: readonly string[] }

/** What the played chart comes to. */
const rendered = [
  'apiVersion: apps/v1',
  'kind: Deployment',
  'metadata: { name: karpenter, namespace: karpenter }',
  'spec: { replicas: 2 }'
].join('\n')

/** helm and Karpenter's chart: what helm is asked to do shows on the server at once. */
export class PlayedHelm implements HelmSource {
  /** Command lines, in order. */
  readonly runs: string[] = []
  /** The values of the last upgrade. */
  values: unknown
  /** What had been written when it last ran. */
  awsBefore: readonly string[] = []
  clusterBefore: readonly string[] = []
  /** What the next upgrade fails with. */
  fails: string | undefined
  /** How often it was asked for, pulled and closed. */
  readonly uses = { found: 0, pulled: 0, closed: 0 }
  readonly #server: ApiServer | undefined
  readonly #writes: Writes
  #revision = 0

  /** Without a server nothing can be installed. */
  constructor(server?: ApiServer, writes: Writes = () => ({ aws: [], cluster: [] })) {
    this.#server = server
    this.#writes = writes
  }

  find: HelmSource['find'] = async ({ range }) => {
    this.uses.found++
    return { path: 'helm', version: '3.22.0', source: 'PATH', why: `3.22.0 (satisfies ${range})` }
  }

  prepare: HelmSource['prepare'] = async ({ version, temporary, beforeWrite }) => {
    const folder = mkdtempSync(join(temporary, 'helm-'))
    return {
      version,
      folder,
      run: async (args, options) => {
        if (args[0] === 'template') return { stdout: rendered, stderr: '' }
        if (args[0] === 'upgrade' || args[0] === 'uninstall') await beforeWrite()
        this.#run(args, options?.stdin)
        return { stdout: '', stderr: '' }
      },
      close: async () => {
        this.uses.closed++
        rmSync(folder, { recursive: true })
      }
    }
  }

  chart: HelmSource['chart'] = async (_helm, _reference, version) => {
    this.uses.pulled++
    return chartOf(version)
  }

  /** How often registry and Sigstore were asked who signed the chart. */
  signaturesRead = 0

  /** By the release workflow, until a test says otherwise. */
  signature: HelmSource['signature'] = async (_request, { version }) => {
    this.signaturesRead++
    return {
      kind: 'signed',
      by: releaseWorkflow(version),
      logIndex: '1234',
      at: new Date(Date.UTC(2026, 7, 21)),
      trust: { kind: 'renewed' }
    }
  }

  versions: HelmSource['versions'] = async () => ({
    kind: 'listed',
    versions: ['1.8.6', '1.13.1', '1.14.1'],
    where: 'the played registry'
  })

  #run(args: readonly string[], stdin: string | undefined): void {
    this.runs.push(args.join(' '))
    const written = this.#writes()
    this.awsBefore = written.aws
    this.clusterBefore = written.cluster
    if (this.fails !== undefined) throw new UserError('Helm release karpenter', this.fails, 'Correct it.')
    if (args[0] === 'uninstall') {
      this.vanish()
      return
    }
    this.values = JSON.parse(stdin ?? '{}')
    const version = /karpenter-(.+)\.tgz/.exec(args[2] ?? '')?.[1] ?? ''
    this.deploy(version, this.values, args.includes('--labels'))
  }

  /** Nothing tells any more that this action made the release; its Deployment bears these labels instead. */
  disown(labels: Readonly<Record<string, string>>): void {
    const path = releasePath(this.#revision)
    const secret = this.#server?.at(path)
    const deployment = this.#server?.at(deploymentPath)
    if (secret === undefined || deployment === undefined) throw new Error('nothing is installed')
    const marks = Object.fromEntries(
      Object.entries(mapAt(secret.metadata, 'labels')).filter(([label]) => label !== owner)
    )
    this.#server?.put(path, { ...secret, metadata: { ...secret.metadata, labels: marks } })
    const all = { ...mapAt(deployment.metadata, 'labels'), ...labels }
    this.#server?.put(deploymentPath, { ...deployment, metadata: { ...deployment.metadata, labels: all } })
  }

  /** Somebody has deleted the release and what it made. */
  vanish(): void {
    this.#server?.remove(deploymentPath)
    for (let revision = 1; revision <= this.#revision; revision++) this.#server?.remove(releasePath(revision))
  }

  /** A release that is rolled out. `ours`: with the label of this action. */
  deploy(version: string, values: unknown, ours: boolean): void {
    const server = this.#server
    if (server === undefined) throw new Error('there is no cluster to install on')
    const before = server.at(releasePath(this.#revision))
    const labels = mapAt(before?.metadata, 'labels')
    if (before !== undefined)
      server.put(releasePath(this.#revision), {
        ...before,
        metadata: { ...before.metadata, labels: { ...labels, status: 'superseded' } }
      })
    this.#revision++
    const secret = releaseSecret(this.#revision, 'deployed', version, values, { manifest: rendered })
    const inherited = owner in labels || ours ? { [owner]: 'setup-karpenter' } : {}
    server.put(releasePath(this.#revision), {
      ...secret,
      metadata: {
        ...secret.metadata,
        namespace: 'karpenter',
        labels: { ...secret.metadata.labels, ...inherited }
      }
    })
    server.put(deploymentPath, deployment(version))
    server.put(leasePath, leader)
  }
}

function deployment(version: string): Record<string, unknown> {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      namespace: 'karpenter',
      labels: { 'app.kubernetes.io/name': 'karpenter', 'app.kubernetes.io/version': version },
      annotations: {
        'meta.helm.sh/release-name': 'karpenter',
        'meta.helm.sh/release-namespace': 'karpenter'
      }
    },
    spec: {
      replicas: 2,
      selector: { matchLabels: { 'app.kubernetes.io/name': 'karpenter' } },
      template: {
        spec: {
          serviceAccountName: 'karpenter',
          containers: [{ name: 'controller', image: `karpenter:${version}` }]
        }
      }
    },
    status: { updatedReplicas: 2, availableReplicas: 2, replicas: 2, observedGeneration: 1 }
  }
}

/** As much of the chart as decides anything: values that may be set, and its CRDs. */
function chartOf(version: string): Chart {
  const crd = (group: string, plural: string, kind: string) => ({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: 'Cluster',
      names: { kind, plural },
      versions: [{ name: 'v1', served: true, storage: true, schema: schemaOf(version, kind) }]
    }
  })
  return {
    path: `/charts/karpenter-${version}.tgz`,
    name: 'karpenter',
    version,
    appVersion: version,
    digest: `sha256:${'a'.repeat(64)}`,
    values: {
      replicas: 2,
      logLevel: 'info',
      settings: { clusterName: '', interruptionQueue: '' },
      controller: { resources: {}, env: [] },
      serviceAccount: { annotations: {} }
    },
    crds: [
      crd('karpenter.sh', 'nodepools', 'NodePool'),
      crd('karpenter.sh', 'nodeclaims', 'NodeClaim'),
      crd('karpenter.k8s.aws', 'ec2nodeclasses', 'EC2NodeClass')
    ]
  }
}

/** Each version has a schema of its own, so that an upgrade changes it. */
function schemaOf(version: string, kind: string): unknown {
  const open = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }
  const fields = { template: open, disruption: open, limits: open, weight: { type: 'integer' } }
  const spec = kind === 'NodePool' ? { type: 'object', properties: fields } : open
  const text = { type: 'string' }
  const properties = { apiVersion: text, kind: text, metadata: { type: 'object' }, spec, status: open }
  return { openAPIV3Schema: { type: 'object', description: `of ${version}`, properties } }
}
