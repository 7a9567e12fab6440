import { CreateQueueCommand, SQSClient } from '@aws-sdk/client-sqs'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { dump, load } from 'js-yaml'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hold, publishedStatements } from '../sandbox/cluster/deployer-policy.js'
import { builtRelease, newest, startSandbox, type ActionResult, type Sandbox } from '../sandbox/index.js'
import { packChart } from '../sandbox/published/chart.js'
import { record } from '../sandbox/values.js'
import { builtInTemplateText } from '../src/karpenter/template-built-in.js'
import { errorOf, found, refusedBeforeWriting, writesOf } from './failed-run.js'
import { at, auditor, get, listed, paths, reportOf, succeeded, until } from './scenario.js'

const inputs = { 'karpenter-version': newest, 'controller-identity': 'irsa', 'smoke-test': 'false' }
/** Refuses by itself, so that what else is found can be looked at without an installation. */
const unknownValue = { 'helm-values': 'replica: 1' }

type Kind = Readonly<Record<string, unknown>>

/** NodePools as 1.0 kept them: stored as v1beta1 first, converted by its webhook, and without today's rules. */
const olderNodePools: Kind = {
  conversion: {
    strategy: 'Webhook',
    webhook: {
      conversionReviewVersions: ['v1'],
      clientConfig: { service: { name: 'karpenter', namespace: 'karpenter', port: 8443 } }
    }
  },
  versions: ['v1', 'v1beta1'].map((name) => ({
    name,
    served: name === 'v1',
    storage: name === 'v1',
    subresources: { status: {} },
    schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } }
  }))
}

const nodePoolOf1: Kind = {
  apiVersion: 'karpenter.sh/v1',
  kind: 'NodePool',
  metadata: {
    name: 'old',
    annotations: { 'compatibility.karpenter.sh/v1beta1-kubelet-conversion': '{"maxPods":20}' }
  },
  spec: { template: { spec: { requirements: [], nodeClassRef: { name: 'default' } } } }
}

/** Answered for by a service that is there. */
const webhook: Kind = {
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'ValidatingWebhookConfiguration',
  metadata: { name: 'validation.webhook.config.karpenter.sh' },
  webhooks: [
    {
      name: 'validation.webhook.config.karpenter.sh',
      admissionReviewVersions: ['v1'],
      sideEffects: 'None',
      clientConfig: { service: { name: 'kubernetes', namespace: 'default' } },
      rules: [
        {
          apiGroups: [''],
          apiVersions: ['v1'],
          operations: ['CREATE'],
          resources: ['replicationcontrollers']
        }
      ]
    }
  ]
}

/** The agent, on one node only. */
const agentOn = (node: string): Kind => {
  const labels = { 'app.kubernetes.io/name': 'eks-pod-identity-agent' }
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: 'eks-pod-identity-agent' },
    spec: {
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          nodeSelector: { 'kubernetes.io/hostname': node },
          containers: [{ name: 'agent', image: 'public.ecr.aws/eks/eks-pod-identity-agent:0.1.29' }]
        }
      }
    }
  }
}

const daemonSets = '/apis/apps/v1/namespaces/kube-system/daemonsets'
const webhooks = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations'

