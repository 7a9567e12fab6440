import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { createAuthority } from '../sandbox/certificates.js'
import { newest, startSandbox, type Sandbox } from '../sandbox/index.js'
import { startMutatingWebhook } from '../sandbox/nodes/mutating-webhook.js'
import { list, record, text } from '../sandbox/values.js'
import { check, checkIsClean } from './clean-check.js'
import { at, find, paths, succeeded } from './scenario.js'

const inputs = { 'karpenter-version': newest, 'controller-identity': 'irsa', 'smoke-test': 'false' }
const configuration = 'mirror'
const by = `MutatingWebhookConfiguration ${configuration}`
const nodePool = `${paths.nodePools}/default`
const deployment = '/apis/apps/v1/namespaces/karpenter/deployments/karpenter'

let sandbox: Sandbox
let webhook: { stop(): Promise<void> }

beforeAll(async () => {
  sandbox = await startSandbox({ name: 'green', region: 'eu-west-1', kubernetesVersion: '1.34' })
  const { kubernetes } = sandbox
  webhook = await startMutatingWebhook({
    api: {
      request: async ({ method, path, body, contentType }) => {
        const answer = await kubernetes(method, path, body, contentType)
        return { status: answer.status, body: record(answer.body) }
      }
    },
    authority: await createAuthority('policies'),
    configuration,
    name: 'mirror.example.com',
    rules: [
      {
        apiGroups: ['apps', 'karpenter.sh'],
        apiVersions: ['v1'],
        operations: ['CREATE', 'UPDATE'],
        resources: ['deployments', 'nodepools']
      }
    ],
    patch: async (object, namespace) =>
      object['kind'] === 'NodePool' ? capped(object) : namespace === 'karpenter' ? mirrored(object) : []
  })
})
afterAll(async () => {
  await webhook.stop()
  await sandbox.stop()
})

/** A policy for which an image is its tag, as image mirrors without digests have it. */
function mirrored(object: Readonly<Record<string, unknown>>): readonly object[] {
  return list(at(object, 'spec', 'template', 'spec', 'containers')).flatMap((container, index) => {
    const image = text(at(container, 'image')) ?? ''
    const value = image.replace(/@sha256:[0-9a-f]+$/, '')
    return value === image
      ? []
      : [{ op: 'replace', path: `/spec/template/spec/containers/${index}/image`, value }]
  })
}

/** A policy of the cluster's owner: no NodePool beyond so many CPUs. */
function capped(object: Readonly<Record<string, unknown>>): readonly object[] {
  return at(object, 'spec', 'limits', 'cpu') === '7'
    ? []
    : [{ op: 'add', path: '/spec/limits', value: { ...record(at(object, 'spec', 'limits')), cpu: '7' } }]
}

async function images(): Promise<readonly string[]> {
  const live = await find(sandbox, deployment)
  return list(at(live, 'spec', 'template', 'spec', 'containers')).map((one) => text(at(one, 'image')) ?? '')
}

test('an install says what the cluster made of what it wrote, and who did it', async () => {
  const result = succeeded(await sandbox.run(inputs))
  expect(result.outputs['changed']).toBe('true')
  const warnings = result.annotations
    .filter(({ message }) => message.includes(by))
    .map(({ message }) => message)
  expect(warnings.toSorted()).toEqual([
    expect.stringMatching(
      /^Helm release karpenter: Deployment\/karpenter\.spec\.template\.spec\.containers\[controller\]\.image is "public\.ecr\.aws\/karpenter\/controller:[\d.]+", not /
    ),
    expect.stringMatching(/^NodePool default: spec\.limits\.cpu is "7", not /)
  ])
  expect((await images())[0]).not.toContain('@sha256:')
})

test('a second install changes nothing, and says that it does not', async () => {
  const { revision } = await release()
  const result = succeeded(await sandbox.run(inputs))
  expect(result.outputs['changed']).toBe('false')
  expect(result.log).toContain(`${by} keeps it so, and no install changes that`)
  expect(await release()).toEqual({ revision })
})

test('a check is clean', async () => {
  await checkIsClean(sandbox, inputs)
})

test('an upgrade of the values does not say that it put the image back', async () => {
  const result = succeeded(await sandbox.run({ ...inputs, 'helm-values': 'logLevel: debug' }))
  expect(result.outputs['changed']).toBe('true')
  expect(result.log).not.toMatch(/set Deployment\/karpenter\.spec\.template\.spec\.containers/)
  const again = succeeded(await sandbox.run({ ...inputs, 'helm-values': 'logLevel: debug' }))
  expect(again.outputs['changed']).toBe('false')
})

test('when the policy is gone, a check finds what it left, and an install puts it right', async () => {
  await sandbox.kubernetes(
    'DELETE',
    `/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/${configuration}`
  )
  const now = { ...inputs, 'helm-values': 'logLevel: debug' }
  const { findings } = await check(sandbox, { ...now, 'fail-on': 'unknown' })
  expect(findings.map(({ id, kind }) => `${kind} ${id}`).toSorted()).toEqual([
    'drift helm-release',
    'drift node-pool/default'
  ])
  expect(succeeded(await sandbox.run(now)).outputs['changed']).toBe('true')
  expect((await images())[0]).toContain('@sha256:')
  expect(at(await find(sandbox, nodePool), 'spec', 'limits', 'cpu')).not.toBe('7')
  await checkIsClean(sandbox, now)
})

async function release(): Promise<{ readonly revision: number }> {
  const selector = 'labelSelector=owner%3Dhelm'
  const answer = await sandbox.kubernetes('GET', `/api/v1/namespaces/karpenter/secrets?${selector}`)
  return { revision: list(record(answer.body)['items']).length }
}
