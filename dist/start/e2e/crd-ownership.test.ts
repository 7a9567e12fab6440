import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { holdPublished } from '../sandbox/cluster/deployer-policy.js'
import { newest, oldest, startSandbox, type Sandbox } from '../sandbox/index.js'
import { list, record, text } from '../sandbox/values.js'
import { AnotherHand } from './another-hand.js'
import { check, checkIsClean } from './clean-check.js'
import { errorOf, found, refusedBeforeWriting } from './failed-run.js'
import { at, get, listed, paths, reportOf, succeeded } from './scenario.js'
import { compared } from './removal.js'

const inputs = { 'karpenter-version': newest, 'smoke-test': 'false' }
const leave = { ...inputs, crds: 'leave' }
const takeOver = { ...inputs, crds: 'take-over' }
const nodePoolCrd = `${paths.crds}/nodepools.karpenter.sh`
/** As another version's schema would. */
const changedSchema = [
  { op: 'replace', path: '/spec/versions/0/schema/openAPIV3Schema/description', value: 'of another version' }
]
const releaseMark = 'meta.helm.sh/release-name'

describe('CRDs that somebody else keeps', () => {
  let sandbox: Sandbox
  let hand: AnotherHand

  beforeAll(async () => {
    sandbox = await startSandbox({
      name: 'green',
      region: 'eu-west-1',
      kubernetesVersion: '1.32',
      karpenter: [oldest, newest],
      runner: 'kept'
    })
    hand = new AnotherHand(sandbox)
  })
  afterAll(async () => {
    hand.close()
    await sandbox.stop()
  })

  /** helm with the CRDs' own chart, as an administrator runs it in kube-system. */
  async function crdRelease(...args: readonly string[]): Promise<void> {
    await promisify(execFile)(sandbox.built.helm.binary, [...args, '--namespace', 'kube-system'], {
      env: { PATH: '/usr/bin:/bin', HOME: '/nonexistent', KUBECONFIG: sandbox.controlPlane.kubeconfigPath }
    })
  }
  const chartOf = (version: string): readonly string[] => [
    'karpenter-crd',
    sandbox.published.crdChart,
    ...['--version', version, '--plain-http']
  ]
  const records = async (): Promise<number> =>
    (await listed(sandbox, '/api/v1/namespaces/kube-system/secrets?labelSelector=owner%3Dhelm')).length
  const crdNames = async (): Promise<readonly unknown[]> =>
    (await listed(sandbox, paths.crds)).map((crd) => at(crd, 'metadata', 'name'))
  const resourceVersion = async (): Promise<unknown> =>
    at(await get(sandbox, nodePoolCrd), 'metadata', 'resourceVersion')
  const crdFindings = async (
    given: Readonly<Record<string, string>>
  ): Promise<Awaited<ReturnType<typeof check>>['findings']> =>
    (await check(sandbox, given)).findings.filter(({ id }) => id === 'crds')

  test('of an older Helm release are not written: the error names it and both ways out', async () => {
    await crdRelease('install', ...chartOf(oldest))
    sandbox.cloud.clearCalls()
    await refusedBeforeWriting(sandbox, await sandbox.run(inputs), [
      new RegExp(
        String.raw`crds: .*nodepools\.karpenter\.sh.* are not of Karpenter ${newest}, and Helm release kube-system/karpenter-crd \(annotation meta\.helm\.sh/release-name=karpenter-crd; revision 1, chart ${oldest}\) keeps them`
      ),
      '`crds: take-over`',
      `\`crds: leave\`, after: helm upgrade karpenter-crd oci://public.ecr.aws/karpenter/karpenter-crd --version ${newest} -n kube-system`
    ])
  })

  test('are not left either where the version needs more of them, with the command', async () => {
    await refusedBeforeWriting(sandbox, await sandbox.run(leave), [
      `crds: leave: CRD nodeoverlays.karpenter.sh is not there, and Karpenter ${newest} has it`,
      `helm upgrade karpenter-crd oci://public.ecr.aws/karpenter/karpenter-crd --version ${newest} -n kube-system`
    ])
  })

  test('are taken over: marks and record go, so that a helm uninstall reaches nothing', async () => {
    const result = succeeded(await sandbox.run(takeOver))
    expect(result.log).toContain(
      `removed the record of Helm release kube-system/karpenter-crd (chart ${oldest}, 1 revision)`
    )
    expect(result.log).toContain(
      'took CRD nodepools.karpenter.sh over from Helm release kube-system/karpenter-crd'
    )
    expect(result.log).toContain(`upgraded CRD nodepools.karpenter.sh (${newest})`)
    const kept = record(reportOf(result)['kept'])
    expect(kept['Helm release kube-system/karpenter-crd, revision 1']).toContain(
      'name: nodepools.karpenter.sh'
    )
    expect(await records()).toBe(0)
    const crd = await get(sandbox, nodePoolCrd)
    expect(at(crd, 'metadata', 'annotations', releaseMark)).toBeUndefined()
    await expect(crdRelease('uninstall', 'karpenter-crd')).rejects.toThrow(/release: not found/)
    expect(await crdNames()).toContain('nodepools.karpenter.sh')
    expect(await listed(sandbox, paths.nodePools)).toHaveLength(1)
    await checkIsClean(sandbox, takeOver)
    await checkIsClean(sandbox, inputs)
  })

  test('of kubectl, which nobody puts back, are put right and said to be its', async () => {
    await hand.edit(nodePoolCrd, changedSchema, 'kubectl-client-side-apply')
    expect(await crdFindings(inputs)).toMatchObject([
      { kind: 'drift', path: 'nodepools.karpenter.sh', by: 'kubectl-client-side-apply' }
    ])
    const result = succeeded(await sandbox.run(inputs))
    expect(result.log).toContain(`upgraded CRD nodepools.karpenter.sh (${newest})`)
  })

  test('of Argo CD are taken over only when that is asked for, with what it will do', async () => {
    const annotations = { 'argocd.argoproj.io/tracking-id': 'crds:apiextensions.k8s.io/x:default/y' }
    await hand.edit(nodePoolCrd, { metadata: { annotations } }, 'argocd-controller')
    await hand.edit(nodePoolCrd, changedSchema, 'argocd-controller')
    const findings = await crdFindings(inputs)
    expect(findings[0]?.reason).toContain(
      'kept by Argo CD Application crds (annotation argocd.argoproj.io/tracking-id='
    )
    expect(findings[0]?.install).toMatch(
      new RegExp(String.raw`^refuse: crds: nodepools\.karpenter\.sh is not of Karpenter ${newest}`)
    )
    expect(errorOf(await sandbox.run(inputs))).toContain(
      `give Argo CD Application crds the CRDs of ${newest} in its source`
    )
    const result = succeeded(await sandbox.run(takeOver))
    expect(result.annotations.map(({ message }) => message).join('\n')).toContain(
      'Argo CD Application crds writes it again until it is taken out of its source'
    )
    await checkIsClean(sandbox, inputs)
  })

  describe(`when a Helm release of ${oldest} has taken them`, () => {
    beforeAll(async () => crdRelease('install', ...chartOf(oldest), '--take-ownership'))

    test('are no finding of a check that leaves them, and one of a check that does not', async () => {
      expect(await crdFindings(leave)).toEqual([])
      const findings = await crdFindings(inputs)
      expect(findings.length).toBeGreaterThan(0)
      for (const { reason, install } of findings) {
        expect(reason).toContain('kept by Helm release kube-system/karpenter-crd')
        expect(install).toContain('refuse: crds: ')
      }
    })

    test('are not left to manifests with fields that they do not have', async () => {
      const nodePools = `
apiVersion: karpenter.k8s.aws/v1
kind: EC2NodeClass
metadata: { name: reserved }
spec:
  role: KarpenterNodeRole-green
  amiSelectorTerms: [{ alias: al2023@latest }]
  subnetSelectorTerms: [{ tags: { karpenter.sh/discovery: green } }]
  securityGroupSelectorTerms: [{ tags: { karpenter.sh/discovery: green } }]
  capacityReservationSelectorTerms: [{ tags: { team: shop } }]
`
      const error = errorOf(await sandbox.run({ ...leave, 'node-pools': nodePools }))
      expect(error).toContain(
        'CRD ec2nodeclasses.karpenter.k8s.aws does not have fields that are given: EC2NodeClass reserved: spec.capacityReservationSelectorTerms'
      )
      expect(error).toContain(`--version ${newest} -n kube-system`)
    })

    test('are left as they are by a run that changes something else, which warns of their version', async () => {
      const before = await resourceVersion()
      const result = succeeded(await sandbox.run({ ...leave, 'helm-values': 'logLevel: debug' }))
      expect(
        found(result)
          .filter((one) => one.endsWith('left-crds'))
          .toSorted()
      ).toEqual(['note left-crds', 'note left-crds', ...Array<string>(3).fill('warning left-crds')])
      const evidence = list(reportOf(result)['preflight'])
        .map(record)
        .filter(({ check: name, level }) => name === 'left-crds' && level === 'warning')
        .map((finding) => text(finding['evidence']))
      expect(evidence[0]).toContain('Helm release kube-system/karpenter-crd')
      expect(await resourceVersion()).toBe(before)
    })

    test('stay after an uninstall that removes CRDs', async () => {
      await holdPublished(sandbox, 'uninstall')
      const result = succeeded(
        await compared(sandbox, await sandbox.run({ mode: 'uninstall', 'remove-crds': 'true' }))
      )
      expect(result.log).toContain('CRDs are left to whoever keeps them (`crds: leave`)')
      expect(await crdNames()).toContain('nodepools.karpenter.sh')
      expect(await records()).toBe(1)
    })
  })
})
