import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { newest, startSandbox, type ActionResult, type Sandbox } from '../sandbox/index.js'
import { errorOf, found, refusedBeforeWriting, writesOf } from './failed-run.js'
import { find, until } from './scenario.js'
import { withWebhook } from './validating-webhook.js'

const inputs = { 'karpenter-version': newest, 'controller-identity': 'irsa', 'smoke-test': 'false' }
const policies = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies'
const bindings = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings'

describe('what the cluster would not let an install make', () => {
  let sandbox: Sandbox

  beforeAll(async () => {
    sandbox = await startSandbox({ name: 'green', region: 'eu-west-1', kubernetesVersion: '1.34' })
  })
  afterAll(async () => sandbox.stop())
  afterEach(async () => {
    await sandbox.kubernetes('DELETE', `${bindings}/team`)
    await sandbox.kubernetes('DELETE', `${policies}/team`)
    const namespace = '/api/v1/namespaces/karpenter'
    await sandbox.kubernetes('DELETE', namespace)
    await until('the namespace to be gone', async () =>
      (await find(sandbox, namespace)) === undefined ? true : undefined
    )
  })

  async function run(more: Readonly<Record<string, string>> = {}): Promise<ActionResult> {
    sandbox.cloud.clearCalls()
    return sandbox.run({ ...inputs, ...more })
  }

  async function make(path: string, object: object): Promise<void> {
    const { status, body } = await sandbox.kubernetes('POST', path, object)
    if (status !== 201) throw new Error(`${path}: ${status} ${JSON.stringify(body)}`)
  }

  /** A policy that wants a label of objects, as Gatekeeper's and Kyverno's samples do. */
  async function wantTeam(apiGroup: string, resource: string): Promise<void> {
    await make(policies, {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name: 'team' },
      spec: {
        failurePolicy: 'Fail',
        matchConstraints: {
          resourceRules: [
            {
              apiGroups: [apiGroup],
              apiVersions: ['*'],
              operations: ['CREATE', 'UPDATE'],
              resources: [resource]
            }
          ]
        },
        validations: [
          {
            expression: "has(object.metadata.labels) && 'team' in object.metadata.labels",
            message: 'label team is missing'
          }
        ]
      }
    })
    await make(bindings, {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: { name: 'team' },
      spec: { policyName: 'team', validationActions: ['Deny'] }
    })
  }

  /** A policy is in force a moment after it is made. */
  async function inForce(refused: () => Promise<number>): Promise<void> {
    await until('the policy to be in force', async () => ((await refused()) === 201 ? undefined : true))
  }

  test('a policy that refuses the namespace, before the first write', async () => {
    await wantTeam('', 'namespaces')
    await inForce(async () => {
      const probe = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'probe' } }
      return (await sandbox.kubernetes('POST', '/api/v1/namespaces?dryRun=All', probe)).status
    })
    const result = await run()
    await refusedBeforeWriting(sandbox, result, [
      /^setup-karpenter: Namespace karpenter: the cluster will not let it be made: .*refused by ValidatingAdmissionPolicy team/,
      'label team is missing',
      'Leave namespace karpenter out of its binding'
    ])
    expect(found(result)).toEqual(['error admission'])
  })

  test('a policy that refuses Deployments: a warning where the namespace is not there yet', async () => {
    await wantTeam('apps', 'deployments')
    await inForce(async () => {
      const probe = {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'probe' },
        spec: {
          selector: { matchLabels: { a: 'b' } },
          template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'a', image: 'a' }] } }
        }
      }
      const path = '/apis/apps/v1/namespaces/default/deployments?dryRun=All'
      return (await sandbox.kubernetes('POST', path, probe)).status
    })
    const result = await run({ preflight: 'strict' })
    expect(errorOf(result)).toMatch(
      /^setup-karpenter: Deployment karpenter: the cluster may not let it be made: .*refused by ValidatingAdmissionPolicy team/
    )
    expect(found(result)).toContain('warning admission')
    expect(writesOf(sandbox)).toEqual([])
  })

  test("Pod Security and a quota in a namespace that is there, which the chart's pods do not meet", async () => {
    const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' }
    await make('/api/v1/namespaces', {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'karpenter', labels }
    })
    const values = 'podSecurityContext: { seccompProfile: null, fsGroup: 65532 }'
    const refused = await run({ 'helm-values': values })
    expect(errorOf(refused)).toMatch(
      /^setup-karpenter: Pod karpenter-dry-run: .*refused by Pod Security \(restricted\)/
    )
    expect(errorOf(refused)).toContain(
      'kubectl label namespace karpenter pod-security.kubernetes.io/enforce=baseline'
    )
    expect(writesOf(sandbox)).toEqual([])
    await make('/api/v1/namespaces/karpenter/resourcequotas', {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'small' },
      spec: { hard: { 'limits.cpu': '500m', 'limits.memory': '10Gi' } }
    })
    const quota = await run()
    expect(errorOf(quota)).toMatch(
      /^setup-karpenter: Pod karpenter-dry-run: .*refused by ResourceQuota small/
    )
    expect(errorOf(quota)).not.toContain('cluster-admin')
    expect(writesOf(sandbox)).toEqual([])
  })

  test('a LimitRange in a namespace that is there', async () => {
    await make('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'karpenter' } })
    await make('/api/v1/namespaces/karpenter/limitranges', {
      apiVersion: 'v1',
      kind: 'LimitRange',
      metadata: { name: 'small' },
      spec: { limits: [{ type: 'Container', max: { memory: '512Mi' } }] }
    })
    const error = errorOf(await run())
    expect(error).toMatch(
      /^setup-karpenter: Pod karpenter-dry-run: the cluster will not let it be made: .* refused by a LimitRange: .*maximum memory usage per Container is 512Mi, but limit is 1Gi/
    )
    expect(error).toContain('kubectl -n karpenter get limitrange -o yaml')
    expect(writesOf(sandbox)).toEqual([])
  })

  test('a namespace that is being deleted', async () => {
    const path = '/api/v1/namespaces/karpenter'
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'karpenter' } }
    const spec = { finalizers: ['example.com/backup'] }
    await make('/api/v1/namespaces', { ...namespace, spec })
    await sandbox.kubernetes('DELETE', path)
    const error = errorOf(await run())
    await sandbox.kubernetes('PUT', `${path}/finalize`, { ...namespace, spec: { finalizers: [] } })
    expect(error).toMatch(
      /the cluster will not let it be made: .* refused by the deletion of its namespace: .*unable to create new content in namespace karpenter because it is being terminated/
    )
    expect(error).toContain('see what holds it (kubectl get namespace karpenter -o yaml)')
    expect(error).not.toContain('cluster-admin')
    expect(writesOf(sandbox)).toEqual([])
  })

  const crds = { apiGroup: 'apiextensions.k8s.io', resource: 'customresourcedefinitions' }

  test('a webhook that denies', async () => {
    const denies = '[no-new-apis] ask the platform team'
    const result = await withWebhook(sandbox, { answer: { denies }, ...crds }, async () => run())
    const error = errorOf(result)
    expect(error).toMatch(
      /^setup-karpenter: CustomResourceDefinition \S+: the cluster will not let it be made: .*denied the request: \[no-new-apis\] ask the platform team/
    )
    expect(error).toContain('refused by admission webhook "validate.policies.example.com"')
    expect(error).toContain(
      'Make an exception of its policy for what app.kubernetes.io/managed-by=setup-karpenter labels'
    )
    expect(writesOf(sandbox)).toEqual([])
    expect(found(result)).toEqual(['error admission'])
  })

  test('a webhook that is dead', async () => {
    const result = await withWebhook(sandbox, { answer: 'dead', ...crds }, async () => run())
    const error = errorOf(result)
    expect(error).toMatch(
      /^setup-karpenter: CustomResourceDefinition \S+: the cluster will not let it be made: .*failed calling webhook "validate\.policies\.example\.com"/
    )
    expect(error).toContain('webhook "validate.policies.example.com", which does not answer')
    expect(error).toContain('delete its ValidatingWebhookConfiguration')
    expect(error).not.toMatch(/readyz|cluster-admin/)
    expect(writesOf(sandbox)).toEqual([])
  })
})
