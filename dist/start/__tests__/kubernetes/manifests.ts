import { isMap } from '../../src/engine/json.js'
import { manifestDifferences } from '../../src/kubernetes/differences.js'
import type { Manifest } from '../../src/kubernetes/manifest.js'
import { appliedByUs, type Owners } from '../../src/kubernetes/noise.js'

export const entry = (
  manager: string,
  fieldsV1: unknown,
  more: { operation?: string; time?: string; subresource?: string } = {}
) => ({ manager, operation: 'Update', time: '2026-01-02T00:00:00Z', fieldsV1, ...more })

export const ours = { operation: 'Apply', time: '2026-01-01T00:00:00Z' }

export function object(
  kind: string,
  content: Record<string, unknown>,
  managedFields: unknown[] = []
): Manifest {
  const { metadata, ...rest } = content
  return {
    apiVersion: 'v1',
    kind,
    ...rest,
    metadata: { name: 'x', ...(isMap(metadata) && metadata), managedFields }
  }
}

export function found(wanted: Manifest, live: Manifest, owners: Owners = appliedByUs(true)): string[] {
  return manifestDifferences(wanted, live, () => ({ severity: 'cosmetic' }), owners).map(
    ({ path, by }) => `${path}${by === undefined ? '' : ` by ${by.manager}`}`
  )
}

export const controller = {
  name: 'controller',
  image: 'a:1',
  env: [{ name: 'A', value: '1' }],
  args: ['--a', '--b']
}
export const deployment = (spec: Record<string, unknown>, managed: unknown[] = []): Manifest =>
  object('Deployment', { spec }, managed)
export const withPod = (pod: Record<string, unknown>, managed: unknown[] = []): Manifest =>
  deployment({ replicas: 2, template: { spec: { containers: [controller], ...pod } } }, managed)
export const inController = (fields: unknown): unknown => ({
  'f:spec': { 'f:template': { 'f:spec': { 'f:containers': { 'k:{"name":"controller"}': fields } } } }
})
