import { isMap } from '../../engine/json.js'
import { missing } from '../../engine/difference.js'
import { resource, type AnyResource } from '../../engine/resource.js'
import { heldNamespace } from '../../kubernetes/held.js'
import { namespaces } from '../../kubernetes/kinds.js'
import { textField } from '../../kubernetes/manifest.js'
import { awaitGone, liveOf, madeAnew, withOwnership, type KubernetesPorts } from '../kubernetes-object.js'
import { othersIn } from './namespace-contents.js'
import { namedFew } from '../removal/stuck-removal.js'
import { ownerOfObject } from '../../adoption/owners/object-owner.js'
import { idOf } from '../ids.js'

export interface NamespaceWanted {
  readonly name: string
}

const builtIn = ['kube-system', 'kube-public', 'kube-node-lease', 'default']

/** The controller's namespace. One that was there before us is used as it is, and stays. */
export function namespace(wanted: NamespaceWanted, ports: KubernetesPorts): AnyResource {
  const title = `Namespace ${wanted.name}`
  const { kubernetes, ownership } = ports
  return resource(
    {
      id: idOf.namespace,
      layer: 'kubernetes',
      title,
      dependsOn: ports.dependsOn,
      wanted,
      read: async (signal) => liveOf(() => kubernetes.within(signal).get(namespaces, wanted.name)),
      compare: (_wanted, live) =>
        textField(live, 'metadata', 'deletionTimestamp') === undefined
          ? []
          : [
              {
                path: 'status.phase',
                wanted: 'Active',
                live: 'Terminating',
                reason: `${title} is being deleted`,
                severity: 'breaks scaling',
                install: madeAnew
              }
            ],
      absent: (now) => [missing(title, now)],
      apply: async (live, _differences, step) => {
        const within = kubernetes.within(step.signal)
        // A namespace that is being deleted takes nothing new; afterwards its name is free again.
        if (live.state === 'present') await awaitGone(within, namespaces, wanted, step, heldNamespace)
        const manifest = {
          apiVersion: namespaces.apiVersion,
          kind: namespaces.kind,
          metadata: { name: wanted.name }
        }
        await within.apply(namespaces, withOwnership(manifest, undefined, ownership), { force: true })
        step.changed(`created ${title}`)
      },
      sign: { by: 'mark', mark: (live) => ownerOfObject(live, ownership) },
      remove: async (live, step) => {
        const within = kubernetes.within(step.signal)
        if (builtIn.includes(wanted.name))
          return { outcome: 'kept', reason: `${title} belongs to the cluster` }
        if (textField(live, 'metadata', 'deletionTimestamp') === undefined) {
          const others = await othersIn(within, wanted.name, ownership)
          if (others.length > 0)
            return { outcome: 'kept', reason: `others have objects in it: ${namedFew(others)}` }
        }
        await within.delete(namespaces, wanted)
        step.changed(`deleted ${title}`)
        await awaitGone(within, namespaces, wanted, step, heldNamespace)
        return { outcome: 'removed' }
      }
    },
    (value): value is NamespaceWanted => isMap(value) && value['name'] === wanted.name
  )
}
