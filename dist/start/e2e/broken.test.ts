import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreatePolicyCommand, IAMClient } from '@aws-sdk/client-iam'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { dump, load } from 'js-yaml'
import { newest, startSandbox, type Sandbox } from '../sandbox/index.js'
import { record } from '../sandbox/values.js'
import { builtInTemplateText } from '../src/karpenter/template-built-in.js'
import { errorOf, refusedBeforeWriting, writesOf } from './failed-run.js'
import {
  at,
  auditor,
  get,
  launchedByKarpenter,
  listed,
  paths,
  smokeTestObjects,
  succeeded,
  until
} from './scenario.js'

const account = '111122223333'
const inputs = { 'karpenter-version': newest, 'controller-identity': 'irsa', 'smoke-test': 'false' }
const discovery = 'karpenter.sh/discovery'

/** The version's own template without one of its resources. */
function templateWithout(name: string): string {
  const template = record(load(builtInTemplateText(newest)))
  const { [name]: left, ...resources } = record(template['Resources'])
  if (left === undefined) throw new Error(`${name}: not in the template`)
  return dump({ ...template, Resources: resources })
}

/** A trust policy for a service account, as IRSA wants it. */
function trustOf(sandbox: Sandbox, serviceAccount: string): Readonly<Record<string, unknown>> {
  const issuer = sandbox.cloud.eks.cluster(sandbox.name).issuer.replace('https://', '')
  return {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { Federated: `arn:aws:iam::${account}:oidc-provider/${issuer}` },
        Action: 'sts:AssumeRoleWithWebIdentity',
        Condition: {
          StringEquals: {
            [`${issuer}:aud`]: 'sts.amazonaws.com',
            [`${issuer}:sub`]: `system:serviceaccount:${serviceAccount}`
          }
        }
      }
    ]
  }
}

