import { CreateQueueCommand, SQSClient } from '@aws-sdk/client-sqs'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Cluster } from '../sandbox/cloud/eks/state.js'
import { hold, publishedStatements, type Statement } from '../sandbox/cluster/deployer-policy.js'
import { startSandbox, type ActionResult, type Sandbox } from '../sandbox/index.js'
import { listen } from '../sandbox/listen.js'
import { packChart } from '../sandbox/published/chart.js'
import { list, record } from '../sandbox/values.js'
import { errorOf, refusedBeforeWriting } from './failed-run.js'
import { auditor, callsOf, get, paths, reportOf } from './scenario.js'

const inputs = { 'karpenter-version': '1.14.0', 'controller-identity': 'irsa', 'smoke-test': 'false' }
/** Refuses by itself, so that what else is found can be looked at without an installation. */
const unknownValue = { 'helm-values': 'replica: 1' }

/** `error version-pair` of each finding in the report. */
function found(result: ActionResult): readonly string[] {
  return list(reportOf(result)['preflight'])
    .map(record)
    .map((finding) => `${String(finding['level'])} ${String(finding['check'])}`)
}

function nodeClasses(...specs: readonly Readonly<Record<string, unknown>>[]): string {
  const selector = [{ tags: { 'karpenter.sh/discovery': 'green' } }]
  const manifests = specs.map((spec, index) => ({
    apiVersion: 'karpenter.k8s.aws/v1',
    kind: 'EC2NodeClass',
    metadata: { name: `class-${index}` },
    spec: {
      role: 'KarpenterNodeRole-green',
      subnetSelectorTerms: selector,
      securityGroupSelectorTerms: selector,
      ...spec
    }
  }))
  return manifests.map((manifest) => `---\n${JSON.stringify(manifest)}\n`).join('')
}

const withAliases = (...aliases: readonly string[]): string =>
  nodeClasses(...aliases.map((alias) => ({ amiSelectorTerms: [{ alias }] })))

