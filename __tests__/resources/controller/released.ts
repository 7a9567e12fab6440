import type { AnyResource, Inspection } from '../../../src/engine/resource.js'
import type { Chart } from '../../../src/helm/chart.js'
import type { Helm, RunOptions } from '../../../src/helm/run-helm.js'
import { helmRelease } from '../../../src/resources/controller/helm-release.js'
import { releasePath, releaseSecret } from '../../helm/release-secret.js'
import type { ApiServer } from '../../kubernetes/api-server.js'

/** One run of helm. */
export interface HelmRun {
  readonly args: readonly string[]
  readonly options: RunOptions
}

const chart: Chart = {
  path: '/tmp/karpenter-1.2.1.tgz',
  name: 'karpenter',
  version: '1.2.1',
  appVersion: '1.2.1',
  digest: undefined,
  values: {},
  crds: []
}
export const wanted = {
  name: 'karpenter',
  namespace: 'karpenter',
  chart: 'oci://public.ecr.aws/karpenter/karpenter',
  version: '1.2.1',
  digest: 'sha256:x',
  values: { replicas: 2, settings: { clusterName: 'blue' } }
}

/** The release on this server; what helm is asked to do goes into `runs`. */
export function releaseOn(server: ApiServer, runs: HelmRun[], removing = false): AnyResource {
  const helm: Helm = {
    version: '3.22.0',
    folder: '/tmp',
    run: async (args, options = {}) => {
      runs.push({ args, options })
      return { stdout: '', stderr: '' }
    },
    close: async () => undefined
  }
  return helmRelease(wanted, {
    kubernetes: server.kubernetes,
    ownership: { owner: 'setup-karpenter', run: 'https://run/1' },
    dependsOn: [],
    removing,
    helm: async () => helm,
    chart: async () => chart
  })
}

export async function inspected(release: AnyResource): Promise<Inspection> {
  return release.inspect(new AbortController().signal)
}

export const deploymentPath = '/apis/apps/v1/namespaces/karpenter/deployments/karpenter'
export const deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'karpenter' },
  spec: { replicas: 2 }
}
const manifest =
  'apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: karpenter, namespace: karpenter }\nspec: { replicas: 2 }\n'
export const available = { updatedReplicas: 2, availableReplicas: 2, replicas: 2, observedGeneration: 1 }

/** A release that is there, rolled out. */
export function deployOn(server: ApiServer, version = '1.2.1', values: unknown = wanted.values): void {
  server.put(releasePath(1), releaseSecret(1, 'deployed', version, values, { manifest }))
  server.put(deploymentPath, { ...deployment, status: available })
}