describe('broken on purpose', () => {
  let sandbox: Sandbox
  let folder: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'broken-'))
    sandbox = await startSandbox({
      name: 'green',
      region: 'eu-west-1',
      kubernetesVersion: '1.34',
      runner: 'kept'
    })
  })
  afterAll(async () => {
    await sandbox.stop()
    await rm(folder, { recursive: true, force: true })
  })

  /** Runs while the scene is set, and puts everything back. */
  async function during<T>(
    set: () => Promise<unknown>,
    back: () => Promise<unknown>,
    run: () => Promise<T>
  ): Promise<T> {
    sandbox.cloud.clearCalls()
    await set()
    try {
      return await run()
    } finally {
      await back()
    }
  }

  describe('is refused before the first write', () => {
    test('a template whose stack lacks a policy', async () => {
      const template = join(folder, 'without-interruption.yaml')
      await writeFile(template, templateWithout('InterruptionPolicy'))
      sandbox.cloud.clearCalls()
      const result = await sandbox.run({ ...inputs, template })
      await refusedBeforeWriting(sandbox, result, [
        /^setup-karpenter: template: no policy of the stack allows sqs:DeleteMessage.*sqs:ReceiveMessage/,
        `which the controller of Karpenter ${newest} calls`,
        'Add the statement to the template, or pass `template: upstream` or `built-in`.'
      ])
    })

    test('a controller role of that name which trusts another namespace', async () => {
      const result = await during(
        async () =>
          sandbox.cloud.iam.putRole({
            name: 'green-karpenter',
            trust: trustOf(sandbox, 'kube-system:karpenter')
          }),
        async () => sandbox.cloud.iam.roles.delete('green-karpenter'),
        async () => sandbox.run(inputs)
      )
      await refusedBeforeWriting(sandbox, result, [
        /^setup-karpenter: controller-role-name: the role green-karpenter exists, was not made by this action/,
        'does not trust service account karpenter/karpenter (IRSA)',
        'Pass another `controller-role-name`, or add this statement to its trust policy yourself:',
        '"system:serviceaccount:karpenter:karpenter"'
      ])
    })

    test('a queue that is not there', async () => {
      sandbox.cloud.clearCalls()
      const result = await sandbox.run({ ...inputs, 'interruption-queue': 'Karpenter-green' })
      await refusedBeforeWriting(sandbox, result, [
        /^setup-karpenter: interruption-queue: there is no queue "Karpenter-green" in eu-west-1/,
        'Pass `interruption-queue: stack` for the queue that the stack makes (green)'
      ])
    })

    test('subnets by a tag that none has', async () => {
      sandbox.cloud.clearCalls()
      const result = await sandbox.run({ ...inputs, subnets: 'tag:karpenter.sh/discovery=green' })
      await refusedBeforeWriting(sandbox, result, [
        `setup-karpenter: subnets: none in ${sandbox.vpc.id} is tagged karpenter.sh/discovery=green`,
        "Pass `subnets: cluster`, or ids of subnets of the cluster's VPC."
      ])
    })

    test('a subnet that is tagged for another cluster', async () => {
      const [taken, ...others] = sandbox.vpc.subnets.map(({ id }) => id).toSorted()
      const tag = { ResourceId: [taken], Tag: [{ Key: discovery, Value: 'blue' }] }
      const result = await during(
        async () => sandbox.moto.ec2('CreateTags', tag),
        async () => sandbox.moto.ec2('DeleteTags', tag),
        async () => sandbox.run(inputs)
      )
      await refusedBeforeWriting(sandbox, result, [
        `setup-karpenter: subnets: ${taken} is tagged ${discovery}=blue, so cluster "green" cannot have it`,
        'pass `discovery: ids`',
        `pass \`subnets: ${others.join(',')}\``
      ])
    })

    test('one schedulable node for two replicas', async () => {
      const [name] = (await listed(sandbox, paths.nodes)).map((node) => at(node, 'metadata', 'name'))
      const cordon = async (unschedulable: boolean | null) =>
        sandbox.kubernetes('PATCH', `${paths.nodes}/${String(name)}`, { spec: { unschedulable } })
      const result = await during(
        async () => cordon(true),
        async () => cordon(null),
        async () => sandbox.run(inputs)
      )
      await refusedBeforeWriting(sandbox, result, [
        /^setup-karpenter: helm-values: .*2 replicas/,
        `${String(name)}: cordoned`,
        'Add a node',
        '`helm-values: "replicas: 1"`'
      ])
    })

    test('a cluster in Auto Mode', async () => {
      const { clusters } = sandbox.cloud.eks
      const cluster = sandbox.cloud.eks.cluster('green')
      const result = await during(
        async () => clusters.set('green', { ...cluster, autoMode: true }),
        async () => clusters.set('green', cluster),
        async () => sandbox.run(inputs)
      )
      await refusedBeforeWriting(sandbox, result, [
        /^setup-karpenter: cluster-name: green is in EKS Auto Mode, where AWS runs Karpenter for you/,
        'aws eks update-cluster-config --name green --compute-config enabled=false'
      ])
    })

    test('another Karpenter in another namespace', async () => {
      const deployment = {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: {
          name: 'karpenter',
          labels: { 'app.kubernetes.io/name': 'karpenter', 'app.kubernetes.io/version': '1.9.0' },
          annotations: {
            'meta.helm.sh/release-name': 'karpenter',
            'meta.helm.sh/release-namespace': 'kube-system'
          }
        },
        spec: {
          replicas: 0,
          selector: { matchLabels: { app: 'other' } },
          template: {
            metadata: { labels: { app: 'other' } },
            spec: { containers: [{ name: 'controller', image: 'public.ecr.aws/karpenter/controller:1.9.0' }] }
          }
        }
      }
      const path = '/apis/apps/v1/namespaces/kube-system/deployments'
      const result = await during(
        async () => sandbox.kubernetes('POST', path, deployment),
        async () => sandbox.kubernetes('DELETE', `${path}/karpenter`),
        async () => sandbox.run(inputs)
      )
      await refusedBeforeWriting(sandbox, result, [
        /^setup-karpenter: Deployment kube-system\/karpenter: runs Karpenter, and of its helm release kube-system\/karpenter there is no record/,
        'annotation meta.helm.sh/release-name=karpenter',
        'Remove it, or install it from its chart as release "karpenter" first'
      ])
    })

    test('a way for nodes to join that the cluster does not have', async () => {
      const { clusters } = sandbox.cloud.eks
      const cluster = sandbox.cloud.eks.cluster('green')
      const result = await during(
        async () => clusters.set('green', { ...cluster, authenticationMode: 'API' }),
        async () => clusters.set('green', cluster),
        async () => sandbox.run({ ...inputs, 'node-access': 'aws-auth' })
      )
      await refusedBeforeWriting(sandbox, result, [
        /^setup-karpenter: node-access: aws-auth is not read by this cluster: its authentication mode is API/,
        'Pass `node-access: access-entry`, or auto.'
      ])
    })
  })

  describe('is found during the run, which says what was written', () => {
    test('a role whose trust is changed behind it: the controller cannot start, and its last words are shown', async () => {
      const { roles } = sandbox.cloud.iam
      sandbox.cloud.clearCalls()
      const result = await sandbox.run(inputs, {
        onLine: (line) => {
          const role = roles.get('green-karpenter')
          if (!line.includes('created IAM role green-karpenter') || role === undefined) return
          roles.set(role.name, { ...role, trust: JSON.stringify(trustOf(sandbox, 'kube-system:karpenter')) })
        }
      })
      const error = errorOf(result)
      expect(error).toMatch(
        /^setup-karpenter: Deployment karpenter\/karpenter: 0 of 2 pods are available; Pod karpenter-.* crashes again and again\. Its last words:/
      )
      expect(error).toContain('Not authorized to perform sts:AssumeRoleWithWebIdentity')
      expect(error).toContain(
        "The controller role's trust policy does not name this namespace and service account"
      )
      expect(error).toContain('The release is installed')
      expect(error).toContain('These changes were made and stay; running again goes on from here:')
      expect(error).toContain('- created CloudFormation stack Karpenter-green')
      expect(writesOf(sandbox)).toContain('iam:CreateRole')
    })

    test('nodes that may not join: the instance is named, and nothing of the smoke test is left', async () => {
      const { accessEntries } = sandbox.cloud.eks
      const nodeRole = `arn:aws:iam::${account}:role/KarpenterNodeRole-green`
      const result = await sandbox.run(
        { ...inputs, 'smoke-test': 'true', 'smoke-test-timeout': '30' },
        {
          onLine: (line) => {
            // The walk is over: from here on nothing of the run looks after the entry.
            if (line.includes('NodePool default')) accessEntries.delete(`green ${nodeRole}`)
          }
        }
      )
      const error = errorOf(result)
      expect(error).toMatch(
        /^setup-karpenter: smoke test of NodePool default: 0 of 5 pods ran after \d+ s: i-[0-9a-f]+ was launched for NodeClaim .* and never joined the cluster as a node/
      )
      expect(error).toContain('an access entry of type EC2_LINUX')
      expect(error).toContain('These changes were made and stay')
      expect(error).toMatch(
        /- set the trust policy of green-karpenter to service account karpenter\/karpenter/
      )
      // The run deletes its objects; Karpenter itself lets the NodeClaim go when the instance has gone.
      expect((await smokeTestObjects(sandbox)).filter((object) => !object.startsWith('NodeClaim'))).toEqual(
        []
      )
      await until('the smoke test to leave nothing', async () => {
        const states = (await launchedByKarpenter(sandbox)).map(({ state }) => state)
        const gone = states.length > 0 && states.every((state) => state === 'terminated')
        return gone && (await smokeTestObjects(sandbox)).length === 0 ? true : undefined
      })
    })

    test('a permission that the controller is denied: the call that is refused is named', async () => {
      const iam = new IAMClient(auditor(sandbox))
      const { Policy } = await iam.send(
        new CreatePolicyCommand({
          PolicyName: 'no-fleets',
          PolicyDocument: JSON.stringify({
            Version: '2012-10-17',
            Statement: [
              { Effect: 'Allow', Action: '*', Resource: '*' },
              { Effect: 'Deny', Action: 'ec2:CreateFleet', Resource: '*' }
            ]
          })
        })
      )
      const result = await sandbox.run({
        ...inputs,
        'permissions-boundary': Policy?.Arn ?? '',
        'smoke-test': 'true',
        'smoke-test-timeout': '30'
      })
      const error = errorOf(result)
      expect(error).toMatch(
        /smoke test of NodePool default: 0 of 5 pods ran after .* got no instance: Unauthorized: Error creating fleet request: .* permission boundary/
      )
      expect(error).toContain('The controller role lacks what the message names')
      expect(error).toContain('- set the permissions boundary of green-karpenter')
    })
  })

  test('what is put right, the next run finishes', async () => {
    const result = succeeded(await sandbox.run({ ...inputs, 'permissions-boundary': 'none' }))
    expect(result.outputs['changed']).toBe('true')
    const deployment = await get(sandbox, `${paths.deployments}/karpenter`)
    expect(at(deployment, 'status', 'availableReplicas')).toBe(2)
  })
})
