import { isMap, mapAt } from '../engine/json.js'
import type { InstallRecord } from '../engine/record.js'
import { mayHoldSecrets } from '../engine/secret-values.js'
import { idOf } from '../resources/ids.js'

type Values = Readonly<Record<string, unknown>>

/** The values of the chart that a record has: those of its last install, and those that an adoption found. */
export interface RecordValues {
  readonly release?: Values
  readonly adoption?: Values
}

/** What of a record goes into the ConfigMap, and what into the Secret beside it; undefined: nothing of it need. */
export interface ApartRecord {
  readonly open: InstallRecord
  readonly values: RecordValues | undefined
}

/**
 * What the chart has of names that hold settings and no secrets (values.yaml of Karpenter 1.2 to 1.15). What stands
 * elsewhere (environment, sidecars, annotations, what a later chart has) may be a secret, whatever it is called.
 */
const settings =
  /^(settings|serviceAccount|replicas|controller\.(resources|image|metrics|healthProbe|featureGates)|logLevel|logOutputPaths|logErrorOutputPaths|nameOverride|fullnameOverride|imagePullPolicy|imagePullSecrets|dnsPolicy|hostNetwork|priorityClassName|terminationGracePeriodSeconds|revisionHistoryLimit|strategy|podDisruptionBudget|podSecurityContext|nodeSelector|affinity|tolerations|topologySpreadConstraints|schedulerName|serviceMonitor|service|additionalClusterRoleRules|additionalLabels|podLabels)(\.|$)/

/** Takes the values out when they may hold a secret: a ConfigMap is read by more people than helm's Secret is. */
export function withoutValues(record: InstallRecord): ApartRecord {
  const release = releaseValues(record)
  const adoption = mapAt(record, 'adoption')['helmValues']
  if (![release, adoption].some((values) => isMap(values) && mayBeSecret(values, '')))
    return { open: record, values: undefined }
  const entry = record.resources[idOf.helmRelease]
  const { adoption: adopted, ...others } = record
  return {
    open: {
      ...others,
      ...(isMap(adopted) ? { adoption: without(adopted, 'helmValues') } : {}),
      valuesIn: 'secret',
      resources: {
        ...record.resources,
        ...(entry !== undefined &&
          isMap(entry.wanted) && {
            [idOf.helmRelease]: { ...entry, wanted: without(entry.wanted, 'values') }
          })
      }
    },
    values: { ...(isMap(release) && { release }), ...(isMap(adoption) && { adoption }) }
  }
}

/** The record with its values again. */
export function withValues(record: InstallRecord, { release, adoption }: RecordValues): InstallRecord {
  const entry = record.resources[idOf.helmRelease]
  return {
    ...record,
    ...(adoption !== undefined &&
      isMap(record.adoption) && { adoption: { ...record.adoption, helmValues: adoption } }),
    resources: {
      ...record.resources,
      ...(entry !== undefined &&
        release !== undefined &&
        isMap(entry.wanted) && {
          [idOf.helmRelease]: { ...entry, wanted: { ...entry.wanted, values: release } }
        })
    }
  }
}

/** Undefined when the text is none that withoutValues made. */
export function parseValues(text: string | undefined): RecordValues | undefined {
  let value: unknown
  try {
    value = JSON.parse(text ?? '')
  } catch {
    return undefined
  }
  if (!isMap(value)) return undefined
  const { release, adoption } = value
  return { ...(isMap(release) && { release }), ...(isMap(adoption) && { adoption }) }
}

function releaseValues(record: InstallRecord): unknown {
  return mapAt(record.resources[idOf.helmRelease], 'wanted')['values']
}

/** Flags and counts outside of settings are no secrets either; a name that says so is believed anywhere. */
function mayBeSecret(value: unknown, path: string): boolean {
  if (settings.test(path)) return mayHoldSecrets({ [path]: value })
  if (isMap(value))
    return Object.entries(value).some(([key, inner]) =>
      mayBeSecret(inner, path === '' ? key : `${path}.${key}`)
    )
  if (Array.isArray(value)) return value.length > 0
  return (typeof value === 'string' && value !== '') || mayHoldSecrets({ [path]: value })
}

function without(map: Values, key: string): Values {
  return Object.fromEntries(Object.entries(map).filter(([name]) => name !== key))
}
