import type { Manifest } from '../../src/kubernetes/manifest.js'

/** A CRD of Karpenter's whose spec has the given schema. */
export function crdOf(kind: 'NodePool' | 'EC2NodeClass', spec: unknown, versions = ['v1']): Manifest {
  const [plural, group] =
    kind === 'NodePool' ? ['nodepools', 'karpenter.sh'] : ['ec2nodeclasses', 'karpenter.k8s.aws']
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      names: { kind, plural },
      scope: 'Cluster',
      versions: versions.map((name, index) => ({
        name,
        served: true,
        storage: index === versions.length - 1,
        schema: { openAPIV3Schema: { type: 'object', properties: { spec, status: { type: 'object' } } } }
      }))
    }
  }
}
