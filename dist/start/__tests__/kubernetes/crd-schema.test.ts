import { problemsBy } from '../../src/kubernetes/crd-schema.js'
import type { Manifest } from '../../src/kubernetes/manifest.js'

/** A CRD with one of each thing that Karpenter's own have. */
const crd: Manifest = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'pools.example.com' },
  spec: {
    group: 'example.com',
    names: { kind: 'Pool', plural: 'pools' },
    versions: [
      {
        name: 'v1',
        schema: {
          openAPIV3Schema: {
            type: 'object',
            required: ['spec'],
            properties: {
              apiVersion: { type: 'string' },
              kind: { type: 'string' },
              metadata: { type: 'object' },
              status: { type: 'object', properties: {} },
              spec: {
                type: 'object',
                required: ['after'],
                properties: {
                  after: { type: 'string', pattern: '^(([0-9]+(s|m|h))+|Never)$' },
                  policy: { type: 'string', enum: ['Empty', 'Idle'], default: 'Idle' },
                  share: {
                    'x-kubernetes-int-or-string': true,
                    anyOf: [{ type: 'integer' }, { type: 'string' }]
                  },
                  count: { type: 'integer', format: 'int32' },
                  tags: {
                    type: 'object',
                    additionalProperties: { type: 'string' },
                    'x-kubernetes-validations': [
                      { message: 'tag kept for the pool', rule: "self.all(k, k != 'pool')" }
                    ]
                  },
                  free: {
                    type: 'object',
                    'x-kubernetes-preserve-unknown-fields': true,
                    properties: { named: { type: 'object', properties: { a: { type: 'string' } } } }
                  },
                  // As spec.kubelet of Karpenter 1.15.
                  kubelet: {
                    type: 'object',
                    'x-kubernetes-preserve-unknown-fields': true,
                    additionalProperties: { 'x-kubernetes-preserve-unknown-fields': true }
                  },
                  nothing: { type: 'object' },
                  terms: {
                    type: 'array',
                    items: {
                      type: 'object',
                      properties: {
                        key: {
                          type: 'string',
                          'x-kubernetes-validations': [
                            {
                              message: 'is of a domain that is not yours',
                              rule: `!self.find("^([^/]+)").endsWith("example.com")`
                            }
                          ]
                        },
                        values: { type: 'array', items: { type: 'string' } },
                        least: { type: 'integer' }
                      }
                    },
                    'x-kubernetes-validations': [
                      {
                        message: 'needs as many values as it asks for',
                        rule: 'self.all(x, has(x.least) ? x.values.size() >= x.least : true)'
                      }
                    ]
                  }
                },
                'x-kubernetes-validations': [
                  { message: 'policy is decided already', rule: "self.policy == 'Idle' || !has(self.count)" },
                  { message: 'count is for ever', rule: 'self.count == oldSelf.count' },
                  { message: 'by a library that is not here', rule: 'quantity(self.after).isPositive()' }
                ]
              }
            }
          }
        }
      }
    ]
  }
}

const pool = (spec: Readonly<Record<string, unknown>>, more: object = {}): Manifest => ({
  apiVersion: 'example.com/v1',
  kind: 'Pool',
  metadata: { name: 'a' },
  spec: { after: '1m', ...spec },
  ...more
})

async function problems(...objects: readonly Manifest[]): Promise<readonly string[]> {
  return (await problemsBy([crd], objects)).flatMap((one) => one.problems)
}

describe('problemsBy', () => {
  it('takes what is right, numbers beside texts and free fields among it, and leaves it as it was', async () => {
    const object = pool({
      share: 3,
      count: 2,
      tags: { team: 'web' },
      free: { anything: [1], named: { a: 'x' } },
      kubelet: { maxPods: 'dynamic', evictionHard: { 'memory.available': '5%' }, list: [{ any: 1 }] },
      nothing: {},
      terms: [{ key: 'a/b', values: ['x', 'y'], least: 2 }]
    })
    const before = structuredClone(object)
    expect(await problems(object, pool({ share: '10%' }))).toEqual([])
    expect(object).toEqual(before)
  })

  it.each<[string, Manifest, string]>([
    ['a missing field', pool({ after: undefined }), "spec must have required property 'after'"],
    ['a pattern', pool({ after: 'soon' }), 'spec.after must match pattern "^(([0-9]+(s|m|h))+|Never)$"'],
    [
      'a value that is not among the allowed',
      pool({ policy: 'Full' }),
      'spec.policy must be equal to one of the allowed values: Empty, Idle'
    ],
    ['a type', pool({ tags: { team: 1 } }), 'spec.tags.team must be string'],
    ['an unknown field', pool({ terms: [{ kye: 'a' }] }), 'spec.terms[0].kye: unknown field'],
    [
      'an unknown field of what an open map names',
      pool({ free: { named: { b: 1 } } }),
      'spec.free.named.b: unknown field'
    ],
    ['a field in a map that has none', pool({ nothing: { a: 1 } }), 'spec.nothing.a: unknown field'],
    ['a type in place of an open map', pool({ kubelet: 'maxPods' }), 'spec.kubelet must be object'],
    ['an unknown field of the object', pool({}, { specs: {} }), 'specs: unknown field'],
    [
      'a rule of a field in a list',
      pool({ terms: [{ key: 'sub.example.com/a' }] }),
      'spec.terms[0].key is of a domain that is not yours'
    ],
    [
      'a rule that counts',
      pool({ terms: [{ key: 'a', values: ['x'], least: 2 }] }),
      'spec.terms needs as many values as it asks for'
    ],
    ['a rule of a map', pool({ tags: { pool: 'x' } }), 'spec.tags tag kept for the pool']
  ])('refuses %s', async (_what, object, problem) => {
    expect(await problems(object)).toEqual([problem])
  })

  it('judges by the rules with the defaults in it', async () => {
    expect(await problems(pool({ count: 1 }))).toEqual([])
    expect(await problems(pool({ count: 1, policy: 'Empty' }))).toEqual(['spec policy is decided already'])
  })

  it('leaves a kind or version that no CRD has to the server', async () => {
    expect(await problems({ ...pool({ after: 1 }), kind: 'Other' })).toEqual([])
    expect(await problems({ ...pool({ after: 1 }), apiVersion: 'example.com/v2' })).toEqual([])
  })
})
