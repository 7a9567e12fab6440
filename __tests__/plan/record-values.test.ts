import fc from 'fast-check'
import type { InstallRecord } from '../../src/engine/record.js'
import { parseValues, withoutValues, withValues } from '../../src/plan/record-values.js'

function recordOf(values: Readonly<Record<string, unknown>>, adopted?: unknown): InstallRecord {
  return {
    schema: 1,
    karpenterVersion: '1.14.0',
    run: 'local',
    time: '2026-11-30T00:00:00.000Z',
    ...(adopted !== undefined && { adoption: { namespace: 'karpenter', helmValues: adopted } }),
    resources: {
      stack: { before: [], wanted: { name: 'Karpenter-blue' } },
      'helm-release': { before: [], wanted: { name: 'karpenter', values } }
    }
  }
}

const guide = {
  settings: { clusterName: 'blue', interruptionQueue: 'blue' },
  controller: { resources: { requests: { cpu: 1, memory: '1Gi' } } },
  serviceAccount: { annotations: { 'eks.amazonaws.com/role-arn': 'arn:aws:iam::111122223333:role/x' } }
}

it.each([
  ['those of the guide', guide],
  ['settings and labels', { ...guide, logLevel: 'debug', replicas: 2, podLabels: { team: 'a' } }],
  ['flags, counts and nothing', { later: { enabled: true, count: 3, none: null, empty: '', list: [] } }],
  ['an image', { controller: { image: { repository: 'mirror.example/karpenter', tag: '1.14.0' } } }]
])('values that are no secret stay in the record: %s', (_, values) => {
  const record = recordOf(values)
  expect(withoutValues(record)).toEqual({ open: record, values: undefined })
})

it.each([
  ['a variable, whatever its name', { controller: { env: [{ name: 'FOO', value: 'hunter2' }] } }],
  ['a sidecar', { controller: { sidecarContainer: [{ name: 'proxy', args: ['--pin=1234'] }] } }],
  ['an annotation', { podAnnotations: { 'vault/role': 'hunter2' } }],
  ['what a later chart has', { later: { text: 'hunter2' } }],
  ['what it has under the name of a setting', { later: { settings: { text: 'hunter2' } } }],
  ['a name that says so, under settings', { settings: { apiToken: 'hunter2' } }],
  ['a name that stands beside its value', { settings: { later: { name: 'TOKEN', value: 'hunter2' } } }],
  ['a number by such a name', { later: { password: 1234 } }],
  ['the password of a proxy', { settings: { proxy: 'http://me:hunter2@proxy.example' } }],
  ['that of a URL in a list', { logOutputPaths: ['stdout', 'https://me:hunter2@logs.example'] }]
])('values that may hold a secret go: %s', (_, secret) => {
  const record = recordOf({ ...guide, ...secret })
  const { open, values } = withoutValues(record)
  expect(JSON.stringify(open)).not.toMatch(/hunter2|1234"|=1234|:1234/)
  expect(open.valuesIn).toBe('secret')
  expect(open.resources['stack']).toEqual(record.resources['stack'])
  expect(withValues(open, values ?? {})).toEqual({ ...record, valuesIn: 'secret' })
})

it('those of an adoption go as well, and either takes the other along', () => {
  const adopted = { controller: { env: [{ name: 'FOO', value: 'hunter2' }] } }
  const record = recordOf(guide, adopted)
  const { open, values } = withoutValues(record)
  expect(open.adoption).toEqual({ namespace: 'karpenter' })
  expect(values).toEqual({ release: guide, adoption: adopted })
  expect(withValues(open, values ?? {})).toEqual({ ...record, valuesIn: 'secret' })
})

it.each<[string, InstallRecord['resources']]>([
  ['has no release yet', {}],
  ['only announces one', { 'helm-release': { before: [], wanted: undefined } }]
])('those of an adoption go and come back where the record %s', (_, resources) => {
  const adopted = { controller: { env: [{ name: 'FOO', value: 'hunter2' }] } }
  const record = { ...recordOf({}, adopted), resources }
  const { open, values } = withoutValues(record)
  expect(JSON.stringify(open)).not.toContain('hunter2')
  expect(withValues(open, { release: guide, ...values })).toEqual({ ...record, valuesIn: 'secret' })
})

it('values that the Secret does not have stay as the record has them', () => {
  const record = recordOf(guide, { replicas: 1 })
  expect(withValues(record, { release: {} })).toEqual(recordOf({}, { replicas: 1 }))
  expect(withValues(record, { adoption: {} })).toEqual(recordOf(guide, {}))
})

it('no text that stands outside of settings is left in the open, whatever the values are', () => {
  const marked = fc.string({ minLength: 1 }).map((text) => `marked-${text}`)
  const values = fc.dictionary(
    fc.constantFrom('controller', 'podAnnotations', 'later', 'env', 'sidecarContainer'),
    fc.letrec((tie) => ({
      any: fc.oneof(
        { depthSize: 'small' },
        marked,
        fc.array(tie('any'), { minLength: 1 }),
        fc.dictionary(fc.constantFrom('a', 'env', 'value', 'b.c', '__proto__'), tie('any'))
      )
    })).any
  )
  fc.assert(
    fc.property(values, (given) => {
      expect(JSON.stringify(withoutValues(recordOf(given)).open)).not.toContain('marked-')
    })
  )
})

it('a text that is none of ours has no values', () => {
  expect(['{', '[]', '1', undefined].map(parseValues)).toEqual([undefined, undefined, undefined, undefined])
  expect(parseValues('{"release":{"a":1},"adoption":2}')).toEqual({ release: { a: 1 } })
  expect(parseValues('{"adoption":{"a":1}}')).toEqual({ adoption: { a: 1 } })
})
