import { type CautionFacts, cautionsBetween } from '../../src/karpenter/cautions.js'

const nothing: CautionFacts = { nodePools: [], nodeClasses: [], values: {} }
const nodeClass = (spec: object) => ({
  apiVersion: 'karpenter.k8s.aws/v1',
  kind: 'EC2NodeClass',
  metadata: { name: 'default' },
  spec
})
const nodePool = (requirements: readonly object[], annotations: Record<string, string> = {}) => ({
  apiVersion: 'karpenter.sh/v1',
  kind: 'NodePool',
  metadata: { name: 'default', annotations },
  spec: { template: { spec: { requirements } } }
})
const versions = (from: string, to: string): readonly string[] => [
  ...new Set(cautionsBetween(from, to, nothing).map(({ version }) => version))
]
const concerned = (facts: Partial<CautionFacts>, part: RegExp): string | undefined =>
  cautionsBetween('1.0.0', '1.15.2', { ...nothing, ...facts }).find(({ text }) => part.test(text))?.concerns

describe('cautionsBetween', () => {
  it('takes those of the versions that are passed and of the new one, not of the one that runs', () => {
    expect(versions('1.6.0', '1.9.3')).toEqual(['1.7.0', '1.9.0'])
    expect(versions('1.9.0', '1.9.3')).toEqual([])
    expect(versions('1.2.1', '1.14.0')).toEqual([
      '1.3.0',
      '1.4.0',
      '1.6.0',
      '1.7.0',
      '1.9.0',
      '1.10.0',
      '1.12.0',
      '1.14.0'
    ])
  })

  it('has none for a way back', () => {
    expect(versions('1.14.0', '1.2.1')).toEqual([])
  })

  it('says of open reservations whether EC2NodeClasses select theirs, and whether the gate is off', () => {
    const [with_, without] = [nodeClass({ capacityReservationSelectorTerms: [] }), nodeClass({})]
    const off = { settings: { featureGates: { reservedCapacity: false } } }
    const open = /reservations with open matching/
    expect(concerned({ nodeClasses: [with_] }, open)).toBe('no')
    expect(concerned({ nodeClasses: [with_, without] }, open)).toBe('unknown')
    expect(concerned({ nodeClasses: [without], values: off }, open)).toBe('no')
  })

  it('says by the cluster whether the annotation, the label, the alias and the setting are used', () => {
    const annotated = nodePool([], { 'compatibility.karpenter.sh/v1beta1-kubelet-conversion': '{}' })
    const neuron = nodePool([{ key: 'karpenter.k8s.aws/instance-accelerator-name', operator: 'Exists' }])
    const raid = nodeClass({
      amiSelectorTerms: [{ alias: 'bottlerocket@latest' }],
      instanceStorePolicy: 'RAID0'
    })
    const shift = { settings: { enableZonalShift: true } }
    const used = { nodePools: [annotated, neuron], nodeClasses: [raid], values: shift }
    for (const part of [/v1beta1-kubelet-conversion/, /accelerator-name/, /RAID0/, /enableZonalShift/]) {
      expect([part, concerned(used, part), concerned({}, part)]).toEqual([part, 'yes', 'no'])
    }
  })

  it.each([
    ['node repair', { values: { settings: { featureGates: { nodeRepair: true } } } }, /reason Unhealthy/],
    [
      'kubelet settings',
      { nodeClasses: [nodeClass({ kubelet: { maxPods: 20 } })] },
      /ValidationSucceeded=False/
    ],
    ['claims for devices', { values: { settings: { ignoreDRARequests: false } } }, /ignoreDRARequests: false/]
  ])('says by the cluster whether what 1.15 changes of %s concerns it', (_what, facts, part) => {
    expect([concerned(facts, part), concerned({}, part)]).toEqual(['yes', 'no'])
  })

  it.each([
    ['1.0.14', '1.1.0', /eks:eks-cluster-name in place of karpenter\.k8s\.aws\/cluster/],
    ['1.0.14', '1.1.0', /metrics of objects are deprecated/],
    ['1.2.8', '1.3.0', /karpenter_scheduler_ignored_pod_count/],
    ['1.6.8', '1.7.0', /ResourceClaims/],
    ['1.11.3', '1.12.0', /ec2:DescribeInstanceStatus/],
    ['1.14.3', '1.15.2', /helm upgrade --reuse-values/]
  ])('from %s to %s has %s, once', (from, to, part) => {
    expect(cautionsBetween(from, to, nothing).filter(({ text }) => part.test(text))).toHaveLength(1)
    expect(cautionsBetween(to, '1.15.2', nothing).filter(({ text }) => part.test(text))).toEqual([])
  })

  it('says what this action sees to', () => {
    const handled = cautionsBetween('1.11.3', '1.15.2', nothing).flatMap(({ handled: by }) => by ?? [])
    expect(handled).toEqual(['it comes with the stack', 'this action gives every value anew'])
  })

  it('leaves to a person what the cluster cannot tell', () => {
    expect(concerned({}, /metrics are renamed/)).toBe('unknown')
  })
})
