import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import {
  CloudFormationClient,
  DescribeStacksCommand,
  GetTemplateCommand,
  UpdateStackCommand,
  type Tag
} from '@aws-sdk/client-cloudformation'
import { CreateTagsCommand, DeleteTagsCommand, EC2Client } from '@aws-sdk/client-ec2'
import { EKSClient, ListAddonsCommand } from '@aws-sdk/client-eks'
import { EventBridgeClient, ListRulesCommand } from '@aws-sdk/client-eventbridge'
import {
  CreatePolicyVersionCommand,
  DeletePolicyVersionCommand,
  GetPolicyVersionCommand,
  GetRoleCommand,
  IAMClient,
  ListPolicyVersionsCommand,
  UpdateAssumeRolePolicyCommand
} from '@aws-sdk/client-iam'
import { SQSClient } from '@aws-sdk/client-sqs'
import type { Sandbox } from '../sandbox/index.js'
import { list, record } from '../sandbox/values.js'
import { auditor, find, until } from './scenario.js'

export const account = '111122223333'

type Statement = Readonly<Record<string, unknown>>

/** The field manager with which `kubectl edit` writes. */
export const kubectlEdit = 'kubectl-edit'

/** Somebody with every right in account and cluster, who changes things by the APIs that people have. */
export class AnotherHand {
  readonly sandbox: Sandbox
  readonly iam: IAMClient
  readonly ec2: EC2Client
  readonly eks: EKSClient
  readonly sqs: SQSClient
  readonly events: EventBridgeClient
  readonly cloudFormation: CloudFormationClient

  constructor(sandbox: Sandbox) {
    this.sandbox = sandbox
    const options = auditor(sandbox)
    this.iam = new IAMClient(options)
    this.ec2 = new EC2Client(options)
    this.eks = new EKSClient(options)
    this.sqs = new SQSClient({ ...options, useQueueUrlAsEndpoint: false })
    this.events = new EventBridgeClient(options)
    this.cloudFormation = new CloudFormationClient(options)
  }

  get cluster(): string {
    return this.sandbox.name
  }

  get stackName(): string {
    return `Karpenter-${this.cluster}`
  }

  get queueUrl(): string {
    return `${this.sandbox.cloud.url}/${account}/${this.cluster}`
  }

  get subnet(): string {
    return this.sandbox.vpc.subnets[0]?.id ?? ''
  }

  get securityGroup(): string {
    return this.sandbox.vpc.clusterSecurityGroupId
  }

  async tag(id: string, value: string): Promise<void> {
    await this.ec2.send(
      new CreateTagsCommand({ Resources: [id], Tags: [{ Key: 'karpenter.sh/discovery', Value: value }] })
    )
  }

  async untag(id: string): Promise<void> {
    await this.ec2.send(new DeleteTagsCommand({ Resources: [id], Tags: [{ Key: 'karpenter.sh/discovery' }] }))
  }

  /** A new version of a managed policy, as the console saves an edit: of five the oldest makes room. */
  async editPolicy(
    name: string,
    edit: (statements: readonly Statement[]) => readonly Statement[]
  ): Promise<void> {
    const PolicyArn = `arn:aws:iam::${account}:policy/${name}`
    const { Versions = [] } = await this.iam.send(new ListPolicyVersionsCommand({ PolicyArn }))
    const VersionId = Versions.find(({ IsDefaultVersion }) => IsDefaultVersion === true)?.VersionId
    const { PolicyVersion } = await this.iam.send(new GetPolicyVersionCommand({ PolicyArn, VersionId }))
    const document = parsed(decodeURIComponent(PolicyVersion?.Document ?? ''))
    const oldest = Versions.filter(({ IsDefaultVersion }) => IsDefaultVersion !== true).at(-1)
    if (Versions.length === 5 && oldest !== undefined) {
      await this.iam.send(new DeletePolicyVersionCommand({ PolicyArn, VersionId: oldest.VersionId }))
    }
    await this.iam.send(
      new CreatePolicyVersionCommand({
        PolicyArn,
        PolicyDocument: JSON.stringify({ ...document, Statement: edit(statementsOf(document)) }),
        SetAsDefault: true
      })
    )
  }

