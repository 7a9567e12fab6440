import type { CustomResourceDefinition } from 'kubernetes-types/apiextensions/v1.js'
import { anotherKarpenter } from '../../../src/preflight/controller/another-karpenter.js'
import { retiredCrds } from '../../../src/karpenter/crd-names.js'

type AskedFacts = Parameters<typeof anotherKarpenter>[0]

const facts: AskedFacts = {
  namespace: 'karpenter',
  releaseName: 'karpenter',
  crds: 'auto',
  version: '1.14.1',
  controllers: [],
  changes: async () => true,
  releases: async () => [],
  crd: async () => undefined,
  replacingCrds: async () => [],
  objectsOf: async () => [],
  webhooks: async () => []
}
const unasked = async (): Promise<never> => Promise.reject(new Error('not asked for'))
const controller = { namespace: 'kube-system', deployment: 'karpenter', version: '1.8.6' }
const own = { ...controller, namespace: 'karpenter', release: { name: 'karpenter', namespace: 'karpenter' } }

const findingsOf = async (more: Partial<AskedFacts>): Promise<readonly string[]> =>
  (await anotherKarpenter({ ...facts, ...more })).map(
    ({ level, subject, problem, evidence, fix, override }) =>
      `${level} ${subject}: ${problem} (${evidence}) | ${fix}${override === undefined ? '' : ` [${override}]`}`
  )

describe('controllers', () => {
  it('takes its own release for its own', async () => {
    expect(await findingsOf({ controllers: [own] })).toEqual([])
  })

  it('looks at nothing else where nothing is to be changed', async () => {
    const byHand = { ...controller, release: undefined }
    const reads = { releases: unasked, crd: unasked, replacingCrds: unasked, webhooks: unasked }
    expect(await findingsOf({ controllers: [byHand], changes: async () => false, ...reads })).toHaveLength(1)
  })

  it('offers to take over one in another namespace', async () => {
    const other = { ...controller, release: { name: 'karpenter', namespace: 'kube-system' } }
    expect(await findingsOf({ controllers: [other] })).toEqual([
      expect.stringMatching(
        /^error namespace: Karpenter 1\.8\.6 is already installed in namespace kube-system .* \| .*`namespace: kube-system`/
      )
    ])
  })

  it('asks to remove one that helm did not install, wherever it is', async () => {
    const byHand = { ...controller, namespace: 'karpenter', release: undefined }
    expect(await findingsOf({ controllers: [byHand] })).toEqual([
      expect.stringMatching(/kubectl delete deployment karpenter -n karpenter/)
    ])
  })
})

