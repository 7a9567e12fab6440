import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { hold, publishedStatements } from '../sandbox/cluster/deployer-policy.js'
import { newest, startSandbox, type Sandbox } from '../sandbox/index.js'
import { list, record, text } from '../sandbox/values.js'
import { checkIsClean } from './clean-check.js'
import { compared } from './removal.js'
import { callsOf, conditions, denied, find, listed, paths, succeeded, until } from './scenario.js'
import { startWorkload } from './workload.js'

const inputs = { 'karpenter-version': newest, 'smoke-test': 'false' }
const irsa = { ...inputs, 'controller-identity': 'irsa' }
const podIdentity = { ...inputs, 'controller-identity': 'pod-identity' }
const controllers = '/api/v1/namespaces/karpenter/pods?labelSelector=app.kubernetes.io%2Fname%3Dkarpenter'
const recordPath = '/api/v1/namespaces/kube-system/configmaps/setup-karpenter'

describe("a controller's identity, where EKS's webhook and EKS Auth follow an association by ten seconds, and sessions end after fifteen", () => {
  let sandbox: Sandbox

  beforeAll(async () => {
    sandbox = await startSandbox({
      name: 'identity',
      kubernetesVersion: '1.35',
      authenticationMode: 'API',
      webhookDelay: 10_000,
      associationDelay: 10_000,
      podSessionSeconds: 15
    })
  })
  afterAll(async () => sandbox.stop())

  /** By which variable the pods that are not ending were given their credentials. */
  const identities = async (): Promise<readonly string[]> =>
    (await listed(sandbox, controllers))
      .filter((pod) => record(pod['metadata'])['deletionTimestamp'] === undefined)
      .map((pod) => {
        const [container] = list(record(pod['spec'])['containers']).map(record)
        const names = list(container?.['env']).map((one) => text(record(one)['name']))
        return (
          ['AWS_WEB_IDENTITY_TOKEN_FILE', 'AWS_CONTAINER_CREDENTIALS_FULL_URI'].find((name) =>
            names.includes(name)
          ) ?? 'none'
        )
      })
  const trust = (): string => sandbox.cloud.iam.role('identity-karpenter').trust
  const associations = (): number => sandbox.cloud.eks.associations.values().length
  /** Sessions that EKS Auth opened. */
  const opened = (): number =>
    sandbox.cloud
      .calls()
      .filter(({ action, outcome }) => action === 'AssumeRoleForPodIdentity' && outcome === 'ok').length
  /**
   * A new node: the credentials are good for what a controller does. A session of fifteen seconds can end in the middle of a
   * controller's call, which says so in the EC2NodeClass until it tries again.
   */
  const scales = async (name: string): Promise<void> => {
    await startWorkload(sandbox, { name, replicas: 1, nodePool: 'default' })
    for (const path of [`${paths.nodeClasses}/default`, `${paths.nodePools}/default`])
      await until(`${path} to be Ready`, async () => {
        const found = await find(sandbox, path)
        return found !== undefined && text(conditions(found)['Ready']) === 'True' ? true : undefined
      })
  }

  test('pods that start before the webhook knows the association are made anew', async () => {
    const result = succeeded(await sandbox.run(podIdentity))
    expect(result.log).toMatch(/made pod karpenter-\S+ anew, which EKS had started with no AWS credentials/)
    expect(await identities()).toEqual(Array(2).fill('AWS_CONTAINER_CREDENTIALS_FULL_URI'))
    await scales('first')
    await checkIsClean(sandbox, podIdentity)
    // More than one a pod: the first ones have ended.
    expect(opened()).toBeGreaterThan(2)
  })

  test('from Pod Identity to IRSA: a check says what an install would do, and writes nothing', async () => {
    const result = await sandbox.run({ ...irsa, mode: 'check' })
    expect(result.log).toContain('make the pod anew')
    expect(await identities()).toEqual(Array(2).fill('AWS_CONTAINER_CREDENTIALS_FULL_URI'))
  })

  test('from Pod Identity to IRSA: the association goes, each pod is made anew, and the role trusts nobody else', async () => {
    const result = succeeded(await sandbox.run(irsa))
    expect(denied(callsOf(sandbox))).toEqual([])
    expect(result.log).toContain('anew, which was started with the credentials of Pod Identity')
    expect(await identities()).toEqual(Array(2).fill('AWS_WEB_IDENTITY_TOKEN_FILE'))
    expect(associations()).toBe(0)
    expect(trust()).toContain('AssumeRoleWithWebIdentity')
    expect(trust()).not.toContain('pods.eks.amazonaws.com')
    await scales('second')
    await checkIsClean(sandbox, irsa)
  })

  test('auto changes nothing of it, record or not', async () => {
    expect(succeeded(await sandbox.run(inputs)).outputs['changed']).toBe('false')
    await sandbox.kubernetes('DELETE', recordPath)
    const result = succeeded(await sandbox.run(inputs))
    expect(result.log).toContain('Controller identity: irsa (the installed controller has it)')
    // Whatever session of Pod Identity there was has ended.
    await scales('later')
    expect(await identities()).toEqual(Array(2).fill('AWS_WEB_IDENTITY_TOKEN_FILE'))
    expect(associations()).toBe(0)
  })

  test('from IRSA to Pod Identity: each pod is made anew, and the role trusts nobody else', async () => {
    const result = succeeded(await sandbox.run(podIdentity))
    expect(result.log).toContain('anew, which was started with the credentials of IRSA')
    expect(await identities()).toEqual(Array(2).fill('AWS_CONTAINER_CREDENTIALS_FULL_URI'))
    expect(trust()).not.toContain('AssumeRoleWithWebIdentity')
    await scales('third')
    await checkIsClean(sandbox, podIdentity)
  })

  test('an uninstall leaves nothing', async () => {
    hold(sandbox, await publishedStatements(sandbox, 'uninstall'))
    const result = succeeded(await compared(sandbox, await sandbox.run({ mode: 'uninstall', timeout: '5m' })))
    expect(result.outputs['leftovers']).toBe('[]')
    expect(associations()).toBe(0)
  })
})
