import { type Manifest, textField } from '../../kubernetes/manifest.js'
import type { Check } from '../finding.js'

export interface ReferenceFacts {
  readonly nodePools: readonly Manifest[]
  /** Of the manifests or of the cluster; undefined when it is in neither. */
  readonly nodeClass: (name: string) => Promise<Manifest | undefined>
}

/** NodePools that name an EC2NodeClass which is nowhere: they would never be Ready. */
export function nodeClassReference({ nodePools, nodeClass }: ReferenceFacts): Check {
  return {
    name: 'node-class-reference',
    run: async () => {
      const found = await Promise.all(
        nodePools.map(async (nodePool) => {
          const name = textField(nodePool, 'spec', 'template', 'spec', 'nodeClassRef', 'name') ?? ''
          return (await nodeClass(name)) === undefined ? [{ nodePool: nodePool.metadata.name, name }] : []
        })
      )
      return found.flat().map(({ nodePool, name }) => ({
        check: 'node-class-reference',
        level: 'error',
        subject: 'node-pools',
        problem: `NodePool ${nodePool}: there is no EC2NodeClass "${name}"`,
        evidence: 'neither in the manifests nor in the cluster',
        fix: `Put EC2NodeClass ${name} into the manifests, or name another in spec.template.spec.nodeClassRef.`
      }))
    }
  }
}
