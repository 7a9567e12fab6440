import type { Installation } from '../../src/adoption/installation.js'
import type { AdoptionEntry } from '../../src/report/adoption-entry.js'
import { termsOf } from '../../src/adoption/terms.js'
import { usedParts } from '../../src/adoption/used-parts.js'
import { factsOf, guide } from './found.js'

function partsOf(changes: Partial<Installation>): readonly AdoptionEntry[] {
  const { installation, ...facts } = factsOf(changes)
  const terms = termsOf({ installation, ...facts })
  if (terms.kind !== 'compatible') throw new Error(JSON.stringify(terms.objections))
  return usedParts(installation, terms.adopted, 'blue')
}

test('parts of the published stack are resources of the model, and not told of twice', () => {
  expect(partsOf({})).toEqual([])
})

test('what stands in their place without a stack is named, and left as it is', () => {
  expect(partsOf({ stack: undefined })).toEqual([
    {
      id: 'role/KarpenterNodeRole-blue',
      title: 'IAM role KarpenterNodeRole-blue',
      layer: 'iam',
      state: 'as wanted',
      evidence: [],
      differences: [],
      adopt: 'use it as it is, and never change or remove it'
    },
    expect.objectContaining({
      id: 'queue',
      title: 'SQS queue blue',
      evidence: ['settings.interruptionQueue of helm release kube-system/karpenter']
    }),
    expect.objectContaining({
      id: 'policy/KarpenterControllerPolicy-blue',
      evidence: ['attached to role blue-karpenter']
    })
  ])
})

test('a node role of another tool is told to be its own', () => {
  const nodeRoles = guide.nodeRoles.map((role) => ({
    ...role,
    tags: { 'alpha.eksctl.io/cluster-name': 'blue' }
  }))
  expect(partsOf({ stack: undefined, nodeRoles })[0]).toMatchObject({
    state: "somebody else's",
    keeper: 'eksctl',
    evidence: ['tag alpha.eksctl.io/cluster-name=blue'],
    adopt: 'use it, and leave it to eksctl'
  })
})

test('a queue that the release is not set to is told by its name', () => {
  const [queue] = partsOf({ stack: undefined, queueName: undefined, nodeRoles: [], policyArns: [] })
  expect(queue).toMatchObject({
    title: 'SQS queue blue',
    evidence: ["a queue of the cluster's name is there"]
  })
})
