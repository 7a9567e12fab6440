import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation'
import { CreateQueueCommand, DeleteQueueCommand, SQSClient } from '@aws-sdk/client-sqs'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { hold, publishedStatements, type Statement } from '../sandbox/cluster/deployer-policy.js'
import { load } from 'js-yaml'
import { builtInTemplateText } from '../src/karpenter/template-built-in.js'
import { newest, startSandbox, type ActionResult, type Sandbox } from '../sandbox/index.js'
import { record } from '../sandbox/values.js'
import { errorOf, found, refusedBeforeWriting } from './failed-run.js'
import { auditor, callsOf, paths, reportOf } from './scenario.js'

const nobody = { Version: '2012-10-17', Statement: [] }
const inputs = { 'karpenter-version': newest, 'controller-identity': 'irsa', 'smoke-test': 'false' }
/** Refuses by itself, so that what else is found can be looked at without an installation. */
const unknownValue = { 'helm-values': 'replica: 1' }

describe('preflight of others, account and permissions', () => {
  let sandbox: Sandbox

  beforeAll(async () => {
    sandbox = await startSandbox({
      name: 'green',
      region: 'eu-west-1',
      kubernetesVersion: '1.34',
      runner: 'kept'
    })
  })
  afterAll(async () => sandbox.stop())

  async function run(more: Readonly<Record<string, string>> = {}): Promise<ActionResult> {
    sandbox.cloud.clearCalls()
    return sandbox.run({ ...inputs, ...more })
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
        ['/api/v1/namespaces/default/secrets', release],
        [paths.crds, crd],
        ['/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations', webhook]
      ])
      await refusedBeforeWriting(sandbox, result, [
        /validation\.webhook\.karpenter\.sh: .*none of them can be written \(service kube-system\/karpenter, which does not exist; failurePolicy Fail\)/,
        'preflight-allow: old-webhook'
      ])
      expect(found(result)).toEqual([
        'warning another-karpenter',
        'warning another-karpenter',
        'error another-karpenter'
      ])
    })

    test('a Karpenter that is not of helm, and has no role, cannot be taken over', async () => {
      const image = 'mirror.example/karpenter/controller:1.8.6'
      const result = await withObjects([[apps('default', 'deployments'), deployment('scaler', image)]], {
        adopt: 'true'
      })
      await refusedBeforeWriting(sandbox, result, [
        'Deployment default/scaler: runs Karpenter and was not installed by helm',
        'service account default/default: has no IAM role of its own'
      ])
      expect(found(result)).toEqual(['error not-adopted', 'error not-adopted'])
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

    test('a policy that denies a write of each service: all of them, by name, in one error', async () => {
      const published = await publishedStatements(sandbox, 'install')
      const actions = [
        'cloudformation:CreateChangeSet',
        'ec2:CreateTags',
        'eks:CreateAccessEntry',
        'events:PutRule',
        'iam:CreateRole',
        'sqs:CreateQueue'
      ]
      hold(sandbox, [...published, { Effect: 'Deny', Action: actions, Resource: '*' }])
      const result = await run()
      hold(sandbox, published)
      await refusedBeforeWriting(
        sandbox,
        result,
        actions.map((action) => new RegExp(`${action} on arn:aws:\\S+ \\(explicitly denied\\)`))
      )
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
      const sqs = new SQSClient({ ...auditor(sandbox), useQueueUrlAsEndpoint: false })
      await sqs.send(new CreateQueueCommand({ QueueName: 'green' }))
      sandbox.cloud.iam.putRole({
        name: 'KarpenterNodeRole-green',
        trust: nobody
      })
      const result = await run()
      await refusedBeforeWriting(sandbox, result, [
        'SQS queue green: is there already, and there is no stack Karpenter-green that it could be of',
        'IAM role KarpenterNodeRole-green: is there already'
      ])
      sandbox.cloud.iam.roles.delete('KarpenterNodeRole-green')
      const QueueUrl = `https://sqs.eu-west-1.amazonaws.com/${sandbox.accountId}/green`
      await sqs.send(new DeleteQueueCommand({ QueueUrl }))
    })

    test.each([
      [
        'a name that is taken',
        { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'taken' } },
        'ResourceExistenceCheck',
        "Extra (AWS::SQS::Queue): Resource of type 'AWS::SQS::Queue' with identifier 'taken' already exists.",
        'A resource of that name exists outside the stack'
      ],
      [
        'a property that there is not',
        { Type: 'AWS::IAM::Role', Properties: { RoleNaem: 'free', AssumeRolePolicyDocument: nobody } },
        'PropertyValidation',
        'Extra (AWS::IAM::Role): Unsupported property [RoleNaem] (at /Resources/Extra/Properties/RoleNaem)',
        'Correct that property in the template'
      ]
    ])(
      "%s in a template of one's own is named before CloudFormation makes anything, and no empty stack stays",
      async (_what, Extra, validation, named, fix) => {
        const sqs = new SQSClient({ ...auditor(sandbox), useQueueUrlAsEndpoint: false })
        await sqs.send(new CreateQueueCommand({ QueueName: 'taken' }))
        const published = await publishedStatements(sandbox, 'install')
        hold(sandbox, [...published, { Effect: 'Allow', Action: 'sqs:*', Resource: '*' }])
        const folder = await mkdtemp(join(tmpdir(), 'template-'))
        const template = join(folder, 'template.yaml')
        const own = record(load(builtInTemplateText(newest)))
        await writeFile(
          template,
          JSON.stringify({ ...own, Resources: { ...record(own['Resources']), Extra } })
        )
        const result = await run({ template })
        hold(sandbox, published)
        await rm(folder, { recursive: true })
        for (const part of [`[AWS::EarlyValidation::${validation}]`, named, fix]) {
          expect(errorOf(result)).toContain(part)
        }
        const admin = new CloudFormationClient(auditor(sandbox))
        await expect(admin.send(new DescribeStacksCommand({ StackName: 'Karpenter-green' }))).rejects.toThrow(
          'does not exist'
        )
      }
    )
  })
})

function without(statements: readonly Statement[], ...sids: readonly string[]): readonly Statement[] {
  return statements.filter((statement) => !sids.includes(String(statement['Sid'])))
}