describe('preflight of what older versions left, and of what only few clusters have', () => {
  let sandbox: Sandbox
  let folder: string
  const made: string[] = []

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'leftovers-'))
    sandbox = await startSandbox({
      name: 'green',
      region: 'eu-west-1',
      kubernetesVersion: '1.34',
      runner: 'kept'
    })
  })
  afterEach(async () => {
    for (const path of made.splice(0)) {
      await sandbox.kubernetes('DELETE', path)
      await until(`${path} to go`, async () =>
        (await sandbox.kubernetes('GET', path)).status === 404 ? true : undefined
      )
    }
  })
  afterAll(async () => {
    await sandbox.stop()
    await rm(folder, { recursive: true, force: true })
  })

  async function run(more: Readonly<Record<string, string>> = {}): Promise<ActionResult> {
    sandbox.cloud.clearCalls()
    return sandbox.run({ ...inputs, ...more })
  }

  /** Makes it until the end of the test. */
  async function put(path: string, object: Kind): Promise<void> {
    const last: { said: unknown } = { said: undefined }
    await until(`${path} to take it`, async () => {
      const { status, body } = await sandbox.kubernetes('POST', path, object)
      last.said = body
      // The storage of a kind whose CRD has just been made is still being set up, and the schema of one that was changed.
      if (status === 404 || status === 429 || status === 422) return undefined
      if (status !== 201) throw new Error(`${path}: ${status} ${JSON.stringify(body)}`)
      return true
    }).catch((error: unknown) => {
      throw new Error(`${path}: ${JSON.stringify(last.said)}`, { cause: error })
    })
    made.unshift(`${path}/${String(record(object['metadata'])['name'])}`)
  }

  describe('of the identity', () => {
    test('a cluster without OIDC issuer, where the controller is to have its role by IRSA', async () => {
      const { clusters } = sandbox.cloud.eks
      const cluster = sandbox.cloud.eks.cluster('green')
      clusters.set('green', { ...cluster, issuer: '' })
      const result = await run()
      clusters.set('green', cluster)
      await refusedBeforeWriting(sandbox, result, [
        'controller-identity: irsa needs the OIDC issuer of the cluster, and this cluster has none',
        'Pass `controller-identity: pod-identity`.'
      ])
      expect(found(result)).toContain('error identity')
    })

    test('a Pod Identity agent that is Ready on one node of two', async () => {
      const [node, other] = (await listed(sandbox, paths.nodes)).map((one) =>
        String(at(one, 'metadata', 'name'))
      )
      await put(daemonSets, agentOn(node ?? ''))
      await until('the agent to be Ready', async () => {
        const set = await get(sandbox, `${daemonSets}/eks-pod-identity-agent`)
        return at(set, 'status', 'numberReady') === 1 ? true : undefined
      })
      const result = await run({ 'controller-identity': 'pod-identity', preflight: 'strict' })
      await refusedBeforeWriting(sandbox, result, [
        `the Pod Identity agent is not Ready on ${other}, where the controller would get no credentials`
      ])
      expect(found(result)).toEqual(['warning identity'])
    })
  })

  describe('of the stack', () => {
    test('a queue that no rule of the stack leads to, and that the controller may not read', async () => {
      await new SQSClient(auditor(sandbox)).send(new CreateQueueCommand({ QueueName: 'interruptions' }))
      const result = await run({ 'interruption-queue': 'interruptions', preflight: 'strict' })
      await refusedBeforeWriting(sandbox, result, [
        'no rule of the stack leads to "interruptions"',
        'the controller\'s policies allow it to read green, not "interruptions"'
      ])
      expect(found(result)).toEqual(['warning queue', 'warning queue'])
    })

    test('a template without what only features off by default need', async () => {
      const { Resources, ...rest } = record(load(builtInTemplateText(newest)))
      const { ZonalShiftPolicy, ...others } = record(Resources)
      expect(ZonalShiftPolicy).toBeDefined()
      const template = join(folder, 'without-zonal-shift.yaml')
      await writeFile(template, dump({ ...rest, Resources: others }))
      const result = await run({ template, preflight: 'strict' })
      await refusedBeforeWriting(sandbox, result, [/no policy of the stack allows arc-zonal-shift:/])
      expect(found(result)).toEqual(['warning template-policies'])
    })

    test('a resource that may not be read', async () => {
      const published = await publishedStatements(sandbox, 'install')
      hold(
        sandbox,
        published.filter(({ Sid }) => Sid !== 'OidcProvider' && Sid !== 'CheckOwnPermissions')
      )
      const result = await run(unknownValue)
      hold(sandbox, published)
      await refusedBeforeWriting(sandbox, result, [
        /IAM OIDC provider: could not be read: .*iam:GetOpenIDConnectProvider/,
        "Allow the run's role iam:GetOpenIDConnectProvider"
      ])
      expect(found(result)).toContain('error not-ours')
    })
  })

  describe('of the subnets and nodes', () => {
    test('subnets of one zone', async () => {
      const { id, zone } = sandbox.vpc.subnets.find((subnet) => subnet.public) ?? { id: '', zone: '' }
      const result = await run({ subnets: id, preflight: 'strict' })
      await refusedBeforeWriting(sandbox, result, [
        `subnets: all of them are in ${zone}: nodes have no second availability zone to go to`
      ])
      expect(found(result)).toEqual(['warning subnet-tags-conflict'])
    })
  })

  describe('where this action has installed Karpenter, and somebody changed it', () => {
    const controller = `${paths.deployments}/karpenter`

    beforeAll(async () => {
      succeeded(await run())
      await sandbox.kubernetes('PATCH', controller, { spec: { replicas: 0 } })
    })

    /** The version that the controller's chart says it is of. */
    async function runs(of: string): Promise<void> {
      const labels = { 'app.kubernetes.io/version': of }
      const { status } = await sandbox.kubernetes('PATCH', controller, { metadata: { labels } })
      expect(status).toBe(200)
    }

    /** The error of a run that wrote nothing to AWS. */
    async function refused(more: Readonly<Record<string, string>> = {}): Promise<ActionResult> {
      const result = await run(more)
      expect(errorOf(result)).toContain('Nothing was changed.')
      expect(writesOf(sandbox)).toEqual([])
      return result
    }

    test('another controller beside it', async () => {
      await put('/apis/apps/v1/namespaces/default/deployments', {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'scaler' },
        spec: {
          replicas: 0,
          selector: { matchLabels: { app: 'x' } },
          template: {
            metadata: { labels: { app: 'x' } },
            spec: { containers: [{ name: 'main', image: 'mirror.example/karpenter/controller:1.8.6' }] }
          }
        }
      })
      const result = await refused()
      expect(errorOf(result)).toContain(
        'Karpenter 1.8.6 is already installed in namespace default (Deployment default/scaler, not installed by helm)'
      )
      expect(found(result)).toContain('error another-karpenter')
    })

    test.each([
      [
        '0.36.2',
        new RegExp(
          String.raw`${newest} cannot follow 0\.36\.2 at once: its objects must be brought to v1beta1 and v1 first`
        )
      ],
      [
        '0.37.8',
        new RegExp(
          String.raw`${newest} serves v1 only, and 0\.37\.8 keeps its objects as v1beta1[^]*Install 1\.0\.14 first`
        )
      ]
    ])('a controller of %s, which the newest cannot follow', async (version, problem) => {
      await runs(version)
      const result = await refused()
      expect(errorOf(result)).toMatch(problem)
      expect(found(result)).toContain('error version-pair')
    })

    test('what 1.0 leaves: objects stored as v1beta1, its webhooks, kubelet settings, references that lack something', async () => {
      await runs('1.0.8')
      const crd = `${paths.crds}/nodepools.karpenter.sh`
      await sandbox.kubernetes('PATCH', crd, { spec: olderNodePools })
      await put(paths.nodePools, nodePoolOf1)
      await sandbox.kubernetes('PATCH', `${crd}/status`, { status: { storedVersions: ['v1beta1', 'v1'] } })
      await put(webhooks, webhook)
      const result = await refused({ 'helm-values': 'replicas: 1' })
      const error = errorOf(result)
      expect(error).toContain(`still has objects stored as v1beta1, which Karpenter ${newest} does not have`)
      expect(error).toContain(`its nodeClassRef lacks group or kind, which Karpenter ${newest} asks for`)
      const problem = (level: string, check: string, text: string): unknown =>
        expect.objectContaining({ level, check, problem: expect.stringContaining(text) })
      expect(reportOf(result)['preflight']).toEqual(
        expect.arrayContaining([
          problem(
            'warning',
            'another-karpenter',
            `converts by a webhook that Karpenter ${newest} does not have`
          ),
          problem('warning', 'another-karpenter', 'is of Karpenter 1.0 or older and still judges'),
          problem('warning', 'v1beta1-remains', `in an annotation, which Karpenter ${newest} does not read`),
          problem('warning', 'rolling-update', `no controller runs while ${newest} starts in place of 1.0.8`)
        ])
      )

      const chart = join(folder, 'karpenter-1.5.0.tgz')
      await writeFile(chart, (await packChart('1.5.0', builtRelease(sandbox.built, newest), folder)).archive)
      const earlier = await refused({ 'karpenter-version': '1.5.0', template: 'built-in', chart })
      expect(errorOf(earlier)).toContain(
        'its kubelet settings are in an annotation, with which Karpenter 1.5.0 ends at its start'
      )
    })
  })
})

