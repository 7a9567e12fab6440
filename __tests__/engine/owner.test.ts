import { type Owner, ownerOfAll } from '../../src/engine/owner.js'

const ours: Owner = { kind: 'ours' }
const unmarked: Owner = { kind: 'unmarked', evidence: ['annotation x'] }
const other = (who: string, ...evidence: readonly string[]): Owner => ({ kind: 'other', who, evidence })

it.each<[string, readonly Owner[], Owner]>([
  ['ours when all are', [ours, ours], ours],
  ["unmarked when one is, and none is somebody else's", [ours, unmarked], unmarked],
  [
    "the first other's as soon as one is, by the evidence of all, each once",
    [ours, other('eksctl', 'tag a', 'tag b'), unmarked, other('Terraform', 'tag b', 'tag c')],
    other('eksctl', 'tag a', 'tag b', 'tag c')
  ],
  ['unmarked when there are none', [], { kind: 'unmarked', evidence: [] }]
])('things that are one are %s', (_what, owners, expected) => {
  expect(ownerOfAll(owners)).toEqual(expected)
})
