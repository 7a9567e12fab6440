import type { AnyResource, Inspection } from '../../../src/engine/resource.js'
import { crds, type CrdsPorts } from '../../../src/resources/controller/crds.js'
import { releaseSecret } from '../../helm/release-secret.js'
import { ApiServer } from '../../kubernetes/api-server.js'
import { recordedStep } from '../step.js'
import { unrecorded } from '../walk-one.js'

const name = 'nodepools.karpenter.sh'
const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${name}`
const secretPath = '/api/v1/namespaces/ops/secrets/sh.helm.release.v1.karpenter-crd.v1'
const crd = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name },
  spec: {
    group: 'karpenter.sh',
    names: { kind: 'NodePool', plural: 'nodepools' },
    versions: [{ name: 'v1', storage: true }]
  }
}
const ofRelease = {
  annotations: { 'meta.helm.sh/release-name': 'karpenter-crd', 'meta.helm.sh/release-namespace': 'ops' },
  labels: { 'app.kubernetes.io/managed-by': 'Helm', team: 'platform' }
}
const crdManifest = `apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: { name: ${name} }\n`
const released =
  'Helm release ops/karpenter-crd (annotation meta.helm.sh/release-name=karpenter-crd; revision 1, chart 1.2.1)'

let server: ApiServer
let kept: Record<string, string>
beforeEach(async () => {
  server = await ApiServer.start()
  kept = {}
})
afterEach(async () => server.stop())

/** The CRD as it is: of another version when `older`. */
function put(metadata: Record<string, unknown>, older = true): void {
  const versions = older ? [{ name: 'v1beta1', storage: true }] : crd.spec.versions
  server.put(path, {
    ...crd,
    metadata,
    spec: { ...crd.spec, versions },
    status: { conditions: [{ type: 'Established', status: 'True' }] }
  })
}

function putRelease(manifest = crdManifest): void {
  const secret = releaseSecret(1, 'deployed', '1.2.1', {}, { manifest })
  server.put(secretPath, {
    ...secret,
    metadata: {
      ...secret.metadata,
      namespace: 'ops',
      labels: { ...secret.metadata.labels, name: 'karpenter-crd' }
    }
  })
}

const one = (choice: NonNullable<CrdsPorts['choice']>): AnyResource =>
  crds(
    { version: '1.14.0', crds: [crd] },
    {
      kubernetes: server.kubernetes,
      ownership: { owner: 'setup-karpenter', run: 'https://run/1' },
      dependsOn: [],
      removable: true,
      choice,
      release: { name: 'karpenter', namespace: 'karpenter' },
      keep: (what, text) => {
        kept[what] = text
      }
    }
  )
const inspect = async (choice: NonNullable<CrdsPorts['choice']> = 'auto'): Promise<Inspection> =>
  one(choice).inspect(new AbortController().signal)
const containing = (part: string): unknown => expect.stringContaining(part)

describe('CRDs of another Helm release', () => {
  test('that are older are refused, with the owner, its evidence and both ways out', async () => {
    putRelease()
    put(ofRelease)
    const found = await inspect()
    expect(found.differences[0]?.reason).toContain(`; kept by ${released}`)
    expect(found.refusal).toMatchObject({
      message: `crds: ${name} is not of Karpenter 1.14.0, and ${released} keeps them`,
      fix: expect.stringMatching(
        /`crds: take-over`.*\n.*`crds: leave`, after: helm upgrade karpenter-crd oci:\S+ --version 1\.14\.0 -n ops\./
      ) as unknown
    })
  })

  test('that are as wanted are let be', async () => {
    putRelease()
    put(ofRelease, false)
    expect(await inspect()).toMatchObject({ state: 'as wanted', differences: [] })
    expect((await inspect()).refusal).toBeUndefined()
  })

  test('whose record is gone are kept by nobody', async () => {
    put(ofRelease)
    const found = await inspect()
    expect(found.refusal).toBeUndefined()
    expect(found.differences[0]?.reason).not.toContain('kept by')
  })

  test('are taken over record first, what others hold of them last, and the report keeps the record', async () => {
    putRelease()
    put({
      ...ofRelease,
      managedFields: [
        { manager: 'helm', operation: 'Update' },
        { manager: 'kube-apiserver', operation: 'Update', subresource: 'status' }
      ]
    })
    const found = await inspect('take-over')
    expect(found.differences.map(({ path: at }) => at)).toEqual([name, `${name}.owner`])
    const step = recordedStep()
    await found.apply(step)
    expect(kept).toEqual({ 'Helm release ops/karpenter-crd, revision 1': crdManifest })
    expect(server.writes().map(({ method, path: at }) => `${method} ${at}`)).toEqual([
      `DELETE ${secretPath}`,
      `PATCH ${path}`,
      `PATCH ${path}`
    ])
    expect(server.writes()[1]?.body).toEqual([
      { op: 'test', path: '/metadata/resourceVersion', value: expect.any(String) as unknown },
      { op: 'remove', path: '/metadata/labels/app.kubernetes.io~1managed-by' },
      { op: 'remove', path: '/metadata/annotations/meta.helm.sh~1release-name' },
      { op: 'remove', path: '/metadata/annotations/meta.helm.sh~1release-namespace' },
      {
        op: 'replace',
        path: '/metadata/managedFields',
        value: [{ manager: 'kube-apiserver', operation: 'Update', subresource: 'status' }]
      }
    ])
    expect(step.lines).toEqual([
      containing('removed the record of Helm release ops/karpenter-crd (chart 1.2.1, 1 revision)'),
      `took CRD ${name} over from Helm release ops/karpenter-crd: label app.kubernetes.io/managed-by, annotation meta.helm.sh/release-name, annotation meta.helm.sh/release-namespace`,
      `upgraded CRD ${name} (1.14.0)`
    ])
  })

  test('that has more than CRDs are not taken over, or a helm uninstall would delete them', async () => {
    putRelease(`${crdManifest}---\napiVersion: v1\nkind: ConfigMap\nmetadata: { name: platform }\n`)
    put(ofRelease, false)
    expect((await inspect('take-over')).refusal).toMatchObject({
      message: containing(
        "Helm release ops/karpenter-crd has more than Karpenter's CRDs (ConfigMap/platform)"
      )
    })
  })
})

test('CRDs that we made and that a release has taken since are not taken from under it by a removal', async () => {
  putRelease()
  put({ ...ofRelease, annotations: { ...ofRelease.annotations, 'setup-karpenter/run': 'https://run/0' } })
  expect(await one('auto').remove(recordedStep(), unrecorded)).toEqual({
    outcome: 'kept',
    reason: `CRD ${name} is kept by ${released} now`
  })
  expect(server.writes()).toEqual([])
})

test('CRDs of our own release are kept from its next upgrade, whose chart has them no more', async () => {
  put({
    annotations: { 'meta.helm.sh/release-name': 'karpenter', 'meta.helm.sh/release-namespace': 'karpenter' }
  })
  const found = await inspect()
  expect(found.refusal).toBeUndefined()
  await found.apply(recordedStep())
  expect(server.at(path)?.metadata['annotations']).toMatchObject({ 'helm.sh/resource-policy': 'keep' })
})

test.each([
  ['helm, out of a chart', [{ manager: 'helm', operation: 'Update' }]],
  ["Terraform's helm provider", [{ manager: 'terraform-provider-helm_v2.17.0_x5', operation: 'Update' }]],
  ['kubectl', [{ manager: 'kubectl-client-side-apply', operation: 'Update' }]]
])('CRDs that %s wrote once are kept by nobody', async (_who, managedFields) => {
  put({ managedFields })
  const found = await inspect()
  expect(found).toMatchObject({ state: 'differs' })
  expect(found.refusal).toBeUndefined()
})

test('CRDs of Argo CD are refused, and taken over with a warning of what it does next', async () => {
  put({ annotations: { 'argocd.argoproj.io/tracking-id': 'crds:x/y:z/w' } })
  expect((await inspect()).refusal).toMatchObject({
    message: containing(
      'Argo CD Application crds (annotation argocd.argoproj.io/tracking-id=crds:x/y:z/w) keeps them'
    ),
    fix: containing('give Argo CD Application crds the CRDs of 1.14.0 in its source')
  })
  const step = recordedStep()
  await (await inspect('take-over')).apply(step)
  expect(step.lines).toContainEqual(
    containing(
      `warning: CRD ${name}: Argo CD Application crds writes it again until it is taken out of its source`
    )
  )
})

describe('CRDs that are left', () => {
  test('are neither compared nor written, against the record either', async () => {
    put({})
    const found = await inspect('leave')
    expect(found.state).toBe('as wanted')
    expect(found.against({ version: '1.2.1', crds: [crd] })).toEqual([])
    expect(found.resource.wanted).toMatchObject({ left: true })
    server.remove(path)
    expect((await inspect('leave')).state).toBe('as wanted')
  })

  test('stay when CRDs are to be removed, even those that we made', async () => {
    put({ labels: { 'app.kubernetes.io/managed-by': 'setup-karpenter' } })
    expect(await one('leave').remove(recordedStep(), unrecorded)).toEqual({
      outcome: 'kept',
      reason: 'CRDs are left to whoever keeps them (`crds: leave`)'
    })
    expect(server.writes()).toEqual([])
  })
})
