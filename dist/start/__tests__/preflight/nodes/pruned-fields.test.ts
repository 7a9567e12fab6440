import { prunedFields } from '../../../src/preflight/nodes/pruned-fields.js'
import type { Manifest } from '../../../src/kubernetes/manifest.js'

const schema = {
  properties: {
    role: { type: 'string' },
    tags: { type: 'object', additionalProperties: { type: 'string' } },
    free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    terms: { type: 'array', items: { properties: { id: { type: 'string' } } } }
  }
}
const crd: Manifest = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'ec2nodeclasses.karpenter.k8s.aws' },
  spec: {
    group: 'karpenter.k8s.aws',
    names: { kind: 'EC2NodeClass' },
    versions: [{ name: 'v1', schema: { openAPIV3Schema: { properties: { spec: schema } } } }]
  }
}
const nodeClass = (name: string, spec: unknown): Manifest => ({
  apiVersion: 'karpenter.k8s.aws/v1',
  kind: 'EC2NodeClass',
  metadata: { name },
  spec
})
const newer = { role: 'r', terms: [{ id: 'a' }, { id: 'b', zone: 'c' }], placement: { group: 'x' } }

const findingsOf = async (more: Partial<Parameters<typeof prunedFields>[0]>): Promise<readonly string[]> =>
  (
    await prunedFields({
      version: '1.2.1',
      replacingCrds: async () => [crd],
      standingNodes: async () => [],
      nodeClasses: [],
      nodePools: [],
      ...more
    })
  ).map(({ level, subject, problem }) => `${level} ${subject}: ${problem}`)

it('names every field that the CRDs to be written do not have', async () => {
  expect(await findingsOf({ standingNodes: async () => [nodeClass('gpu', newer)] })).toEqual([
    'error EC2NodeClass gpu: the CRDs of 1.2.1 do not have spec.terms[1].zone, spec.placement, which it would lose'
  ])
})

it('takes what a schema leaves open for known', async () => {
  const spec = { role: 'r', tags: { any: 'x' }, free: { any: { thing: 1 } }, terms: [{ id: 'a' }] }
  expect(await findingsOf({ standingNodes: async () => [nodeClass('gpu', spec)] })).toEqual([])
})

it('passes over what a given manifest replaces', async () => {
  const standingNodes = async (): Promise<readonly Manifest[]> => [nodeClass('gpu', newer)]
  expect(await findingsOf({ standingNodes, nodeClasses: [nodeClass('gpu', { role: 'r' })] })).toEqual([])
})

it('reads no object where no CRD is to be written', async () => {
  const standingNodes = async (): Promise<never> => {
    throw new Error('asked')
  }
  expect(await findingsOf({ replacingCrds: async () => [], standingNodes })).toEqual([])
})

it('passes over objects of other kinds and of versions that the CRD does not serve', async () => {
  const beta = { ...nodeClass('old', newer), apiVersion: 'karpenter.k8s.aws/v1beta1' }
  const other = { ...nodeClass('x', newer), kind: 'Other' }
  expect(await findingsOf({ standingNodes: async () => [beta, other] })).toEqual([])
})
