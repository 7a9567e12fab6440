import { isMap } from '../engine/json.js'
import { quantity } from '../engine/quantity.js'
import type { Ownership } from '../aws/environment.js'
import { deployments, nodePools } from '../kubernetes/kinds.js'
import { field, listField, type Manifest } from '../kubernetes/manifest.js'
import { proofCommand, proofContainer } from './network-proof.js'

/**
 * On every object of a smoke test. The value is the run's id on its Deployments and NodePools, by which they are found
 * when they must go; on nodes and pods it is the id of the test of one NodePool.
 */
export const smokeTestLabel = 'setup-karpenter/smoke-test'

/** Whose test it is: the run's, and of which of its NodePools. */
export interface TestIdentity {
  /** `smokeTestId(run)`. */
  readonly run: string
  /** `testId(run, index)`: unique among all tests of a cluster. */
  readonly id: string
}

export interface SmokeTestObjects {
  readonly nodePool: Manifest
  readonly deployment: Manifest
}

export interface Workload {
  readonly namespace: string
  readonly replicas: number
  readonly onePerNode: boolean
  readonly image: string
  /** With sh and nc, by which each pod proves the network of its node before it runs; undefined: none does. */
  readonly networkImage: string | undefined
  /** For scale-up, and again for scale-down. */
  readonly timeoutSeconds: number
}

/** The id of a run as it can stand in names and label values: at most 30 of [a-z0-9-]. */
export function smokeTestId(run: string): string {
  const id = run
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(-30)
    .replaceAll(/^-+|-+$/g, '')
  return id === '' ? 'local' : id
}

/** The id of a run's test of its first, second, ... NodePool. */
export function testId(run: string, index: number): string {
  return index === 0 ? run : `${run}-${index + 1}`
}

export function objectNames(id: string): { readonly nodePool: string; readonly deployment: string } {
  return { nodePool: `smoke-test-${id}`, deployment: `smoke-test-${id}` }
}

/**
 * The temporary NodePool and the Deployment that needs it. The NodePool is a copy of the one under test with a label and a
 * taint of this run: its nodes are new by construction, and nobody else's pods land there. It gives empty nodes back at
 * once, all of them.
 */
export function smokeTestObjects(
  { run, id }: TestIdentity,
  underTest: Manifest,
  workload: Workload,
  ownership: Ownership
): SmokeTestObjects {
  const names = objectNames(id)
  const labels = { [smokeTestLabel]: run, 'app.kubernetes.io/managed-by': ownership.owner }
  const annotations = {
    'setup-karpenter/run': ownership.run,
    'setup-karpenter/node-pool': underTest.metadata.name
  }
  const taint = { key: smokeTestLabel, value: id, effect: 'NoSchedule' }
  const spec = mapOf(underTest['spec'])
  const template = mapOf(spec['template'])
  const templateSpec = mapOf(template['spec'])
  // A weight would draw nothing here, and replicas would make nodes without pods.
  const kept = Object.fromEntries(
    Object.entries(spec).filter(([name]) => name !== 'weight' && name !== 'replicas')
  )
  const limits = mapOf(spec['limits'])
  return {
    nodePool: {
      apiVersion: nodePools.apiVersion,
      kind: nodePools.kind,
      metadata: { name: names.nodePool, labels, annotations },
      spec: {
        ...kept,
        // What everybody forgets stays bounded, and its nodes go by themselves.
        limits: { ...limits, cpu: smaller(limits['cpu'], workload.replicas * cpuPerPod) },
        disruption: {
          consolidationPolicy: 'WhenEmpty',
          consolidateAfter: '0s',
          budgets: [{ nodes: '100%' }]
        },
        template: {
          ...template,
          metadata: {
            ...mapOf(template['metadata']),
            labels: { ...mapOf(field(template, 'metadata', 'labels')), [smokeTestLabel]: id }
          },
          spec: {
            ...templateSpec,
            expireAfter: `${expiryHours(workload.timeoutSeconds)}h`,
            taints: [...listField(templateSpec, 'taints'), taint]
          }
        }
      }
    },
    deployment: deploymentOf(
      { id, taints: listField(templateSpec, 'taints') },
      { name: names.deployment, namespace: workload.namespace, labels, annotations },
      workload
    )
  }
}

/**
 * vCPUs that a NodePool may make for a pod. Karpenter counts the largest type that a node could become against the limit
 * (provisioning/scheduling, subtractMax), and the largest has 896: a test is never held up by its own bound.
 */
const cpuPerPod = 1000

function smaller(own: unknown, most: number): unknown {
  const given = typeof own === 'string' || typeof own === 'number' ? quantity(String(own)) : undefined
  return given !== undefined && given <= most ? own : String(most)
}

/** Longer than any test of this timeout. */
function expiryHours(timeoutSeconds: number): number {
  return 1 + Math.ceil((2 * timeoutSeconds) / 3600)
}

/** Where a Fargate profile takes the namespace in, it leaves pods with this one to nodes (Amazon EKS, CoreDNS on Fargate). */
const offFargate = { 'eks.amazonaws.com/compute-type': 'ec2' }

/** The user of the pause image; any other image may run as it, too, when it needs no rights. */
const nobody = 65535
/** Equal as request and limit, so that quotas and LimitRanges that want both have them. */
const room = { cpu: '1', memory: '64Mi' }
const unprivileged = {
  resources: { requests: room, limits: room },
  securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } }
}

/** Pods that pass Pod Security `restricted` as they are. */
function deploymentOf(
  { id, taints }: { readonly id: string; readonly taints: readonly unknown[] },
  metadata: Manifest['metadata'],
  workload: Workload
): Manifest {
  const selector = { [smokeTestLabel]: id }
  return {
    apiVersion: deployments.apiVersion,
    kind: deployments.kind,
    metadata,
    spec: {
      replicas: workload.replicas,
      selector: { matchLabels: selector },
      template: {
        metadata: { labels: selector, annotations: { ...metadata.annotations, ...offFargate } },
        spec: {
          // A NodePool may make nodes of both systems.
          nodeSelector: { ...selector, 'kubernetes.io/os': 'linux' },
          // The taints that the NodePool under test has itself are no reason for its nodes to stay empty.
          tolerations: [
            { key: smokeTestLabel, operator: 'Equal', value: id, effect: 'NoSchedule' },
            ...taints.map((taint) => ({
              key: field(taint, 'key'),
              operator: 'Exists',
              effect: field(taint, 'effect')
            }))
          ],
          ...(workload.onePerNode && {
            affinity: {
              podAntiAffinity: {
                requiredDuringSchedulingIgnoredDuringExecution: [
                  { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: selector } }
                ]
              }
            }
          }),
          automountServiceAccountToken: false,
          terminationGracePeriodSeconds: 0,
          securityContext: {
            runAsNonRoot: true,
            runAsUser: nobody,
            runAsGroup: nobody,
            seccompProfile: { type: 'RuntimeDefault' }
          },
          ...(workload.networkImage !== undefined && {
            initContainers: [
              {
                ...unprivileged,
                name: proofContainer,
                image: workload.networkImage,
                command: proofCommand,
                // What it printed is then in the pod's status, and no right to read logs is needed.
                terminationMessagePolicy: 'FallbackToLogsOnError'
              }
            ]
          }),
          containers: [{ ...unprivileged, name: 'smoke-test', image: workload.image }]
        }
      }
    }
  }
}

function mapOf(value: unknown): Record<string, unknown> {
  return isMap(value) ? value : {}
}
