import type { Manifest } from '../../../src/kubernetes/manifest.js'
import { manifestDryRun } from '../../../src/preflight/nodes/manifest-dry-run.js'

const crd: Manifest = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'nodepools.karpenter.sh' },
  spec: {
    group: 'karpenter.sh',
    names: { kind: 'NodePool' },
    versions: [
      {
        name: 'v1',
        schema: {
          openAPIV3Schema: {
            properties: { apiVersion: {}, kind: {}, metadata: {}, spec: { type: 'object' } }
          }
        }
      }
    ]
  }
}
const manifests: readonly Manifest[] = [
  { apiVersion: 'karpenter.sh/v1', kind: 'NodePool', metadata: { name: 'default' }, spec: 'none' }
]

async function problems(crdsChange: boolean): Promise<readonly string[]> {
  const findings = await manifestDryRun({
    nodeClasses: [],
    nodePools: manifests,
    chart: { crds: [crd] },
    version: '1.14.0',
    changes: async (id) => id === 'crds' && crdsChange,
    refusals: async () => [{ title: 'NodePool default', message: 'no' }]
  })
  return findings.map(({ level, problem, evidence }) => `${level} ${problem} (${evidence})`)
}

test('the server judges by the CRDs that it has', async () => {
  expect(await problems(false)).toEqual(['error NodePool default: no (dry run of the API server)'])
})

test('where the run applies other CRDs first, those judge and not the server', async () => {
  expect(await problems(true)).toEqual([
    'error NodePool default: spec must be object (CRDs of Karpenter 1.14.0, which are applied first)'
  ])
})
