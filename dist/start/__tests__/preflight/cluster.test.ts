import type { SecurityGroup, Subnet } from '../../src/aws/discover.js'
import { autoMode } from '../../src/preflight/auto-mode.js'
import { clusterActive } from '../../src/preflight/cluster-active.js'
import { clusterEndpoint } from '../../src/preflight/vpc/cluster-endpoint.js'
import { subnetTagsConflict } from '../../src/preflight/vpc/subnet-tags-conflict.js'
import { tableFacts } from '../../src/karpenter/version-facts.js'
import { versionPair } from '../../src/preflight/version-pair.js'

const containing = (part: string): unknown => expect.stringContaining(part)
const matching = (pattern: RegExp): unknown => expect.stringMatching(pattern)

describe('autoMode', () => {
  it('refuses a cluster in Auto Mode and says how to leave it', () => {
    expect(autoMode({ cluster: { name: 'blue', autoMode: true } })).toEqual([
      expect.objectContaining({
        level: 'error',
        subject: 'cluster-name',
        fix: containing('--compute-config enabled=false')
      })
    ])
    expect(autoMode({ cluster: { name: 'blue', autoMode: false } })).toEqual([])
  })
})

describe('clusterActive', () => {
  it.each([
    ['ACTIVE', undefined],
    ['UPDATING', 'warning'],
    ['CREATING', 'error'],
    ['DELETING', 'error'],
    ['FAILED', 'error']
  ])('finds for %s: %s', (status, level) => {
    const findings = clusterActive({ cluster: { name: 'blue', status } })
    expect(findings.map((finding) => finding.level)).toEqual(level === undefined ? [] : [level])
  })
})

describe('clusterEndpoint', () => {
  const unreachable = 'https://x.eks.amazonaws.com does not answer within 5 s'
  const open = { publicly: true, privately: false, cidrs: ['0.0.0.0/0'] }
  it.each([
    [
      { ...open, publicly: false, privately: true },
      /has a private endpoint only/,
      /endpointPublicAccess=true/
    ],
    [
      { ...open, cidrs: ['10.1.0.0/16'] },
      /from certain addresses only/,
      /publicAccessCidrs=10\.1\.0\.0\/16,</
    ],
    [open, /open to all, and this runner does not reach it/, /network of the runner/]
  ])('says why %j is not reached', (endpointAccess, problem, fix) => {
    const cluster = { name: 'blue', endpoint: 'https://x', endpointAccess }
    expect(clusterEndpoint({ cluster, unreachable })).toEqual([
      expect.objectContaining({
        level: 'error',
        problem: matching(problem),
        evidence: containing(unreachable),
        fix: matching(fix)
      })
    ])
    expect(clusterEndpoint({ cluster, unreachable: undefined })).toEqual([])
  })
})

