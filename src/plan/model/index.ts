import { Graph } from '../../engine/graph.js'
import { controller } from './controller.js'
import { iam, idsOf, resourcesOf } from './iam.js'
import { network } from './network.js'
import { nodes } from './nodes.js'
import type { ModelParts } from './parts.js'
import { interruption } from './stack-parts.js'

export type { ModelParts } from './parts.js'

/**
 * Everything that an installation consists of, and what must be there before what. Install walks it forward, check reads
 * it, uninstall walks it backward: the wanted state is described here and nowhere else.
 */
export function model(parts: ModelParts): Graph {
  const queueAndRules = interruption(parts)
  return new Graph([
    ...network(parts),
    ...iam(parts, queueAndRules),
    ...resourcesOf(queueAndRules),
    ...controller(parts, idsOf(resourcesOf(queueAndRules))),
    ...nodes(parts)
  ])
}
