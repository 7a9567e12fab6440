import fc from 'fast-check'
import { dump } from 'js-yaml'
import { readText, type TextSettings } from './read-text.js'

const settings: TextSettings = {
  source: 'p.yaml',
  clusterName: 'blue',
  nodeRoleName: 'KarpenterNodeRole-blue',
  kubernetesVersion: '1.35'
}

const word = fc.stringMatching(/^[a-z][a-z0-9]{0,7}$/)
const requirement = fc.oneof(
  fc.record({
    key: fc.constantFrom(
      'team',
      'kubernetes.io/arch',
      'node.kubernetes.io/instance-type',
      'beta.kubernetes.io/os'
    ),
    operator: fc.constantFrom('In', 'NotIn'),
    values: fc.array(word, { minLength: 1, maxLength: 3 })
  }),
  fc.record({ key: word, operator: fc.constantFrom('Exists', 'DoesNotExist') }),
  fc.record({
    key: fc.constant('karpenter.k8s.aws/instance-cpu'),
    operator: fc.constantFrom('Gt', 'Lt'),
    values: fc.array(fc.oneof(fc.nat({ max: 128 }), fc.nat({ max: 128 }).map(String)), {
      minLength: 1,
      maxLength: 1
    })
  })
)
const taint = fc.record(
  { key: word, value: word, effect: fc.constantFrom('NoSchedule', 'PreferNoSchedule', 'NoExecute') },
  { requiredKeys: ['key', 'effect'] }
)
const provisioner = fc.record(
  {
    requirements: fc.array(requirement, { maxLength: 4 }),
    labels: fc.dictionary(word, word, { maxKeys: 3 }),
    annotations: fc.dictionary(word, word, { maxKeys: 2 }),
    taints: fc.array(taint, { maxLength: 2 }),
    startupTaints: fc.array(taint, { maxLength: 2 }),
    limits: fc.record({ resources: fc.record({ cpu: fc.oneof(fc.nat(), fc.nat().map(String)) }) }),
    weight: fc.integer({ min: 1, max: 100 }),
    consolidation: fc.record({ enabled: fc.boolean() }),
    ttlSecondsAfterEmpty: fc.nat({ max: 1e7 }),
    ttlSecondsUntilExpired: fc.nat({ max: 1e8 }),
    kubeletConfiguration: fc.record({ maxPods: fc.integer({ min: 1, max: 110 }) })
  },
  { requiredKeys: [] }
)
const selector = fc.dictionary(
  fc.constantFrom('aws-ids', 'aws::ids', 'Name', 'team'),
  fc.constantFrom('a', 'a,b', '*'),
  { minKeys: 1 }
)
const template = fc.record(
  {
    subnetSelector: selector,
    securityGroupSelector: selector,
    amiFamily: fc.constantFrom('AL2', 'Bottlerocket', 'Ubuntu', 'Windows2019', 'Windows2022'),
    tags: fc.dictionary(word, word),
    userData: fc.string(),
    detailedMonitoring: fc.boolean(),
    instanceProfile: word
  },
  { requiredKeys: [] }
)

const document = (apiVersion: string, kind: string, name: string, spec: unknown): string =>
  dump({ apiVersion, kind, metadata: { name }, spec }, { noRefs: true })

describe('conversion', () => {
  it('makes of any valid Provisioner and AWSNodeTemplate manifests that v1 takes', () => {
    fc.assert(
      fc.property(provisioner, template, fc.constantFrom('inline', 'reference'), (spec, own, how) => {
        const text =
          how === 'inline'
            ? document('karpenter.sh/v1alpha5', 'Provisioner', 'p', { ...spec, provider: own })
            : `${document('karpenter.sh/v1alpha5', 'Provisioner', 'p', { ...spec, providerRef: { name: 't' } })}---\n${document('karpenter.k8s.aws/v1alpha1', 'AWSNodeTemplate', 't', own)}`
        const converted = readText(text, settings)
        const all = [...converted.nodePools, ...converted.nodeClasses]
        // Read again they are judged by the rules of v1, and pass as they are.
        const again = readText(all.map((one) => dump(one, { noRefs: true })).join('---\n'), settings)
        expect([again.nodePools, again.nodeClasses]).toEqual([converted.nodePools, converted.nodeClasses])
        expect(converted.nodeClasses.map((one) => one.metadata.name)).toContain(
          converted.nodePools[0]?.spec.template.spec.nodeClassRef.name
        )
      }),
      { numRuns: 300 }
    )
  })

  it('never scales down a Provisioner that did not, and always says how where it did', () => {
    fc.assert(
      fc.property(provisioner, (spec) => {
        const { nodePools } = readText(document('karpenter.sh/v1alpha5', 'Provisioner', 'p', spec), settings)
        const disruption = nodePools[0]?.spec.disruption
        const expected =
          spec.consolidation?.enabled === true
            ? ['WhenEmptyOrUnderutilized', '0s']
            : [
                'WhenEmpty',
                spec.ttlSecondsAfterEmpty === undefined ? 'Never' : `${spec.ttlSecondsAfterEmpty}s`
              ]
        expect([disruption?.consolidationPolicy, disruption?.consolidateAfter]).toEqual(expected)
      })
    )
  })

  it('never throws anything but a list of problems, whatever the spec', () => {
    fc.assert(
      fc.property(fc.constantFrom('Provisioner', 'AWSNodeTemplate'), fc.jsonValue(), (kind, spec) => {
        const group = kind === 'Provisioner' ? 'karpenter.sh/v1alpha5' : 'karpenter.k8s.aws/v1alpha1'
        let outcome = 'converted'
        try {
          readText(document(group, kind, 'p', spec), settings)
        } catch (error) {
          outcome = error instanceof Error ? error.name : 'no error'
        }
        expect(['converted', 'UserError']).toContain(outcome)
      })
    )
  })
})