describe('versionPair', () => {
  it.each([
    ['1.14.1', undefined, '1.35', []],
    ['1.14.1', '1.2.1', '1.32', []],
    ['1.2.1', undefined, '1.33', [['error', /does not support Kubernetes 1\.33/]]],
    ['1.14.1', '0.32.1', '1.32', [['error', /cannot follow 0\.32\.1 at once/]]],
    ['1.14.1', 'v0.37.0', '1.32', [['error', /keeps its objects as v1beta1/]]],
    ['1.0.8', '0.37.0', '1.30', []],
    ['1.9.0', '1.14.1', '1.34', [['error', /1\.9\.0 is older than 1\.14\.1/]]],
    ['1.8.0', undefined, '1.34', [['error', /1\.8\.0 is broken: its chart renders an empty feature gate/]]],
    ['1.8.4', undefined, '1.34', [['warning', /1\.8\.4 is better skipped: it has a regression/]]],
    ['1.8.0-rc.1', undefined, '1.34', [['error', /1\.8\.0-rc\.1 is broken/]]],
    ['1.14.1-rc.0', '1.14.1-rc.0', '1.35', []],
    ['1.14.1', '1.14.1-rc.0', '1.35', []],
    ['1.14.1-rc.0', '1.14.1', '1.35', [['error', /1\.14\.1-rc\.0 is older than 1\.14\.1/]]],
    ['1.99.0', undefined, '1.38', []],
    ['1.99.0', '1.15.2', '1.35', []],
    ['1.1.1', undefined, '1.32', [['error', /1\.32: its controller ends in a panic at its start/]]],
    ['1.2.8', undefined, '1.33', [['error', /1\.33: its controller logs one error and goes on/]]],
    ['2.0.0', '1.15.2', '1.35', [['error', /2\.0\.0 is of another major version/]]],
    [
      '1.3.0',
      undefined,
      '1.32',
      [['warning', /1\.3\.0 is better skipped: in an account without a default VPC/]]
    ],
    ['1.11.1', undefined, '1.35', [['warning', /1\.11\.1 is better skipped: its controller panics/]]]
  ] as const)('of %s after %s on Kubernetes %s', (version, installed, kubernetes, expected) => {
    const findings = versionPair({
      version,
      range: tableFacts(version).kubernetes,
      installed,
      recorded: undefined,
      allowDowngrade: false,
      kubernetes
    })
    expect(findings.map(({ level, problem }) => [level, problem])).toEqual(
      expected.map(([level, problem]) => [level, matching(problem)])
    )
  })

  it.each([
    ['1.14.0', undefined, 'Karpenter 1.14.0 runs'],
    [undefined, '1.14.0', 'the record of the last install has 1.14.0'],
    ['1.2.1', '1.14.0', 'the record of the last install has 1.14.0'],
    ['1.14.0', '1.2.1', 'Karpenter 1.14.0 runs']
  ])(
    'refuses 1.2.1 after %s with %s recorded, unless a downgrade is allowed',
    (installed, recorded, evidence) => {
      const range = tableFacts('1.2.1').kubernetes
      const facts = { version: '1.2.1', range, installed, recorded, kubernetes: '1.32' }
      expect(versionPair({ ...facts, allowDowngrade: false })).toEqual([
        expect.objectContaining({ level: 'error', evidence, fix: containing('`allow-downgrade: true`') })
      ])
      expect(versionPair({ ...facts, allowDowngrade: true })).toEqual([
        expect.objectContaining({ level: 'warning', problem: containing('the chart goes back first') })
      ])
      expect(versionPair({ ...facts, version: '1.14.0', allowDowngrade: false })).toEqual([])
    }
  )
})

describe('subnetTagsConflict', () => {
  const subnet = (id: string, zone: string, discovery?: string, availableAddresses = 100): Subnet => ({
    id,
    vpcId: 'vpc-1',
    availabilityZone: zone,
    availableAddresses,
    publicAddresses: false,
    tags: discovery === undefined ? {} : { 'karpenter.sh/discovery': discovery }
  })
  const group: SecurityGroup = { id: 'sg-1', name: 'cluster', vpcId: 'vpc-1', tags: {} }
  const findingsOf = (subnets: readonly Subnet[], securityGroups = [group]): readonly string[] =>
    subnetTagsConflict({ clusterName: 'green', discovery: 'tags', subnets, securityGroups }).map(
      ({ level, subject, problem, fix }) => `${level} ${subject}: ${problem} | ${fix}`
    )

  it('takes untagged ones and its own', () => {
    expect(findingsOf([subnet('subnet-1', 'a'), subnet('subnet-2', 'b', 'green')])).toEqual([])
  })

  it("refuses another cluster's and names those that are free", () => {
    expect(
      findingsOf([subnet('subnet-1', 'a', 'blue'), subnet('subnet-2', 'b'), subnet('subnet-3', 'c')])
    ).toEqual([
      expect.stringMatching(
        /^error subnets: subnet-1 is tagged karpenter\.sh\/discovery=blue, so cluster "green" cannot have it .*`subnets: subnet-2,subnet-3`/
      )
    ])
  })

  it('has nothing against them where EC2NodeClasses go by ids', () => {
    const subnets = [subnet('subnet-1', 'a', 'blue'), subnet('subnet-2', 'b', 'blue')]
    const facts = { clusterName: 'green', subnets, securityGroups: [group] }
    expect(subnetTagsConflict({ ...facts, discovery: 'ids' })).toEqual([])
  })

  it('says so where there are none', () => {
    expect(findingsOf([], [])).toEqual([
      expect.stringMatching(/^error subnets: none was found/),
      expect.stringMatching(/^error security-groups: none was found/)
    ])
  })

  it('warns of one zone and of few addresses, and refuses none at all', () => {
    expect(findingsOf([subnet('subnet-1', 'a', undefined, 3), subnet('subnet-2', 'a')])).toEqual([
      expect.stringMatching(/^warning subnets: all of them are in a/),
      expect.stringMatching(/^warning subnets: there are few free addresses/)
    ])
    expect(
      findingsOf([subnet('subnet-1', 'a', undefined, 0), subnet('subnet-2', 'b', undefined, 0)])
    ).toEqual([expect.stringMatching(/^error subnets: there is no free address/)])
  })
})