  async editTrust(
    RoleName: string,
    edit: (statements: readonly Statement[]) => readonly Statement[]
  ): Promise<void> {
    const { Role } = await this.iam.send(new GetRoleCommand({ RoleName }))
    const document = parsed(decodeURIComponent(Role?.AssumeRolePolicyDocument ?? ''))
    const PolicyDocument = JSON.stringify({ ...document, Statement: edit(statementsOf(document)) })
    await this.iam.send(new UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument }))
  }

  /** Full name of a rule of the stack, whose end CloudFormation makes up. */
  async ruleName(logicalId: string): Promise<string> {
    const { Rules = [] } = await this.events.send(
      new ListRulesCommand({ NamePrefix: `${this.stackName}-${logicalId}` })
    )
    return Rules[0]?.Name ?? logicalId
  }

  async stackTags(): Promise<readonly Tag[]> {
    const { Stacks } = await this.cloudFormation.send(
      new DescribeStacksCommand({ StackName: this.stackName })
    )
    return Stacks?.[0]?.Tags ?? []
  }

  /** An update of the stack that is not ours, to its end. */
  async updateStack(change: {
    readonly template?: (text: string) => string
    readonly tags?: readonly Tag[]
  }): Promise<void> {
    const StackName = this.stackName
    const { TemplateBody = '' } = await this.cloudFormation.send(new GetTemplateCommand({ StackName }))
    await this.cloudFormation.send(
      new UpdateStackCommand({
        StackName,
        Capabilities: ['CAPABILITY_NAMED_IAM'],
        Parameters: [{ ParameterKey: 'ClusterName', UsePreviousValue: true }],
        ...(change.template === undefined
          ? { UsePreviousTemplate: true }
          : { TemplateBody: change.template(TemplateBody) }),
        ...(change.tags !== undefined && { Tags: [...change.tags] })
      })
    )
    await until('the update of the stack by hand', async () => {
      const { Stacks } = await this.cloudFormation.send(new DescribeStacksCommand({ StackName }))
      const status = Stacks?.[0]?.StackStatus ?? ''
      if (/ROLLBACK|FAILED/.test(status)) throw new Error(`${StackName}: ${status}`)
      return status === 'UPDATE_COMPLETE' ? true : undefined
    })
  }

  /** What `kubectl edit` saves, or another program under its own name. A list is a JSON patch. */
  async edit(path: string, change: object, manager: string = kubectlEdit): Promise<void> {
    const type = Array.isArray(change) ? 'application/json-patch+json' : 'application/merge-patch+json'
    await this.#write('PATCH', `${path}?fieldManager=${manager}`, change, type)
  }

  /** The same for lists that are told apart by names: containers, environment. */
  async merge(path: string, change: object, manager: string = kubectlEdit): Promise<void> {
    await this.#write(
      'PATCH',
      `${path}?fieldManager=${manager}`,
      change,
      'application/strategic-merge-patch+json'
    )
  }

  /** Deletes an object and waits until it is gone. */
  async remove(path: string): Promise<void> {
    await this.#write('DELETE', path)
    await until(`${path} to go`, async () =>
      (await find(this.sandbox, path)) === undefined ? true : undefined
    )
  }

  /** Waits until an add-on that is being deleted is gone. */
  async addonGone(addonName: string): Promise<void> {
    await until(`add-on ${addonName} to go`, async () => {
      const { addons = [] } = await this.eks.send(new ListAddonsCommand({ clusterName: this.cluster }))
      return addons.includes(addonName) ? undefined : true
    })
  }

  /** helm as an administrator runs it. */
  async helm(...args: readonly string[]): Promise<void> {
    const { built, controlPlane } = this.sandbox
    await promisify(execFile)(built.helm.binary, [...args, '--namespace', 'karpenter'], {
      env: { PATH: '/usr/bin:/bin', HOME: '/nonexistent', KUBECONFIG: controlPlane.kubeconfigPath }
    })
  }

  close(): void {
    for (const client of [this.iam, this.ec2, this.eks, this.sqs, this.events, this.cloudFormation]) {
      client.destroy()
    }
  }

  async #write(method: 'PATCH' | 'DELETE', path: string, body?: object, type?: string): Promise<void> {
    const { status, body: answer } = await this.sandbox.kubernetes(method, path, body, type)
    if (status >= 300) throw new Error(`${method} ${path}: ${status} ${JSON.stringify(answer)}`)
  }
}

/** Statements with the one of this Sid changed, or without it. */
export function inStatement(
  sid: string,
  change: (statement: Statement) => Statement | undefined
): (statements: readonly Statement[]) => readonly Statement[] {
  return (statements) =>
    statements
      .map((statement) => (statement['Sid'] === sid ? change(statement) : statement))
      .filter((statement) => statement !== undefined)
}

function statementsOf(document: Statement): readonly Statement[] {
  return list(document['Statement']).map(record)
}

function parsed(text: string): Statement {
  const document: unknown = JSON.parse(text)
  return record(document)
}
