import { isMap, overlay } from '../engine/json.js'

export type Values = Readonly<Record<string, unknown>>

export interface GuideSettings {
  readonly clusterName: string
  /** Name of the SQS queue; undefined: interruptions are not handled. */
  readonly interruptionQueue: string | undefined
  /** For IRSA; undefined with Pod Identity. */
  readonly controllerRoleArn: string | undefined
}

/** The values that the getting-started guide gives the chart (1.0 to 1.14). */
export function guideValues(settings: GuideSettings): Values {
  return {
    settings: {
      clusterName: settings.clusterName,
      ...(settings.interruptionQueue !== undefined && { interruptionQueue: settings.interruptionQueue })
    },
    controller: {
      resources: { requests: { cpu: 1, memory: '1Gi' }, limits: { cpu: 1, memory: '1Gi' } }
    },
    ...(settings.controllerRoleArn !== undefined && {
      serviceAccount: { annotations: { 'eks.amazonaws.com/role-arn': settings.controllerRoleArn } }
    })
  }
}

/** The values of a release that was taken over, as its user gave them; a queue that it had not is set. */
export function adoptedValues(given: Values, interruptionQueue: string | undefined): Values {
  return interruptionQueue === undefined ? given : overlay(given, { settings: { interruptionQueue } })
}

/** A value that the chart would swallow in silence. */
export interface ValueProblem {
  /** `settings.aws.clusterName` */
  readonly path: string
  /** What it is called now, or what to do instead. */
  readonly problem: string
}

const roleIsGiven = 'it is gone since 1.0: give the controller its role by controller-identity'
const podEni = 'it is gone: instances that can have a pod ENI are always taken with it'
const podDensity =
  'it is gone: set spec.kubelet.maxPods of the EC2NodeClass in node-pools, where nodes take other than what their interfaces allow'
const nodeNames = 'it is gone since 0.28: Karpenter goes by the instance, whatever the node is called'
const drift = 'it is gone: drift is always on since 1.0'

/** Keys that the guides of earlier versions set, and what became of them. A key stands for everything below it. */
const dead: Readonly<Record<string, string>> = {
  'settings.aws.clusterName': 'it is called settings.clusterName since 0.33, and is set from cluster-name',
  'settings.aws.clusterEndpoint':
    'it is called settings.clusterEndpoint since 0.33; left out, it is discovered',
  'settings.aws.interruptionQueueName':
    'it is called settings.interruptionQueue since 0.33, and is set from interruption-queue',
  'settings.aws.defaultInstanceProfile':
    'it became spec.instanceProfile, or spec.role, of the EC2NodeClass in 0.32: set it in node-pools, or leave it to node-role-name',
  'settings.aws.isolatedVPC': 'it is called settings.isolatedVPC since 0.33',
  'settings.aws.reservedENIs': 'it is called settings.reservedENIs since 0.33',
  'settings.aws.vmMemoryOverheadPercent': 'it is called settings.vmMemoryOverheadPercent since 0.33',
  'settings.aws.clusterCABundle': 'it is called settings.clusterCABundle since 0.33',
  'settings.aws.assumeRoleARN': roleIsGiven,
  'settings.aws.assumeRoleDuration': roleIsGiven,
  'settings.assumeRoleARN': roleIsGiven,
  'settings.assumeRoleDuration': roleIsGiven,
  'settings.aws.enablePodENI': podEni,
  'settings.enablePodENI': podEni,
  'settings.aws.enableENILimitedPodDensity': podDensity,
  'settings.enableENILimitedPodDensity': podDensity,
  'settings.aws.nodeNameConvention': nodeNames,
  'settings.nodeNameConvention': nodeNames,
  'settings.aws.tags': 'it became spec.tags of the EC2NodeClass in 0.32: set it in node-pools',
  'settings.aws': 'settings.aws is gone since 0.33: what it held is directly below settings',
  'settings.featureGates.driftEnabled': drift,
  'settings.featureGates.drift': drift,
  'featureGates.driftEnabled': drift,
  'featureGates.drift': drift,
  'settings.interruptionQueueName': 'it is called settings.interruptionQueue',
  clusterName: 'it is called settings.clusterName, and is set from cluster-name',
  clusterEndpoint: 'it is called settings.clusterEndpoint; left out, it is discovered',
  'aws.defaultInstanceProfile':
    'it became spec.instanceProfile, or spec.role, of the EC2NodeClass in 0.32: set it in node-pools, or leave it to node-role-name',
  aws: 'it is gone: what it held is below settings, or in the EC2NodeClass',
  webhook: 'it is gone since 1.1, which has no webhooks',
  hostNetworkWebhook: 'it is gone since 1.1, which has no webhooks',
  'controller.outputPaths': 'it is called logOutputPaths',
  'controller.errorOutputPaths': 'it is called logErrorOutputPaths',
  'controller.logLevel': 'it is called logLevel',
  'controller.batchMaxDuration': 'it is called settings.batchMaxDuration',
  'controller.batchIdleDuration': 'it is called settings.batchIdleDuration',
  logEncoding: 'it is gone since 1.0: logs are JSON',
  'controller.logEncoding': 'it is gone since 1.0: logs are JSON',
  'controller.securityContext':
    "it is the chart's own: no privileges, read-only root, user 65532; podSecurityContext can be set",
  logConfig: 'it is gone since 1.0: set logLevel, logOutputPaths and logErrorOutputPaths'
}

