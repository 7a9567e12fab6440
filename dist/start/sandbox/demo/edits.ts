import { CreatePolicyVersionCommand, IAMClient } from '@aws-sdk/client-iam'
import type { Sandbox } from '../index.js'
import { list, record } from '../values.js'

/** One thing that somebody changes behind the installation's back. */
export interface Edit {
  /** For a person. */
  readonly what: string
  make(): Promise<void>
}

/** Three edits that people make: one in the cluster, one in IAM, one in EC2. */
export function otherHand(sandbox: Sandbox): readonly Edit[] {
  const subnet = sandbox.vpc.subnets[0]?.id ?? ''
  return [
    {
      what: 'kubectl edit nodepool default: spec.limits.cpu is 4 now',
      make: async () => {
        const path = '/apis/karpenter.sh/v1/nodepools/default?fieldManager=kubectl-edit'
        await sandbox.kubernetes('PATCH', path, { spec: { limits: { cpu: '4' } } })
      }
    },
    {
      what: 'IAM console: ec2:RunInstances is gone from the node lifecycle policy',
      make: async () => withoutRunInstances(sandbox)
    },
    {
      what: `EC2 console: the tag karpenter.sh/discovery is gone from ${subnet}`,
      make: async () => {
        await sandbox.moto.ec2('DeleteTags', {
          'ResourceId.1': subnet,
          'Tag.1.Key': 'karpenter.sh/discovery'
        })
      }
    }
  ]
}

/** As somebody with rights on IAM, who is nobody of the installation. */
async function withoutRunInstances(sandbox: Sandbox): Promise<void> {
  const role = sandbox.cloud.iam.putRole({
    name: 'somebody',
    trust: { Version: '2012-10-17', Statement: [] },
    inline: {
      all: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'iam:*', Resource: '*' }] }
    }
  })
  const iam = new IAMClient({
    region: sandbox.region,
    endpoint: sandbox.cloud.url,
    credentials: { ...sandbox.cloud.credentialsFor(role.arn, 900) }
  })
  const policy = sandbox.cloud.iam.policies
    .values()
    .find(({ name }) => name === `KarpenterControllerNodeLifecyclePolicy-${sandbox.name}`)
  if (policy === undefined) throw new Error('the demo has no node lifecycle policy to edit')
  const version = policy.versions.find(({ isDefault }) => isDefault)
  const document = record(JSON.parse(version?.document ?? '{}'))
  const statements = list(document['Statement']).map((statement) => {
    const { Action, ...rest } = record(statement)
    const actions = typeof Action === 'string' ? [Action] : list(Action)
    return { ...rest, Action: actions.filter((action) => action !== 'ec2:RunInstances') }
  })
  await iam.send(
    new CreatePolicyVersionCommand({
      PolicyArn: policy.arn,
      PolicyDocument: JSON.stringify({ ...document, Statement: statements }),
      SetAsDefault: true
    })
  )
  iam.destroy()
}
