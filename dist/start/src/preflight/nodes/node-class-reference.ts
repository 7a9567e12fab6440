import { textField } from '../../kubernetes/manifest.js'
import type { Facts } from '../facts.js'
import type { Concern } from '../finding.js'

/** NodePools that name an EC2NodeClass which is nowhere: they would never be Ready. */
export async function nodeClassReference({
  nodePools,
  nodeClass
}: Pick<Facts, 'nodePools' | 'nodeClass'>): Promise<readonly Concern[]> {
  const found = await Promise.all(
    nodePools.map(async (nodePool) => {
      const name = textField(nodePool, 'spec', 'template', 'spec', 'nodeClassRef', 'name') ?? ''
      return (await nodeClass(name)) === undefined ? [{ nodePool: nodePool.metadata.name, name }] : []
    })
  )
  return found.flat().map(({ nodePool, name }) => ({
    level: 'error',
    subject: 'node-pools',
    problem: `NodePool ${nodePool}: there is no EC2NodeClass "${name}"`,
    evidence: 'neither in the manifests nor in the cluster',
    fix: `Put EC2NodeClass ${name} into the manifests, or name another in spec.template.spec.nodeClassRef.`
  }))
}