describe('helm releases', () => {
  it('takes no notice of its own, nor of one whose controller it has named', async () => {
    const release = { name: 'karpenter', namespace: 'kube-system' }
    const releases = async () => [
      { ...release, status: 'deployed' },
      { name: 'karpenter', namespace: 'karpenter', status: 'deployed' }
    ]
    expect(await findingsOf({ controllers: [{ ...controller, release }], releases })).toHaveLength(1)
  })

  it('warns of one that owns the CRDs, and of one that has no controller', async () => {
    const releases = async () => [
      { name: 'karpenter-crd', namespace: 'karpenter', status: 'deployed' },
      { name: 'karpenter', namespace: 'old', status: 'failed' }
    ]
    expect(await findingsOf({ releases })).toEqual([
      expect.stringMatching(/^warning helm release karpenter\/karpenter-crd: owns Karpenter's CRDs/),
      expect.stringMatching(
        /^warning helm release old\/karpenter: has no controller: .* \(status failed\) \| .*helm uninstall karpenter -n old/
      )
    ])
    expect(await findingsOf({ releases, crds: 'leave' })).toEqual([
      expect.stringMatching(/^warning helm release old\/karpenter/)
    ])
  })
})

describe('CRDs of other ages', () => {
  const crd = (name: string, more: Partial<CustomResourceDefinition> = {}): CustomResourceDefinition => ({
    metadata: { name },
    spec: {
      group: 'karpenter.sh',
      names: { kind: 'Provisioner', plural: 'provisioners' },
      scope: 'Cluster',
      versions: [{ name: 'v1alpha5', served: true, storage: true }]
    },
    ...more
  })
  /** The cluster has these, and the run replaces what the chart has of them. */
  const having = (...crds: readonly CustomResourceDefinition[]) => ({
    crd: async (name: string) => crds.find(({ metadata }) => metadata?.name === name),
    replacingCrds: async () =>
      crds
        .map(({ metadata }) => ({ apiVersion: '', kind: '', metadata: { name: metadata?.name ?? '' } }))
        .filter(({ metadata }) => !retiredCrds.includes(metadata.name))
  })
  const stored = (storedVersions: string[]) => ({
    acceptedNames: { kind: '', plural: '' },
    conditions: [],
    storedVersions
  })

  it('names the objects that nothing reads any more', async () => {
    const crds = having(crd('provisioners.karpenter.sh'))
    expect(await findingsOf({ ...crds, objectsOf: async () => ['default', 'gpu'] })).toEqual([
      expect.stringMatching(
        /^warning CustomResourceDefinition provisioners\.karpenter\.sh: is of Karpenter 0\.32 .*\(serves v1alpha5; objects: default, gpu\) \| Pass its objects as node-pools/
      )
    ])
    expect(await findingsOf({ ...crds })).toEqual([
      expect.stringMatching(
        /\(serves v1alpha5; no objects\) \| kubectl delete crd provisioners\.karpenter\.sh/
      )
    ])
  })

  it('says nothing of CapacityBuffers, which are stored as v1beta1 by all that have them', async () => {
    const crds = having(crd('capacitybuffers.autoscaling.x-k8s.io', { status: stored(['v1beta1']) }))
    expect(await findingsOf({ ...crds })).toEqual([])
  })

  it('refuses objects stored as v1beta1, and says whose the CRD is', async () => {
    const annotations = {
      'meta.helm.sh/release-name': 'karpenter-crd',
      'meta.helm.sh/release-namespace': 'ops'
    }
    const name = 'nodepools.karpenter.sh'
    const crds = having(
      crd(name, { metadata: { name, annotations }, status: stored(['v1beta1', 'v1']) }),
      crd('nodeclaims.karpenter.sh', { status: stored(['v1']) })
    )
    expect(await findingsOf({ ...crds })).toEqual([
      expect.stringMatching(
        /^error CustomResourceDefinition nodepools\.karpenter\.sh: still has objects stored as v1beta1.*of helm release ops\/karpenter-crd/
      )
    ])
    expect(await findingsOf({ ...crds, version: '1.0.8' })).toEqual([])
  })

  it('warns of a conversion webhook, and says who wrote the CRD', async () => {
    const name = 'nodepools.karpenter.sh'
    const webhook = {
      conversionReviewVersions: ['v1'],
      clientConfig: { service: { namespace: 'kube-system', name: 'karpenter' } }
    }
    const base = crd(name)
    const crds = having(
      crd(name, {
        metadata: { name, managedFields: [{ manager: 'kubectl-create' }] },
        spec: { ...base.spec, conversion: { strategy: 'Webhook', webhook } }
      })
    )
    expect(await findingsOf({ ...crds })).toEqual([
      expect.stringMatching(
        /^warning .*converts by a webhook .*\(service kube-system\/karpenter; written by kubectl-create\)/
      )
    ])
  })
})

describe('webhooks of other ages', () => {
  const webhook = {
    kind: 'ValidatingWebhookConfiguration',
    name: 'validation.webhook.karpenter.sh',
    service: 'kube-system/karpenter',
    serviceThere: true,
    failurePolicy: 'Fail'
  } as const

  it('are warned of while they answer, and refused once nothing answers', async () => {
    expect(await findingsOf({ webhooks: async () => [webhook] })).toEqual([
      expect.stringMatching(
        /^warning ValidatingWebhookConfiguration validation\.webhook\.karpenter\.sh: .* \| kubectl delete validatingwebhookconfiguration /
      )
    ])
    expect(await findingsOf({ webhooks: async () => [{ ...webhook, serviceThere: false }] })).toEqual([
      expect.stringMatching(/^error .*none of them can be written .*which does not exist.*\[old-webhook\]$/)
    ])
    expect(
      await findingsOf({
        webhooks: async () => [{ ...webhook, serviceThere: false, failurePolicy: 'Ignore' }]
      })
    ).toEqual([expect.stringMatching(/^warning /)])
  })

  it('belong to 1.0', async () => {
    expect(await findingsOf({ webhooks: async () => [webhook], version: '1.0.8' })).toEqual([])
  })
})
