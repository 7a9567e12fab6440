import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import { UserError } from '../engine/errors.js'
import type { Kubernetes } from './client.js'
import { isKubernetesError } from './errors.js'
import { configMaps, secrets } from './kinds.js'
import { textField } from './manifest.js'
import { ourName } from '../engine/owner.js'

const recordName = { name: ourName, namespace: 'kube-system' } as const
/** The Secret in which a record that could not be read is kept when another one takes its place. */
const setAsideName = { name: `${ourName}-unreadable`, namespace: 'kube-system' } as const
const key = 'record.json.gz'
/** The API server's own limit for a ConfigMap is 1 MiB; other fields need room. */
const mostBytes = 1_000_000

export type StoredRecord =
  | { readonly state: 'present'; readonly text: string }
  | { readonly state: 'absent' }
  /** There, and no record that we wrote. */
  | { readonly state: 'broken'; readonly reason: string }
  | { readonly state: 'unreadable'; readonly reason: string; readonly missingPermission: string }

/** The text kept in the ConfigMap kube-system/setup-karpenter. */
export async function readRecord(kubernetes: Kubernetes): Promise<StoredRecord> {
  let configMap
  try {
    configMap = await kubernetes.get(configMaps, recordName.name, recordName.namespace)
  } catch (error) {
    if (isKubernetesError(error, 403)) {
      return {
        state: 'unreadable',
        reason: error.message,
        missingPermission: error.permission ?? 'get configmaps'
      }
    }
    throw error
  }
  if (configMap === undefined) return { state: 'absent' }
  const packed = textField(configMap, 'binaryData', key)
  if (packed === undefined) return { state: 'broken', reason: `ConfigMap has no ${key}` }
  const text = await unpacked(packed)
  return text === undefined ? { state: 'broken', reason: `${key} is not gzip` } : { state: 'present', text }
}

async function unpacked(packed: string): Promise<string | undefined> {
  try {
    const text = await promisify(gunzip)(Buffer.from(packed, 'base64'), { maxOutputLength: 64 * 1024 * 1024 })
    return text.toString('utf8')
  } catch {
    return undefined
  }
}

/** What the record of a time keeps in the Secret kube-system/setup-karpenter. Rejects as the API server refuses. */
export async function readRecordValues(kubernetes: Kubernetes, time: string): Promise<string | undefined> {
  const secret = await kubernetes.get(secrets, recordName.name, recordName.namespace)
  const packed = secret === undefined ? undefined : textField(secret, 'data', valuesKey(time))
  return packed === undefined ? undefined : unpacked(packed)
}

/**
 * Keeps what belongs to records, by their times. The record that stands is given as well as the one that is about to take
 * its place: a run that is killed between the two writes leaves either with its own.
 */
export async function writeRecordValues(
  kubernetes: Kubernetes,
  values: readonly { readonly time: string; readonly text: string }[],
  run: string
): Promise<void> {
  const data = await Promise.all(
    values.map(async ({ time, text }): Promise<readonly [string, string]> => {
      const packed = await promisify(gzip)(text, { level: 9 })
      return [valuesKey(time), packed.toString('base64')]
    })
  )
  await kubernetes.apply(
    secrets,
    {
      apiVersion: secrets.apiVersion,
      kind: secrets.kind,
      metadata: {
        ...recordName,
        labels: { 'app.kubernetes.io/managed-by': ourName },
        annotations: { 'setup-karpenter/run': run }
      },
      type: 'Opaque',
      data: Object.fromEntries(data)
    },
    { force: true }
  )
}

/** When no record needs it any more. */
export async function deleteRecordValues(kubernetes: Kubernetes): Promise<'deleted' | 'absent'> {
  return kubernetes.delete(secrets, recordName)
}

function valuesKey(time: string): string {
  return `values-${time.replaceAll(/[^\w.-]/g, '-')}.json.gz`
}

/** Keeps the text, compressed; the same text makes the same bytes. */
export async function writeRecord(kubernetes: Kubernetes, text: string, run: string): Promise<void> {
  const packed = await promisify(gzip)(text, { level: 9 })
  const title = `ConfigMap ${recordName.namespace}/${recordName.name}`
  if (packed.length > mostBytes) {
    throw new UserError(
      title,
      `the record is ${packed.length} bytes compressed, more than the ${mostBytes} that a ConfigMap holds`,
      'Split the NodePools over several manifests, or shorten userData in the EC2NodeClasses.'
    )
  }
  await kubernetes.apply(
    configMaps,
    {
      apiVersion: configMaps.apiVersion,
      kind: configMaps.kind,
      metadata: {
        ...recordName,
        labels: { 'app.kubernetes.io/managed-by': ourName },
        annotations: { 'setup-karpenter/run': run }
      },
      binaryData: { [key]: packed.toString('base64') }
    },
    { force: true }
  )
}

/**
 * Keeps what is in the record's place under another name, as it is, so that another record can take its place. In a Secret:
 * nobody knows which values stand in a record that cannot be read.
 */
export async function setRecordAside(kubernetes: Kubernetes): Promise<void> {
  const live = await kubernetes.get(configMaps, recordName.name, recordName.namespace)
  if (live === undefined) return
  await kubernetes.apply(
    secrets,
    {
      apiVersion: secrets.apiVersion,
      kind: secrets.kind,
      metadata: { ...setAsideName, labels: { 'app.kubernetes.io/managed-by': ourName } },
      type: 'Opaque',
      data: { ...base64Of(live.data), ...live.binaryData }
    },
    { force: true }
  )
}

function base64Of(texts: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(texts).map(([name, text]) => [name, Buffer.from(text).toString('base64')])
  )
}

/** Removes the record, its values, and one that was set aside; the last act of an uninstall. */
export async function deleteRecord(kubernetes: Kubernetes): Promise<'deleted' | 'absent'> {
  const outcomes = await Promise.all([
    kubernetes.delete(configMaps, recordName),
    kubernetes.delete(secrets, setAsideName),
    deleteRecordValues(kubernetes)
  ])
  return outcomes.includes('deleted') ? 'deleted' : 'absent'
}
