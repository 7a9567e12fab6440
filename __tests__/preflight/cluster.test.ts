import type { CustomResourceDefinition } from 'kubernetes-types/apiextensions/v1.js'
import type { SecurityGroup, Subnet } from '../../src/aws/discover.js'
import { anotherKarpenter, type AnotherKarpenterFacts } from '../../src/preflight/another-karpenter.js'
import { autoMode } from '../../src/preflight/auto-mode.js'
import { clusterActive } from '../../src/preflight/cluster-active.js'
import { subnetTagsConflict } from '../../src/preflight/subnet-tags-conflict.js'
import { versionPair } from '../../src/preflight/version-pair.js'

const containing = (part: string): unknown => expect.stringContaining(part)
const matching = (pattern: RegExp): unknown => expect.stringMatching(pattern)

describe('autoMode', () => {
  it('refuses a cluster in Auto Mode and says how to leave it', async () => {
    expect(await autoMode({ name: 'blue', autoMode: true }).run()).toEqual([
      expect.objectContaining({
        level: 'error',
        subject: 'cluster-name',
        fix: containing('--compute-config enabled=false')
      })
    ])
    expect(await autoMode({ name: 'blue', autoMode: false }).run()).toEqual([])
  })
})

describe('clusterActive', () => {
  it.each([
    ['ACTIVE', undefined],
    ['UPDATING', 'warning'],
    ['CREATING', 'error'],
    ['DELETING', 'error'],
    ['FAILED', 'error']
  ])('finds for %s: %s', async (status, level) => {
    const findings = await clusterActive({ name: 'blue', status }).run()
    expect(findings.map((finding) => finding.level)).toEqual(level === undefined ? [] : [level])
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
    ['1.9.0', '1.14.1', '1.34', [['warning', /older than what runs/]]],
    ['1.8.0', undefined, '1.34', [['error', /1\.8\.0 is broken: its chart renders an empty feature gate/]]],
    ['1.8.4', undefined, '1.34', [['warning', /1\.8\.4 is better skipped: it has a regression/]]]
  ] as const)('of %s after %s on Kubernetes %s', async (version, installed, kubernetes, expected) => {
    const findings = await versionPair({ version, installed, kubernetes }).run()
    expect(findings.map(({ level, problem }) => [level, problem])).toEqual(
      expected.map(([level, problem]) => [level, matching(problem)])
    )
  })
})

describe('subnetTagsConflict', () => {
  const subnet = (id: string, zone: string, discovery?: string, availableAddresses = 100): Subnet => ({
    id,
    vpcId: 'vpc-1',
    availabilityZone: zone,
    availableAddresses,
    tags: discovery === undefined ? {} : { 'karpenter.sh/discovery': discovery }
  })
  const group: SecurityGroup = { id: 'sg-1', name: 'cluster', vpcId: 'vpc-1', tags: {} }
  const findingsOf = async (
    subnets: readonly Subnet[],
    securityGroups = [group]
  ): Promise<readonly string[]> =>
    (await subnetTagsConflict({ clusterName: 'green', subnets, securityGroups }).run()).map(
      ({ level, subject, problem, fix }) => `${level} ${subject}: ${problem} | ${fix}`
    )

  it('takes untagged ones and its own', async () => {
    expect(await findingsOf([subnet('subnet-1', 'a'), subnet('subnet-2', 'b', 'green')])).toEqual([])
  })

  it("refuses another cluster's and names those that are free", async () => {
    expect(
      await findingsOf([subnet('subnet-1', 'a', 'blue'), subnet('subnet-2', 'b'), subnet('subnet-3', 'c')])
    ).toEqual([
      expect.stringMatching(
        /^error subnets: subnet-1 is tagged karpenter\.sh\/discovery=blue, so cluster "green" cannot have it .*`subnets: subnet-2,subnet-3`/
      )
    ])
  })

  it('says so where there are none', async () => {
    expect(await findingsOf([], [])).toEqual([
      expect.stringMatching(/^error subnets: none was found/),
      expect.stringMatching(/^error security-groups: none was found/)
    ])
  })

  it('warns of one zone and of few addresses, and refuses none at all', async () => {
    expect(await findingsOf([subnet('subnet-1', 'a', undefined, 3), subnet('subnet-2', 'a')])).toEqual([
      expect.stringMatching(/^warning subnets: all of them are in a/),
      expect.stringMatching(/^warning subnets: there are few free addresses/)
    ])
    expect(
      await findingsOf([subnet('subnet-1', 'a', undefined, 0), subnet('subnet-2', 'b', undefined, 0)])
    ).toEqual([expect.stringMatching(/^error subnets: there is no free address/)])
  })
})

describe('anotherKarpenter', () => {
  const facts: AnotherKarpenterFacts = {
    namespace: 'karpenter',
    releaseName: 'karpenter',
    karpenterVersion: '1.14.1',
    controllers: [],
    crds: undefined
  }
  const controller = { namespace: 'kube-system', deployment: 'karpenter', version: '1.8.6' }
  const findingsOf = async (more: Partial<AnotherKarpenterFacts>): Promise<readonly string[]> =>
    (await anotherKarpenter({ ...facts, ...more }).run()).map(
      ({ level, subject, problem, fix }) => `${level} ${subject}: ${problem} | ${fix}`
    )

  it('takes its own release for its own', async () => {
    const own = {
      ...controller,
      namespace: 'karpenter',
      release: { name: 'karpenter', namespace: 'karpenter' }
    }
    expect(await findingsOf({ controllers: [own] })).toEqual([])
  })

  it('offers to take over one in another namespace', async () => {
    const other = { ...controller, release: { name: 'karpenter', namespace: 'kube-system' } }
    expect(await findingsOf({ controllers: [other] })).toEqual([
      expect.stringMatching(
        /^error namespace: Karpenter 1\.8\.6 is already installed in namespace kube-system \| .*`namespace: kube-system`/
      )
    ])
  })

  it('asks to remove one that helm did not install, wherever it is', async () => {
    expect(
      await findingsOf({ controllers: [{ ...controller, namespace: 'karpenter', release: undefined }] })
    ).toEqual([expect.stringMatching(/kubectl delete deployment karpenter -n karpenter/)])
  })

  it('looks at CRDs of other ages', async () => {
    const crd = (name: string, more: Partial<CustomResourceDefinition> = {}): CustomResourceDefinition => ({
      metadata: { name },
      spec: { group: '', names: { kind: '', plural: '' }, scope: 'Cluster', versions: [] },
      ...more
    })
    const stored = {
      acceptedNames: { kind: '', plural: '' },
      conditions: [],
      storedVersions: ['v1beta1', 'v1']
    }
    const crds = [
      crd('provisioners.karpenter.sh'),
      crd('nodepools.karpenter.sh', { status: stored }),
      crd('nodeclaims.karpenter.sh', { status: { ...stored, storedVersions: ['v1'] } })
    ]
    expect(await findingsOf({ crds })).toEqual([
      expect.stringMatching(
        /^warning CustomResourceDefinition provisioners\.karpenter\.sh: is of Karpenter 0\.32/
      ),
      expect.stringMatching(
        /^error CustomResourceDefinition nodepools\.karpenter\.sh: still has objects stored as v1beta1/
      )
    ])
    expect(await findingsOf({ crds: crds.slice(1), karpenterVersion: '1.0.8' })).toEqual([])
  })
})
