import type { Sandbox } from '../sandbox/index.js'
import { text } from '../sandbox/values.js'
import { at, listed, until, type KubernetesObject } from './scenario.js'

const at1 = '/apis/apps/v1/namespaces/default/deployments'

/** A Deployment whose pods run on nodes of a NodePool, one a node, and nowhere else. */
export async function startWorkload(
  sandbox: Sandbox,
  options: {
    readonly name: string
    readonly replicas: number
    readonly nodePool?: string
    readonly annotations?: Readonly<Record<string, string>>
  }
): Promise<void> {
  const { name, replicas, nodePool = 'default', annotations = {} } = options
  const labels = { app: name }
  const created = await sandbox.kubernetes('POST', at1, {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: 'default' },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels, annotations },
        spec: {
          nodeSelector: { 'karpenter.sh/nodepool': nodePool },
          affinity: {
            podAntiAffinity: {
              requiredDuringSchedulingIgnoredDuringExecution: [
                { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: labels } }
              ]
            }
          },
          containers: [{ name: 'app', image: 'public.ecr.aws/nginx/nginx:stable' }]
        }
      }
    }
  })
  if (created.status !== 201) throw new Error(`Deployment ${name}: the API server answered ${created.status}`)
  await until(`${replicas} running pods of ${name}`, async () => {
    const running = (await podsOf(sandbox, name)).filter((pod) => at(pod, 'status', 'phase') === 'Running')
    return running.length === replicas ? true : undefined
  })
}

export async function podsOf(sandbox: Sandbox, name: string): Promise<readonly KubernetesObject[]> {
  return listed(sandbox, `/api/v1/namespaces/default/pods?labelSelector=app%3D${name}`)
}

export async function stopWorkload(sandbox: Sandbox, name: string): Promise<void> {
  await sandbox.kubernetes('DELETE', `${at1}/${name}`)
}

/** A PodDisruptionBudget that lets no pod of the workload go. */
export async function allowNoDisruption(sandbox: Sandbox, name: string): Promise<void> {
  const path = '/apis/policy/v1/namespaces/default/poddisruptionbudgets'
  await sandbox.kubernetes('POST', path, {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name, namespace: 'default' },
    spec: { maxUnavailable: 0, selector: { matchLabels: { app: name } } }
  })
  await until(`the budget of ${name} to be counted`, async () => {
    const budgets = await listed(sandbox, path)
    const own = budgets.find((one) => text(at(one, 'metadata', 'name')) === name)
    return at(own, 'status', 'observedGeneration') === undefined ? undefined : true
  })
}

export async function allowDisruption(sandbox: Sandbox, name: string): Promise<void> {
  await sandbox.kubernetes('DELETE', `/apis/policy/v1/namespaces/default/poddisruptionbudgets/${name}`)
}

/**
 * A volume on a node whose driver does not take it off, as one whose controller has gone; what it gives lets it go, and
 * takes it away.
 */
export async function attachVolume(sandbox: Sandbox, nodeName: string): Promise<() => Promise<void>> {
  const driver = 'ebs.csi.aws.com'
  const volumes = '/api/v1/persistentvolumes'
  const attachments = '/apis/storage.k8s.io/v1/volumeattachments'
  const made = [
    await sandbox.kubernetes('POST', volumes, {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'data' },
      spec: {
        capacity: { storage: '1Gi' },
        accessModes: ['ReadWriteOnce'],
        persistentVolumeReclaimPolicy: 'Retain',
        csi: { driver, volumeHandle: 'vol-0ab1' }
      }
    }),
    await sandbox.kubernetes('POST', attachments, {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'VolumeAttachment',
      metadata: { name: 'csi-held', finalizers: ['external-attacher/ebs-csi-aws-com'] },
      spec: { attacher: driver, nodeName, source: { persistentVolumeName: 'data' } }
    })
  ]
  const refused = made.find(({ status }) => status !== 201)
  if (refused !== undefined) throw new Error(`a volume: the API server answered ${refused.status}`)
  return async () => {
    await sandbox.kubernetes('PATCH', `${attachments}/csi-held`, { metadata: { finalizers: null } })
    await sandbox.kubernetes('DELETE', `${attachments}/csi-held`)
    await sandbox.kubernetes('PATCH', `${volumes}/data`, { metadata: { finalizers: null } })
    await sandbox.kubernetes('DELETE', `${volumes}/data`)
  }
}
