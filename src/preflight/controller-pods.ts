import type { Toleration } from 'kubernetes-types/core/v1.js'
import { isMap, type JsonMap } from '../engine/json.js'
import { quantity } from '../engine/quantity.js'

/** What the controller's pods ask of their nodes. */
export interface ControllerPods {
  readonly replicas: number
  readonly nodeSelector: Readonly<Record<string, string>>
  readonly tolerations: readonly Toleration[]
  readonly onePerNode: boolean
  readonly spreadsOverZones: boolean
  /** Whether they keep away from nodes that Karpenter made. */
  readonly avoidsKarpenterNodes: boolean
  /** Cores. */
  readonly cpu: number
  /** Bytes. */
  readonly memory: number
}

/** Read from chart values; what they leave out is the chart's default (charts/karpenter/values.yaml, 1.0 to 1.14). */
export function controllerPods(values: Readonly<JsonMap>): ControllerPods {
  const requests = mapOf(mapOf(mapOf(values['controller'])['resources'])['requests'])
  const affinity = isMap(values['affinity']) ? values['affinity'] : undefined
  const replicas = Number(values['replicas'] ?? 2)
  return {
    replicas: Number.isSafeInteger(replicas) && replicas >= 0 ? replicas : 2,
    nodeSelector: {
      'kubernetes.io/os': 'linux',
      ...Object.fromEntries(
        Object.entries(mapOf(values['nodeSelector'])).map(([key, value]) => [key, String(value)])
      )
    },
    tolerations: Array.isArray(values['tolerations'])
      ? values['tolerations'].filter(isMap).map(tolerationOf)
      : [{ key: 'CriticalAddonsOnly', operator: 'Exists' }],
    // A null in values removes the chart's own.
    onePerNode:
      affinity === undefined || !('podAntiAffinity' in affinity) || affinity['podAntiAffinity'] !== null,
    spreadsOverZones:
      values['topologySpreadConstraints'] === undefined && affinity?.['podAntiAffinity'] === undefined,
    avoidsKarpenterNodes: affinity?.['nodeAffinity'] !== null,
    cpu: amountOf(requests['cpu']),
    memory: amountOf(requests['memory'])
  }
}

function tolerationOf(value: JsonMap): Toleration {
  const text = (name: string): string | undefined => {
    const own = value[name]
    return typeof own === 'string' || typeof own === 'boolean' || typeof own === 'number'
      ? String(own)
      : undefined
  }
  const [key, operator, effect, own] = [text('key'), text('operator'), text('effect'), text('value')]
  return {
    ...(key !== undefined && { key }),
    ...(operator !== undefined && { operator }),
    ...(effect !== undefined && { effect }),
    ...(own !== undefined && { value: own })
  }
}

function amountOf(value: unknown): number {
  return typeof value === 'string' || typeof value === 'number' ? (quantity(value) ?? 0) : 0
}

function mapOf(value: unknown): JsonMap {
  return isMap(value) ? value : {}
}
