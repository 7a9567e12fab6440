import { ownerOfObject } from '../../adoption/owners/object-owner.js'
import { isMap } from '../../engine/json.js'
import type { Judgement } from '../../engine/severity.js'
import { missing } from '../../engine/difference.js'
import { resource, type AnyResource } from '../../engine/resource.js'
import { manifestDifferences } from '../../kubernetes/differences.js'
import { flowSchemas as kind } from '../../kubernetes/kinds.js'
import { isManifest, textField, type Manifest } from '../../kubernetes/manifest.js'
import { clear, liveOf, ownersOf, withOwnership, type KubernetesPorts } from '../kubernetes-object.js'
import { idOf } from '../ids.js'

export interface FlowSchemasWanted {
  readonly flowSchemas: readonly Manifest[]
}

/**
 * The two FlowSchemas that let the controller's requests through a busy API server when it does not run in kube-system,
 * where the built-in ones do it (Karpenter's getting-started guide, 1.0 to 1.14).
 */
export function flowSchemaManifests(namespace: string, serviceAccount: string): readonly Manifest[] {
  const subject = { kind: 'ServiceAccount', serviceAccount: { name: serviceAccount, namespace } }
  const flowSchema = (
    name: string,
    level: string,
    precedence: number,
    rules: Readonly<Record<string, unknown>>
  ): Manifest => ({
    apiVersion: kind.apiVersion,
    kind: kind.kind,
    metadata: { name },
    spec: {
      distinguisherMethod: { type: 'ByUser' },
      matchingPrecedence: precedence,
      priorityLevelConfiguration: { name: level },
      rules: [{ subjects: [subject], ...rules }]
    }
  })
  return [
    flowSchema('karpenter-leader-election', 'leader-election', 200, {
      resourceRules: [
        {
          apiGroups: ['coordination.k8s.io'],
          namespaces: ['*'],
          resources: ['leases'],
          verbs: ['get', 'create', 'update']
        }
      ]
    }),
    flowSchema('karpenter-workload', 'workload-high', 1000, {
      nonResourceRules: [{ nonResourceURLs: ['*'], verbs: ['*'] }],
      resourceRules: [
        { apiGroups: ['*'], clusterScope: true, namespaces: ['*'], resources: ['*'], verbs: ['*'] }
      ]
    })
  ]
}

const severity = (): Judgement => ({
  severity: 'changes behaviour',
  effect: 'how soon a busy API server answers the controller'
})

/** Undefined in kube-system, where none are needed. */
export function flowSchemas(
  wanted: { readonly namespace: string; readonly serviceAccount: string },
  ports: KubernetesPorts
): AnyResource | undefined {
  if (wanted.namespace === 'kube-system') return undefined
  const { kubernetes, ownership } = ports
  const manifests = flowSchemaManifests(wanted.namespace, wanted.serviceAccount)
  const named = (live: readonly unknown[], manifest: Manifest): unknown =>
    live.find((one) => textField(one, 'metadata', 'name') === manifest.metadata.name)
  return resource<FlowSchemasWanted, readonly unknown[]>(
    {
      id: idOf.flowSchemas,
      layer: 'kubernetes',
      title: 'FlowSchemas of the controller',
      dependsOn: ports.dependsOn,
      wanted: { flowSchemas: manifests },
      read: async (signal) =>
        liveOf(async () => {
          const listed = await kubernetes.within(signal).list(kind)
          const ours = listed.items.filter((one) =>
            manifests.some((manifest) => manifest.metadata.name === textField(one, 'metadata', 'name'))
          )
          return ours.length === 0 ? undefined : ours
        }),
      compare: (now, live) =>
        now.flowSchemas.flatMap((manifest) => {
          const found = named(live, manifest)
          const { name } = manifest.metadata
          return found === undefined
            ? [{ ...missing(`FlowSchema ${name}`, manifest), ...severity(), path: name }]
            : manifestDifferences(manifest, found, severity, ownersOf(found, ownership), name)
        }),
      absent: (now) =>
        now.flowSchemas.map((manifest) => ({
          ...missing(`FlowSchema ${manifest.metadata.name}`, manifest),
          ...severity(),
          path: manifest.metadata.name
        })),
      apply: async (live, _differences, step) => {
        const within = kubernetes.within(step.signal)
        for (const manifest of manifests) {
          const found = live.state === 'present' ? named(live.value, manifest) : undefined
          if (
            found !== undefined &&
            manifestDifferences(manifest, found, severity, ownersOf(found, ownership)).length === 0
          )
            continue
          const applied = withOwnership(manifest, found, ownership)
          if (found !== undefined) await clear(within, kind, applied, found, ownersOf(found, ownership))
          await within.apply(kind, applied, { force: true })
          step.changed(
            `${found === undefined ? 'created' : 'corrected'} FlowSchema ${manifest.metadata.name}`
          )
        }
      },
      sign: {
        by: 'mark',
        mark: (live, name) =>
          ownerOfObject(
            live.find((one) => titleOf(one) === name),
            ownership
          )
      },
      present: (live) => live.map(titleOf),
      remove: async (live, step, names) => {
        const within = kubernetes.within(step.signal)
        for (const title of live.map(titleOf).filter((one) => names.includes(one))) {
          const name = title.replace(/^FlowSchema /, '')
          if ((await within.delete(kind, { name })) === 'deleted') step.changed(`deleted ${title}`)
        }
        return { outcome: 'removed' }
      }
    },
    (value): value is FlowSchemasWanted =>
      isMap(value) && Array.isArray(value['flowSchemas']) && value['flowSchemas'].every(isManifest)
  )
}

function titleOf(flowSchema: unknown): string {
  return `FlowSchema ${textField(flowSchema, 'metadata', 'name') ?? ''}`
}