describe('preflight', () => {
  let sandbox: Sandbox
  let folder: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'preflight-'))
    sandbox = await startSandbox({ name: 'green', region: 'eu-west-1', kubernetesVersion: '1.34' })
  })
  afterAll(async () => {
    await sandbox.stop()
    await rm(folder, { recursive: true, force: true })
  })

  async function run(more: Readonly<Record<string, string>> = {}): Promise<ActionResult> {
    sandbox.cloud.clearCalls()
    return sandbox.run({ ...inputs, ...more })
  }

  /** Runs with the cluster changed as EKS has it. */
  async function withCluster(
    change: (cluster: Cluster) => Cluster,
    more: Readonly<Record<string, string>> = {}
  ): Promise<ActionResult> {
    const { clusters } = sandbox.cloud.eks
    const cluster = sandbox.cloud.eks.cluster('green')
    clusters.set('green', change(cluster))
    try {
      return await run(more)
    } finally {
      clusters.set('green', cluster)
    }
  }

  /** Runs while these objects are there: path of the collection, and the object. */
  async function withObjects(
    objects: readonly (readonly [string, Readonly<Record<string, unknown>>])[],
    more: Readonly<Record<string, string>> = {}
  ): Promise<ActionResult> {
    const made: string[] = []
    try {
      for (const [path, object] of objects) {
        const { status, body } = await sandbox.kubernetes('POST', path, object)
        if (status !== 201) throw new Error(`${path}: ${status} ${JSON.stringify(body)}`)
        made.unshift(`${path}/${String(record(object['metadata'])['name'])}`)
      }
      return await run(more)
    } finally {
      for (const path of made) await sandbox.kubernetes('DELETE', path)
    }
  }

  describe('of the cluster', () => {
    test('one that has failed', async () => {
      const result = await withCluster((cluster) => ({ ...cluster, status: 'FAILED' }))
      await refusedBeforeWriting(sandbox, result, [
        /^setup-karpenter: cluster-name: green is FAILED, not ACTIVE/
      ])
      expect(found(result)).toEqual(['error cluster-active'])
    })

    test('one that is being updated: a warning, which only `strict` refuses', async () => {
      const updating = (cluster: Cluster): Cluster => ({ ...cluster, status: 'UPDATING' })
      const strict = await withCluster(updating, { preflight: 'strict' })
      await refusedBeforeWriting(sandbox, strict, [
        /^setup-karpenter: cluster-name: green is being updated/,
        'Warnings refuse because of `preflight: strict`.'
      ])
      const off = await withCluster(updating, { preflight: 'off', ...unknownValue })
      await refusedBeforeWriting(sandbox, off, ['replica: '])
      expect(found(off)).toEqual(['note cluster-active', 'error chart-values'])
    })

    test('one that is being made has no endpoint to be asked', async () => {
      const result = await withCluster(({ endpoint: _none, ...cluster }) => cluster)
      await refusedBeforeWriting(sandbox, result, [
        /^setup-karpenter: cluster-name: green is CREATING, not ACTIVE/
      ])
    })

    test('a private endpoint that this runner does not reach, within seconds', async () => {
      const silent = await listen(createServer(() => undefined))
      try {
        const result = await withCluster((cluster) => ({
          ...cluster,
          endpoint: `https://127.0.0.1:${silent.port}`,
          autoMode: true,
          endpointAccess: { publicly: false, privately: true, cidrs: [] }
        }))
        await refusedBeforeWriting(sandbox, result, [
          'the API server of this cluster has a private endpoint only, which this runner does not reach',
          'does not answer within 5 s; eks:DescribeCluster: endpointPublicAccess false, endpointPrivateAccess true',
          'aws eks update-cluster-config --name green --resources-vpc-config endpointPublicAccess=true',
          'green is in EKS Auto Mode'
        ])
        expect(found(result)).toEqual(['error cluster-endpoint', 'error auto-mode'])
        expect(result.milliseconds).toBeLessThan(8_000)
      } finally {
        await silent.close()
      }
    })

    test('an endpoint that takes requests from other addresses only', async () => {
      const { port, close } = await listen(createServer())
      await close()
      const result = await withCluster((cluster) => ({
        ...cluster,
        endpoint: `https://127.0.0.1:${port}`,
        endpointAccess: { publicly: true, privately: true, cidrs: ['203.0.113.0/24'] }
      }))
      await refusedBeforeWriting(sandbox, result, [
        "takes requests from certain addresses only, and this runner's is not among them",
        'publicAccessCidrs=203.0.113.0/24,<runner CIDR>'
      ])
    })
  })

  describe('of the version', () => {
    test('a pair that is not in the matrix, which can be allowed', async () => {
      const older = { 'karpenter-version': '1.2.1', ...unknownValue }
      const result = await run(older)
      await refusedBeforeWriting(sandbox, result, [
        'karpenter-version: 1.2.1 does not support Kubernetes 1.34',
        'Pass `karpenter-version` as one of 1.14.1',
        'To go on all the same, pass `preflight-allow: version-pair`'
      ])
      const allowed = await run({ ...older, 'preflight-allow': 'version-pair' })
      await refusedBeforeWriting(sandbox, allowed, [/^setup-karpenter: helm-values: replica: /])
      expect(found(allowed)).toEqual(['warning version-pair', 'error chart-values'])
      expect(reportOf(allowed)['preflight']).toContainEqual(
        expect.objectContaining({ check: 'version-pair', overridden: true })
      )
    })

    test.each([
      ['1.8.0', 'warn', /1\.8\.0 is broken: its chart renders an empty feature gate.*upstream issue 8608/],
      ['1.8.4', 'strict', /1\.8\.4 is better skipped: it has a regression in topology spread/]
    ])('release %s, with the one to take', async (version, preflight, problem) => {
      const source = sandbox.built.karpenter['1.14.0']
      const chart = join(folder, `karpenter-${version}.tgz`)
      await writeFile(chart, (await packChart(version, source, folder)).archive)
      const result = await run({ 'karpenter-version': version, template: 'built-in', chart, preflight })
      await refusedBeforeWriting(sandbox, result, [problem, 'Pass `karpenter-version: 1.8.6`.'])
    })
  })

  describe('of the node classes', () => {
    test('images that there are none of, each said once', async () => {
      const result = await run({
        'node-pools': withAliases(
          'al2@latest',
          'al2023@v20200101',
          'bottlerocket@v9.9.9',
          'windows2022@latest'
        )
      })
      await refusedBeforeWriting(sandbox, result, [
        'class-0: alias al2@latest: AWS publishes no AL2 images for Kubernetes 1.34',
        'class-1: alias al2023@v20200101: AWS has published no such image for Kubernetes 1.34',
        'class-2: alias bottlerocket@v9.9.9: AWS has published no such image for Kubernetes 1.34'
      ])
    })

    test('a pinned release that is there is taken', async () => {
      const result = await run({
        'node-pools': withAliases('al2023@v20260915', 'bottlerocket@v1.52.0'),
        ...unknownValue
      })
      expect(errorOf(result)).toMatch(/^setup-karpenter: helm-values/)
      expect(found(result)).toEqual(['error chart-values'])
    })

    test('without permission to read them a pinned release is only noted', async () => {
      const published = await publishedStatements(sandbox, 'install')
      hold(sandbox, without(published, 'PinnedImages'))
      const result = await run({ 'node-pools': withAliases('al2023@v20200101'), ...unknownValue })
      hold(sandbox, published)
      expect(errorOf(result)).toMatch(/^setup-karpenter: helm-values/)
      expect(found(result)).toEqual(['note ami-alias', 'error chart-values'])
    })

    test('a role that is an ARN', async () => {
      const alias = [{ alias: 'al2023@latest' }]
      const role = 'arn:aws:iam::111122223333:role/nodes'
      const result = await run({ 'node-pools': nodeClasses({ role, amiSelectorTerms: alias }) })
      await refusedBeforeWriting(sandbox, result, [`spec.role "${role}" is no name for an IAM role`])
    })
  })

  describe('of others in the cluster', () => {
    const apps = (namespace: string, kind: string): string => `/apis/apps/v1/namespaces/${namespace}/${kind}`
    const template = (image: string, args: readonly string[] = []) => ({
      metadata: { labels: { app: 'x' } },
      spec: { containers: [{ name: 'main', image, args }] }
    })
    const deployment = (name: string, image: string, args: readonly string[] = []) => ({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name },
      spec: { replicas: 1, selector: { matchLabels: { app: 'x' } }, template: template(image, args) }
    })

    test('whatever an older Karpenter and its releases left, all in one report', async () => {
      const crd = {
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        metadata: { name: 'provisioners.karpenter.sh' },
        spec: {
          group: 'karpenter.sh',
          scope: 'Cluster',
          names: { kind: 'Provisioner', plural: 'provisioners', singular: 'provisioner' },
          versions: [
            {
              name: 'v1alpha5',
              served: true,
              storage: true,
              schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } }
            }
          ]
        }
      }
      const webhook = {
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'ValidatingWebhookConfiguration',
        metadata: { name: 'validation.webhook.karpenter.sh' },
        webhooks: [
          {
            name: 'validation.webhook.karpenter.sh',
            admissionReviewVersions: ['v1'],
            sideEffects: 'None',
            failurePolicy: 'Fail',
            clientConfig: { service: { name: 'karpenter', namespace: 'kube-system' } },
            rules: [
              {
                apiGroups: ['karpenter.sh'],
                apiVersions: ['v1'],
                operations: ['*'],
                resources: ['nodepools']
              }
            ]
          }
        ]
      }
      const release = {
        apiVersion: 'v1',
        kind: 'Secret',
        type: 'helm.sh/release.v1',
        metadata: {
          name: 'sh.helm.release.v1.karpenter-crd.v1',
          labels: { owner: 'helm', name: 'karpenter-crd', status: 'deployed', version: '1' }
        }
      }
      const result = await withObjects([
        [apps('default', 'deployments'), deployment('scaler', 'mirror.example/karpenter/controller:1.8.6')],
        ['/api/v1/namespaces/default/secrets', release],
        [paths.crds, crd],
        ['/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations', webhook]
      ])
      await refusedBeforeWriting(sandbox, result, [
        'Karpenter 1.8.6 is already installed in namespace default (Deployment default/scaler, not installed by helm)',
        /validation\.webhook\.karpenter\.sh: .*none of them can be written \(service kube-system\/karpenter, which does not exist; failurePolicy Fail\)/,
        'preflight-allow: old-webhook'
      ])
      expect(found(result)).toEqual([
        'error another-karpenter',
        'warning another-karpenter',
        'warning another-karpenter',
        'error another-karpenter'
      ])
    })

    test('Cluster Autoscaler, which is a warning', async () => {
      const args = ['--node-group-auto-discovery=asg:tag=k8s.io/cluster-autoscaler/green']
      const image = 'registry.k8s.io/autoscaling/cluster-autoscaler:v1.34.0'
      const result = await withObjects(
        [[apps('kube-system', 'deployments'), deployment('cluster-autoscaler', image, args)]],
        { preflight: 'strict' }
      )
      await refusedBeforeWriting(sandbox, result, [
        /^setup-karpenter: Deployment kube-system\/cluster-autoscaler: Cluster Autoscaler runs as well/,
        String(args[0])
      ])
    })

    test('a Pod Identity agent that runs on no node', async () => {
      const agent = {
        apiVersion: 'apps/v1',
        kind: 'DaemonSet',
        metadata: { name: 'eks-pod-identity-agent' },
        spec: {
          selector: { matchLabels: { app: 'x' } },
          template: {
            ...template('agent'),
            spec: { ...template('agent').spec, nodeSelector: { no: 'where' } }
          }
        }
      }
      const result = await withObjects([[apps('kube-system', 'daemonsets'), agent]], {
        'controller-identity': 'pod-identity'
      })
      await refusedBeforeWriting(sandbox, result, [
        'the Pod Identity agent is Ready on no node that can run the controller',
        'DaemonSet kube-system/eks-pod-identity-agent: 0 of 0 pods are Ready',
        'preflight-allow: pod-identity-agent'
      ])
      await expect(
        get(sandbox, `${apps('kube-system', 'daemonsets')}/eks-pod-identity-agent`)
      ).rejects.toThrow()
    })
  })

  describe('of the permissions', () => {
    test('everything that the role lacks, at once', async () => {
      const published = await publishedStatements(sandbox, 'install')
      hold(sandbox, without(published, 'Rules', 'StackRules', 'TagForDiscovery', 'ControllerRolePolicies'))
      const result = await run()
      hold(sandbox, published)
      await refusedBeforeWriting(sandbox, result, [
        /^setup-karpenter: permissions: arn:aws:iam::111122223333:role\/karpenter-deployer may not do all that is planned:$/m,
        'ec2:CreateTags on arn:aws:ec2:eu-west-1:111122223333:subnet/subnet-',
        'iam:AttachRolePolicy on arn:aws:iam::111122223333:role/green-karpenter',
        /events:PutRule on arn:aws:events:eu-west-1:111122223333:rule\/Karpenter-green-/,
        'docs/permissions/install.json',
        'preflight-allow: permissions'
      ])
      const asked = callsOf(sandbox).filter(({ action }) => action === 'SimulatePrincipalPolicy')
      expect(asked.length).toBeGreaterThan(0)
      expect(asked.length).toBeLessThanOrEqual(8)
    })

    test('a policy that denies: it is said so', async () => {
      const published = await publishedStatements(sandbox, 'install')
      const deny = { Effect: 'Deny', Action: 'sqs:CreateQueue', Resource: '*' }
      hold(sandbox, [...published, deny])
      const result = await run()
      hold(sandbox, published)
      await refusedBeforeWriting(sandbox, result, [
        'sqs:CreateQueue on arn:aws:sqs:eu-west-1:111122223333:green (explicitly denied)'
      ])
    })

    test('a role that may not simulate is noted, and nothing is refused for it', async () => {
      const published = await publishedStatements(sandbox, 'install')
      hold(sandbox, without(published, 'CheckOwnPermissions', 'TagForDiscovery'))
      const result = await run(unknownValue)
      hold(sandbox, published)
      await refusedBeforeWriting(sandbox, result, [/^setup-karpenter: helm-values: replica: /])
      expect(found(result)).toEqual(['note permissions', 'error chart-values'])
      expect(reportOf(result)['preflight']).toContainEqual(
        expect.objectContaining({
          check: 'permissions',
          problem: expect.stringContaining("the run's role may not call iam:SimulatePrincipalPolicy")
        })
      )
    })
  })

  // Last: a queue's name is taken for a minute after the queue has gone.
  describe('of the account', () => {
    test('a queue and a node role of those names, without a stack that they could be of', async () => {
      const sqs = new SQSClient(auditor(sandbox))
      await sqs.send(new CreateQueueCommand({ QueueName: 'green' }))
      sandbox.cloud.iam.putRole({
        name: 'KarpenterNodeRole-green',
        trust: { Version: '2012-10-17', Statement: [] }
      })
      const result = await run()
      await refusedBeforeWriting(sandbox, result, [
        'SQS queue green: is there already, and there is no stack Karpenter-green that it could be of',
        'IAM role KarpenterNodeRole-green: is there already'
      ])
    })
  })
})

function without(statements: readonly Statement[], ...sids: readonly string[]): readonly Statement[] {
  return statements.filter((statement) => !sids.includes(String(statement['Sid'])))
}