describe('preflight of a long name', () => {
  test('policies that come to more than IAM takes', async () => {
    const name = `production-${'x'.repeat(60)}`
    const folder = await mkdtemp(join(tmpdir(), 'long-'))
    const sandbox = await startSandbox({
      name,
      region: 'eu-west-1',
      kubernetesVersion: '1.34',
      runner: 'kept'
    })
    try {
      const chart = join(folder, 'karpenter-1.8.6.tgz')
      await writeFile(chart, (await packChart('1.8.6', builtRelease(sandbox.built, newest), folder)).archive)
      sandbox.cloud.clearCalls()
      const result = await sandbox.run({
        ...inputs,
        'karpenter-version': '1.8.6',
        'controller-role-name': 'karpenter-controller',
        'node-role-name': 'karpenter-nodes',
        template: 'built-in',
        chart
      })
      await refusedBeforeWriting(sandbox, result, [
        /policy KarpenterControllerPolicy-production-x+ of Karpenter 1\.8\.6 comes to \d+ characters, and IAM takes 6144/,
        /characters is the longest name that fits here/,
        'Take `karpenter-version` 1.9.0 or later'
      ])
      expect(found(result)).toContain('error names-and-policy-size')
    } finally {
      await sandbox.stop()
      await rm(folder, { recursive: true, force: true })
    }
  })
})