/** Handed on to the pod as they are, although the chart's defaults for them are not empty. */
const freeForm = new Set([
  'nodeSelector',
  'affinity',
  'strategy',
  'podSecurityContext',
  'controller.resources',
  'global'
])

/**
 * The user's values that the chart does not know. The chart has no schema: helm takes anything and says nothing. A
 * default of `{}`, `[]` or null may hold anything.
 */
export function unknownValues(user: Values, chart: Values): readonly ValueProblem[] {
  const known = pathsOf(chart, '')
  const walk = (given: Values, defaults: Values, above: string): readonly ValueProblem[] =>
    Object.entries(given).flatMap(([key, value]) => {
      const path = above === '' ? key : `${above}.${key}`
      if (freeForm.has(path)) return []
      if (!(key in defaults)) return problemsAt(path, value, known, key)
      const byDefault = defaults[key]
      if (isMap(byDefault) && Object.keys(byDefault).length > 0) {
        if (value === null) return []
        return isMap(value) ? walk(value, byDefault, path) : [{ path, problem: 'it is a map in the chart' }]
      }
      if (isMap(value) && isScalar(byDefault))
        return [{ path, problem: `it is one value in the chart (${JSON.stringify(byDefault)}), not a map` }]
      if (Array.isArray(byDefault) && !Array.isArray(value) && saysSomething(value))
        return [{ path, problem: `it is a list in the chart, not ${isMap(value) ? 'a map' : 'one value'}` }]
      return isMap(byDefault) && isScalar(value) && saysSomething(value)
        ? [{ path, problem: 'it is a map or a list in the chart, not one value' }]
        : []
    })
  return walk(user, chart, '')
}

/** `karpenter:` of an umbrella chart, `values:` of a HelmRelease. */
function isOfDependent(path: string, value: unknown, known: readonly string[]): boolean {
  if (path.includes('.') || !isMap(value)) return false
  const keys = Object.keys(value)
  return keys.length > 0 && keys.every((key) => known.includes(key) || key in dead)
}

function problemsAt(
  path: string,
  value: unknown,
  known: readonly string[],
  key = path
): readonly ValueProblem[] {
  const exact = dead[path]
  const below = Object.keys(dead).filter((one) => one.startsWith(`${path}.`))
  // Of a dead map, the keys inside say more than the map.
  if (below.length > 0 && isMap(value) && Object.keys(value).length > 0) {
    return Object.entries(value).flatMap(([key, inner]) => problemsAt(`${path}.${key}`, inner, known))
  }
  if (exact !== undefined) return [{ path, problem: exact }]
  if (isOfDependent(path, value, known))
    return [
      {
        path,
        problem: `it is how a chart that depends on this one gives it values: give what stands below ${path} alone`
      }
    ]
  const dying = Object.keys(dead).find((one) => path.startsWith(`${one}.`))
  if (dying !== undefined) return [{ path, problem: dead[dying] ?? '' }]
  if (key.includes('.') && known.includes(path))
    return [{ path, problem: 'a dot in a key is no step: write a map of maps' }]
  const near = nearest(path, known)
  return [
    {
      path,
      problem:
        near === undefined
          ? 'the chart has no such value'
          : `the chart has no such value; did you mean ${near}?`
    }
  ]
}

function pathsOf(values: Values, above: string): readonly string[] {
  return Object.entries(values).flatMap(([key, value]) => {
    const path = above === '' ? key : `${above}.${key}`
    return isMap(value) && !freeForm.has(path) ? [path, ...pathsOf(value, path)] : [path]
  })
}

/** The known path that a typo is closest to: by its whole path, or by its last key when that is unmistakable. */
function nearest(path: string, known: readonly string[]): string | undefined {
  const last = (one: string): string => one.split('.').at(-1) ?? one
  const whole = closest(path, known, (one) => one)
  if (whole !== undefined) return whole
  const same = known.filter((one) => last(one).toLowerCase() === last(path).toLowerCase())
  if (same.length === 1) return same[0]
  return closest(last(path), known, last)
}

function closest(text: string, among: readonly string[], by: (one: string) => string): string | undefined {
  let best: { readonly one: string; readonly distance: number } | undefined
  for (const one of among) {
    const distance = editDistance(text.toLowerCase(), by(one).toLowerCase())
    if (best === undefined || distance < best.distance) best = { one, distance }
  }
  return best !== undefined && best.distance <= Math.max(1, Math.floor(text.length / 5))
    ? best.one
    : undefined
}

/** Insertions, deletions, replacements and swaps of neighbours. */
export function editDistance(a: string, b: string): number {
  let before: number[] = []
  let row = Array.from({ length: b.length + 1 }, (_, at) => at)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = a[i - 1] === b[j - 1] ? 0 : 1
      let least = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + change)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, (before[j - 2] ?? 0) + 1)
      }
      next.push(least)
    }
    before = row
    row = next
  }
  return row[b.length] ?? 0
}

/** Nothing is said by what is empty, which leaves the chart as it is or takes its default away. */
function saysSomething(value: unknown): boolean {
  return isMap(value) ? Object.keys(value).length > 0 : value !== null && value !== '' && value !== false
}

function isScalar(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
}
