import type { NodeSelectorTerm, Toleration } from 'kubernetes-types/core/v1.js'
import { isMap, type JsonMap } from '../../engine/json.js'
import { quantity } from '../../engine/quantity.js'

/** What the controller's pods ask of their nodes. */
export interface ControllerPods {
  readonly replicas: number
  readonly nodeSelector: Readonly<Record<string, string>>
  /** Required node affinity: one of them must take the node in. Undefined: none is asked for. */
  readonly nodeTerms: readonly NodeSelectorTerm[] | undefined
  readonly tolerations: readonly Toleration[]
  readonly onePerNode: boolean
  /** How uneven the zones may be; undefined: they need not be even. */
  readonly zoneSkew: number | undefined
  /** Cores. */
  readonly cpu: number
  /** Bytes. */
  readonly memory: number
  /** Pods of a lower one make way for them; undefined: their priority class is the user's own, and not known here. */
  readonly priority: number | undefined
}

const zone = 'topology.kubernetes.io/zone'
const required = 'requiredDuringSchedulingIgnoredDuringExecution'

/** The chart's own (charts/karpenter/values.yaml, 1.0 to 1.14); helm replaces lists and merges maps. */
const chart = {
  nodeTerms: [{ matchExpressions: [{ key: 'karpenter.sh/nodepool', operator: 'DoesNotExist' }] }],
  tolerations: [{ key: 'CriticalAddonsOnly', operator: 'Exists' }],
  spread: [{ maxSkew: 1, topologyKey: zone, whenUnsatisfiable: 'DoNotSchedule' }],
  apart: [{ topologyKey: 'kubernetes.io/hostname' }]
}

/** Read from chart values; a null in them takes the chart's own away, as in helm. */
export function controllerPods(values: Readonly<JsonMap>): ControllerPods {
  const requests = at(values, 'controller', 'resources', 'requests')
  const replicas = Number(values['replicas'] ?? 2)
  const terms = own(at(values, 'affinity', 'nodeAffinity', required, 'nodeSelectorTerms'), chart.nodeTerms)
  const apart = own(at(values, 'affinity', 'podAntiAffinity', required), chart.apart)
  const spread = own(at(values, 'topologySpreadConstraints'), chart.spread)
  const selector: JsonMap = { 'kubernetes.io/os': 'linux', ...mapOf(values['nodeSelector']) }
  return {
    replicas: Number.isSafeInteger(replicas) && replicas >= 0 ? replicas : 2,
    nodeSelector: Object.fromEntries(
      Object.entries(selector)
        .filter(([, value]) => value !== null)
        .map(([key, value]) => [key, textOf(value)])
    ),
    nodeTerms: terms.length === 0 ? undefined : terms.map(termOf),
    tolerations: own(values['tolerations'], chart.tolerations).map(tolerationOf),
    onePerNode: apart.some((term) => term['topologyKey'] === 'kubernetes.io/hostname'),
    zoneSkew: skewOf(spread),
    cpu: amountOf(at(requests, 'cpu')),
    memory: amountOf(at(requests, 'memory')),
    priority: priorityOf(values['priorityClassName'])
  }
}

/** Kubernetes' own classes; the chart takes the first (1.0 to 1.14). */
function priorityOf(name: unknown): number | undefined {
  if (name === undefined || name === 'system-cluster-critical') return 2_000_000_000
  if (name === 'system-node-critical') return 2_000_001_000
  return name === null || name === '' ? 0 : undefined
}

/** What a path leads to: undefined where it ends early, null where a null stands in its way. */
function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (from, name) => (isMap(from) ? from[name] : from === null ? null : undefined),
    value
  )
}

function own(given: unknown, otherwise: readonly JsonMap[]): readonly JsonMap[] {
  if (given === undefined) return otherwise
  return Array.isArray(given) ? given.filter(isMap) : []
}

function skewOf(constraints: readonly JsonMap[]): number | undefined {
  const skews = constraints
    .filter((one) => one['topologyKey'] === zone && one['whenUnsatisfiable'] !== 'ScheduleAnyway')
    .map((one) => Number(one['maxSkew'] ?? 1))
  return skews.length === 0 ? undefined : Math.min(...skews)
}

function termOf(term: JsonMap): NodeSelectorTerm {
  return {
    matchExpressions: own(term['matchExpressions'], []).map((expression) => ({
      key: textOf(expression['key']),
      operator: textOf(expression['operator']),
      values: Array.isArray(expression['values']) ? expression['values'].map(textOf) : []
    }))
  }
}

function tolerationOf(value: JsonMap): Toleration {
  return Object.fromEntries(
    ['key', 'operator', 'effect', 'value'].flatMap((name) =>
      value[name] === undefined || value[name] === null ? [] : [[name, textOf(value[name])]]
    )
  )
}

function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number'
    ? String(value)
    : ''
}

function amountOf(value: unknown): number {
  return typeof value === 'string' || typeof value === 'number' ? (quantity(value) ?? 0) : 0
}

function mapOf(value: unknown): JsonMap {
  return isMap(value) ? value : {}
}
