import type { Manifest } from '../../src/kubernetes/manifest.js'
import { leftCrds } from '../../src/preflight/left-crds.js'
import type { CrdKeeper } from '../../src/resources/controller/crd-keeper.js'

const schemaOf = (...fields: readonly string[]): unknown => ({
  openAPIV3Schema: {
    properties: { spec: { properties: Object.fromEntries(fields.map((one) => [one, { type: 'string' }])) } }
  }
})
const crdOf = (version: string, ...fields: readonly string[]): Manifest => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'nodepools.karpenter.sh' },
  spec: {
    group: 'karpenter.sh',
    names: { kind: 'NodePool' },
    versions: [{ name: version, served: true, storage: true, schema: schemaOf(...fields) }]
  }
})
const keeper: CrdKeeper = {
  who: 'Helm release ops/karpenter-crd',
  evidence: ['annotation meta.helm.sh/release-name=karpenter-crd'],
  release: {
    name: 'karpenter-crd',
    namespace: 'ops',
    revision: 1,
    version: '1.2.1',
    manifest: '',
    others: []
  }
}
const ownership = { owner: 'setup-karpenter', run: '' }
const wanted = crdOf('v1', 'weight', 'replicas')
const command =
  'Run: helm upgrade karpenter-crd oci://public.ecr.aws/karpenter/karpenter-crd --version 1.14.0 -n ops'

const findingsOf = async (
  found: readonly Manifest[],
  nodePools: readonly Manifest[] = []
): Promise<unknown> =>
  (
    await leftCrds({
      version: '1.14.0',
      crds: 'leave',
      chart: { crds: [wanted] },
      changes: async () => true,
      keptCrds: async () => ({
        found,
        keepers: new Map(found.map(({ metadata }) => [metadata.name, keeper]))
      }),
      nodeClasses: [],
      nodePools,
      ownership
    })
  ).map(({ level, problem, fix }) => [level, problem, fix])

it('refuses a version that is not served, with the command of whoever keeps it', async () => {
  expect(await findingsOf([crdOf('v1beta1')])).toEqual([
    ['error', 'leave: CRD nodepools.karpenter.sh does not serve v1, which Karpenter 1.14.0 reads', command]
  ])
})

it('refuses fields that are given and that it does not have', async () => {
  const pool = {
    apiVersion: 'karpenter.sh/v1',
    kind: 'NodePool',
    metadata: { name: 'gpu' },
    spec: { replicas: 1 }
  }
  expect(await findingsOf([crdOf('v1', 'weight')], [pool])).toEqual([
    [
      'error',
      'leave: CRD nodepools.karpenter.sh does not have fields that are given: NodePool gpu: spec.replicas',
      command
    ]
  ])
})

it('warns of another version, and notes whose it is when it is as wanted', async () => {
  expect(await findingsOf([crdOf('v1', 'weight')])).toEqual([
    ['warning', expect.stringContaining('is not that of 1.14.0'), command]
  ])
  expect(await findingsOf([wanted])).toEqual([
    ['note', 'CRD nodepools.karpenter.sh is left as it is, which is that of 1.14.0', 'Nothing is to be done.']
  ])
})

it('refuses where there is none, and says how to have it', async () => {
  expect(await findingsOf([])).toEqual([
    [
      'error',
      'leave: CRD nodepools.karpenter.sh is not there, and Karpenter 1.14.0 has it',
      expect.stringContaining('helm upgrade --install karpenter-crd')
    ]
  ])
})

it('looks at nothing unless CRDs are to be left and something changes', async () => {
  const unread = async (): Promise<never> => Promise.reject(new Error('asked'))
  const facts = { version: '1.14.0', chart: { crds: [wanted] }, nodeClasses: [], nodePools: [], ownership }
  expect(await leftCrds({ ...facts, crds: 'auto', changes: async () => true, keptCrds: unread })).toEqual([])
  expect(await leftCrds({ ...facts, crds: 'leave', changes: async () => false, keptCrds: unread })).toEqual(
    []
  )
})
