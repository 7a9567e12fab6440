import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { holdPublished } from '../sandbox/cluster/deployer-policy.js'
import { newest, oldest, startSandbox, type Sandbox } from '../sandbox/index.js'
import { record, text } from '../sandbox/values.js'
import { check, checkIsClean } from './clean-check.js'
import { errorOf } from './failed-run.js'
import { at, callsOf, find, get, listed, paths, succeeded, until, writes } from './scenario.js'
import { podsOf, startWorkload, stopWorkload } from './workload.js'
import { compared } from './removal.js'

const before = { 'karpenter-version': oldest, 'controller-identity': 'irsa', 'smoke-test': 'false' }
const after = { ...before, 'karpenter-version': newest }
const allowed = { 'allow-downgrade': 'true' }
/** The controller ends at its start over it; the older one has no such setting. */
const breaking = { 'helm-values': 'settings:\n  preferencePolicy: Nonsense' }

describe(`an upgrade from ${oldest} to ${newest} whose controller does not come up`, () => {
  let sandbox: Sandbox
  const missing = new Set<string>()

  beforeAll(async () => {
    sandbox = await startSandbox({
      name: 'green',
      region: 'eu-west-1',
      kubernetesVersion: '1.32',
      karpenter: [oldest, newest],
      runner: 'kept',
      nodes: { imageExists: (image) => ![...missing].some((part) => image.includes(part)) }
    })
    succeeded(await sandbox.run(before))
    await startWorkload(sandbox, { name: 'shop', replicas: 1 })
  })
  afterAll(async () => sandbox.stop())

  /** Version and pods of the controller that the cluster has. */
  async function controller(): Promise<Readonly<Record<string, unknown>>> {
    const deployment = await get(sandbox, `${paths.deployments}/karpenter`)
    const image = text(at(deployment, 'spec', 'template', 'spec', 'containers', 0, 'image')) ?? ''
    return {
      version: /controller:([\d.]+)/.exec(image)?.[1],
      available: at(deployment, 'status', 'availableReplicas'),
      pods: at(deployment, 'status', 'replicas')
    }
  }

  /** `1 superseded` of every revision that helm keeps. */
  async function revisions(): Promise<readonly string[]> {
    const kept = await listed(sandbox, '/api/v1/namespaces/karpenter/secrets?labelSelector=owner%3Dhelm')
    return kept
      .map(
        (one) =>
          `${String(at(one, 'metadata', 'labels', 'version'))} ${String(at(one, 'metadata', 'labels', 'status'))}`
      )
      .toSorted()
  }

  /** Names of the policies on the controller's role. */
  const attached = (): readonly (string | undefined)[] =>
    [...sandbox.cloud.iam.role('green-karpenter').attached].map((arn) => arn.split('/').at(-1))

  const nodes = async (): Promise<readonly unknown[]> =>
    (await listed(sandbox, `${paths.nodes}?labelSelector=karpenter.sh/nodepool`)).map((node) =>
      at(node, 'metadata', 'uid')
    )

  test('goes back when the image cannot be pulled, and says how things stand', async () => {
    const running = await nodes()
    missing.add(`controller:${newest}`)
    const result = await sandbox.run(after)
    const error = errorOf(result)
    expect(error).toMatch(
      new RegExp(
        String.raw`^setup-karpenter: Helm release karpenter: Karpenter ${newest} did not come up, and ${oldest} runs again: Deployment karpenter/karpenter: .* ErrImagePull`
      )
    )
    expect(error).toContain(
      `Karpenter ${oldest} runs and all its pods are available: the release is at revision 3, which is revision 1 again.`
    )
    expect(error).toContain(`CRDs are those of ${newest}; ${oldest} works with them`)
    expect(error).toContain(
      `Stack Karpenter-green has the parts of ${newest} and still those of ${oldest}, role green-karpenter the policies of both`
    )
    expect(attached()).toEqual(
      expect.arrayContaining([
        'KarpenterControllerPolicy-green',
        'KarpenterControllerNodeLifecyclePolicy-green'
      ])
    )
    expect(result.log).toContain(`rolled Helm release karpenter back to revision 1 (chart ${oldest})`)
    expect(error).toContain('Then run again: it goes on from here.')
    expect(await controller()).toEqual({ version: oldest, available: 2, pods: 2 })
    expect(await revisions()).toEqual(['1 superseded', '2 superseded', '3 deployed'])
    expect(await nodes()).toEqual(running)
    expect((await podsOf(sandbox, 'shop')).map((pod) => at(pod, 'status', 'phase'))).toEqual(['Running'])
  })

  test('leaves CRDs and permissions with which the old controller still scales', async () => {
    const running = await nodes()
    await startWorkload(sandbox, { name: 'bank', replicas: 2 })
    expect((await nodes()).length).toBeGreaterThan(running.length)
  })

  test('leaves a record of what works: a check calls the new version pending', async () => {
    const { findings } = await check(sandbox, after)
    const release = findings.filter(({ id, path }) => id === 'helm-release' && path === 'version')
    expect(release).toMatchObject([
      {
        kind: 'pending',
        reason: `chart ${oldest} is installed, not ${newest}`,
        install: `change it to ${newest}`
      }
    ])
  })

  test('goes back a second time, from the revision that was rolled back to', async () => {
    missing.clear()
    const result = await sandbox.run({ ...after, ...breaking })
    const error = errorOf(result)
    expect(result.log).toContain(`installed before: Karpenter ${oldest}`)
    expect(error).toMatch(
      new RegExp(String.raw`${oldest} runs again: Deployment .* crashes again and again\. Its last words:`)
    )
    expect(error).toContain('the release is at revision 5, which is revision 3 again')
    expect(await controller()).toEqual({ version: oldest, available: 2, pods: 2 })
  })

  test('ends well when the cause is put right', async () => {
    const running = await nodes()
    const result = succeeded(await sandbox.run(after))
    expect(result.log).toContain(`upgraded Helm release karpenter to ${newest}`)
    expect(await controller()).toEqual({ version: newest, available: 2, pods: 2 })
    expect(await nodes()).toEqual(running)
    await checkIsClean(sandbox, after)
  })

  test('leaves the workload where it was', async () => {
    const pods = await until('the pods to run', async () => {
      const found = [...(await podsOf(sandbox, 'shop')), ...(await podsOf(sandbox, 'bank'))]
      return found.every((pod) => at(pod, 'status', 'phase') === 'Running') ? found : undefined
    })
    expect(pods).toHaveLength(3)
  })

  describe(`then back to ${oldest}`, () => {
    const newerField = 'spec.capacityReservationSelectorTerms'

    test('is refused, with what to pass', async () => {
      const calls = callsOf(sandbox).length
      const error = errorOf(await sandbox.run(before))
      expect(error).toContain(
        `setup-karpenter: karpenter-version: ${oldest} is older than ${newest} (Karpenter ${newest} runs)`
      )
      expect(error).toContain('`allow-downgrade: true`')
      expect(error).toContain('Nothing was changed.')
      expect(writes(callsOf(sandbox).slice(calls))).toEqual([])
      expect(await controller()).toMatchObject({ version: newest })
    })

    test('is refused while an object has a field that older CRDs do not have', async () => {
      const [own] = await listed(sandbox, paths.nodeClasses)
      const spec = record(at(own, 'spec'))
      const created = await sandbox.kubernetes('POST', paths.nodeClasses, {
        apiVersion: 'karpenter.k8s.aws/v1',
        kind: 'EC2NodeClass',
        metadata: { name: 'reserved' },
        spec: { ...spec, capacityReservationSelectorTerms: [{ tags: { team: 'shop' } }] }
      })
      expect(created.status).toBe(201)
      const error = errorOf(await sandbox.run({ ...before, ...allowed }))
      expect(error).toContain(
        `EC2NodeClass reserved: the CRDs of ${oldest} do not have ${newerField}, which it would lose`
      )
      expect(error).toContain('kubectl edit ec2nodeclass reserved')
      await sandbox.kubernetes('DELETE', `${paths.nodeClasses}/reserved`)
      await until('the EC2NodeClass to go', async () =>
        (await find(sandbox, `${paths.nodeClasses}/reserved`)) === undefined ? true : undefined
      )
    })

    test('is done when it is allowed: the chart before its CRDs, and CRDs that only the newer one has stay', async () => {
      const { log } = succeeded(await sandbox.run({ ...before, ...allowed }))
      const chart = log.indexOf(`downgraded Helm release karpenter to ${oldest}`)
      expect(chart).toBeGreaterThan(0)
      expect(log.indexOf(`downgraded CRD nodepools.karpenter.sh (${oldest})`)).toBeGreaterThan(chart)
      expect(await controller()).toEqual({ version: oldest, available: 2, pods: 2 })
      const crds = (await listed(sandbox, paths.crds)).map((crd) => at(crd, 'metadata', 'name'))
      expect(crds).toContain('nodeoverlays.karpenter.sh')
      await checkIsClean(sandbox, before)
    })

    test(`leaves nothing to an uninstall that removes CRDs, those of ${newest} included`, async () => {
      await Promise.all(['shop', 'bank'].map(async (name) => stopWorkload(sandbox, name)))
      await holdPublished(sandbox, 'uninstall')
      succeeded(await compared(sandbox, await sandbox.run({ mode: 'uninstall', 'remove-crds': 'true' })))
      const crds = (await listed(sandbox, paths.crds)).map((crd) => text(at(crd, 'metadata', 'name')) ?? '')
      expect(crds.filter((name) => /karpenter|capacitybuffers/.test(name))).toEqual([])
    })
  })
})
