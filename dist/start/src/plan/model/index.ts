import type { Pod } from 'kubernetes-types/core/v1.js'
import { Graph } from '../../engine/graph.js'
import { sharedRead } from '../../engine/once.js'
import { releaseName } from '../../karpenter/names.js'
import { standingPods } from '../../resources/controller/controller-pods.js'
import { controller } from './controller.js'
import { iam, idsOf, resourcesOf } from './iam.js'
import { network } from './network.js'
import { nodes } from './nodes.js'
import type { ModelParts } from './parts.js'
import { asMade, interruption } from './stack-parts.js'

export type { ModelParts } from './parts.js'

/**
 * Everything that an installation consists of, and what must be there before what. Install walks it forward, check reads
 * it, uninstall walks it backward: the wanted state is described here and nowhere else.
 */
export function model(parts: ModelParts): Graph {
  const made = new Set<string>()
  const queueAndRules = asMade(interruption(parts), made)
  const note = (logicalIds: readonly string[]): void => logicalIds.forEach((id) => made.add(id))
  const { inputs, found } = parts
  let seen: readonly Pod[] | undefined
  const readPods = sharedRead(async () => {
    seen = await standingPods(found.kubernetes, { release: releaseName, namespace: inputs.namespace })
    return seen
  })
  return new Graph([
    ...network(parts),
    ...iam(parts, queueAndRules, readPods, { ids: made, note }),
    ...resourcesOf(queueAndRules),
    ...controller(parts, idsOf(resourcesOf(queueAndRules)), {
      read: readPods,
      seen: async () => seen ?? readPods()
    }),
    ...nodes(parts)
  ])
}
