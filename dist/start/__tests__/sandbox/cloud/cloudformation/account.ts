import { cloudFormation } from '../../../../sandbox/cloud/cloudformation/index.js'
import type { Invoke } from '../../../../sandbox/cloud/cloudformation/invoke.js'
import { isRecord, type Input } from '../../../../sandbox/cloud/input.js'
import { AwsError, type AwsCall, type Caller, type Service } from '../../../../sandbox/cloud/service.js'

const caller: Caller = {
  arn: 'arn:aws:sts::111122223333:assumed-role/deployer/session',
  accountId: '111122223333',
  userId: 'AROAEXAMPLE:session',
  roleArn: 'arn:aws:iam::111122223333:role/deployer',
  expiresAt: Number.MAX_SAFE_INTEGER
}

/** As much of IAM, SQS and EventBridge as the handlers of stacks call, in memory. */
export class Account {
  readonly calls: string[] = []
  readonly roles = new Map<string, { attached: Set<string>; trust: string; tags: unknown }>()
  readonly policies = new Map<string, string[]>()
  /** Roles by the profile's name. */
  readonly instanceProfiles = new Map<string, Set<string>>()
  readonly queues = new Map<string, Record<string, string>>()
  /** As queues were made with them, by URL. */
  readonly queueTags = new Map<string, unknown>()
  readonly rules = new Map<string, unknown[]>()
  /** Actions that answer AccessDenied. */
  readonly denied = new Set<string>()
  readonly service: Service
  readonly #region: string
  #time = Date.UTC(2026, 0, 1)

  constructor(region = 'eu-west-1') {
    this.#region = region
    this.service = cloudFormation({
      assume: () => undefined,
      invoke: this.#invoke,
      clock: {
        now: () => (this.#time += 1),
        delay: async () => new Promise((resolve) => setImmediate(resolve))
      }
    })
  }

  async call(action: string, input: Input): Promise<Record<string, unknown>> {
    const call: AwsCall = {
      service: 'cloudformation',
      action,
      region: this.#region,
      input,
      caller,
      http: { method: 'POST', path: '/', headers: {}, body: '' }
    }
    await this.service.questions(call)
    const answer = await this.service.answer(call)
    return Object.fromEntries(Object.entries(answer))
  }

  async stack(name: string): Promise<Record<string, unknown>> {
    const { Stacks } = await this.call('DescribeStacks', { StackName: name })
    const stacks: unknown[] = Array.isArray(Stacks) ? Stacks : []
    const [stack] = stacks
    return isRecord(stack) ? stack : {}
  }

  /** The stack once nothing is in progress. */
  async settled(name: string): Promise<Record<string, unknown>> {
    for (;;) {
      const stack = await this.stack(name)
      if (!String(stack['StackStatus']).endsWith('_IN_PROGRESS')) return stack
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  async changeSet(stack: string, name: string): Promise<Record<string, unknown>> {
    for (;;) {
      const described = await this.call('DescribeChangeSet', { StackName: stack, ChangeSetName: name })
      if (!/PENDING|IN_PROGRESS/.test(String(described['Status']))) return described
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  /** `logical id: status: reason`, oldest first. */
  async events(name: string): Promise<readonly string[]> {
    const { StackEvents } = await this.call('DescribeStackEvents', { StackName: name })
    return (Array.isArray(StackEvents) ? StackEvents : [])
      .filter(isRecord)
      .map((event) =>
        ['LogicalResourceId', 'ResourceStatus', 'ResourceStatusReason']
          .map((name) => event[name])
          .filter((part) => typeof part === 'string')
          .join(': ')
      )
      .toReversed()
  }

  readonly #invoke: Invoke = async ({ service, action, input }) => {
    const name = `${service}:${action}`
    this.calls.push(name)
    if (this.denied.has(name)) {
      throw new AwsError('AccessDenied', `User: ${caller.arn} is not authorized to perform: ${name}`, 403)
    }
    const answer = this.#answers[name]
    if (answer === undefined) throw new AwsError('InvalidAction', `${name} is not faked`)
    return answer(input)
  }

  readonly #answers: Readonly<Record<string, (input: Input) => Record<string, unknown>>> = {
    'iam:GetRole': (input) => ({ Role: { RoleName: this.#role(input) } }),
    'iam:CreateRole': (input) => {
      const name = String(input['RoleName'])
      this.roles.set(name, {
        attached: new Set(),
        trust: String(input['AssumeRolePolicyDocument']),
        tags: input['Tags']
      })
      return { Role: { Arn: `arn:aws:iam::111122223333:role/${name}`, RoleId: 'AROA1' } }
    },
    'iam:UpdateRole': () => ({}),
    'iam:ListRoleTags': () => ({ Tags: [] }),
    'events:ListTagsForResource': () => ({ Tags: [] }),
    'iam:TagRole': (input) => {
      const role = this.roles.get(this.#role(input))
      if (role !== undefined) role.tags = input['Tags']
      return {}
    },
    'iam:UpdateAssumeRolePolicy': () => ({}),
    'iam:AttachRolePolicy': (input) => {
      this.roles.get(this.#role(input))?.attached.add(String(input['PolicyArn']))
      return {}
    },
    'iam:DetachRolePolicy': (input) => {
      this.roles.get(this.#role(input))?.attached.delete(String(input['PolicyArn']))
      return {}
    },
    'iam:ListAttachedRolePolicies': (input) => ({ RoleName: this.#role(input) }),
    'iam:ListRolePolicies': () => ({ PolicyNames: [] }),
    'iam:ListEntitiesForPolicy': (input) => ({ PolicyArn: this.#policy(input) }),
    'iam:DeleteRole': (input) => {
      this.roles.delete(this.#role(input))
      return {}
    },
    'iam:GetInstanceProfile': (input) => ({ InstanceProfile: { InstanceProfileName: this.#profile(input) } }),
    'iam:CreateInstanceProfile': (input) => {
      const name = String(input['InstanceProfileName'])
      this.instanceProfiles.set(name, new Set())
      return { InstanceProfile: { Arn: `arn:aws:iam::111122223333:instance-profile/${name}` } }
    },
    'iam:AddRoleToInstanceProfile': (input) => {
      const roles = this.instanceProfiles.get(this.#profile(input))
      if (roles?.size === 1) throw new AwsError('LimitExceeded', 'Cannot exceed quota: 1', 409)
      roles?.add(this.#role(input))
      return {}
    },
    'iam:RemoveRoleFromInstanceProfile': (input) => {
      this.instanceProfiles.get(this.#profile(input))?.delete(this.#role(input))
      return {}
    },
    'iam:DeleteInstanceProfile': (input) => {
      const name = this.#profile(input)
      if (this.instanceProfiles.get(name)?.size !== 0) {
        throw new AwsError('DeleteConflict', 'Cannot delete entity, must remove roles first.', 409)
      }
      this.instanceProfiles.delete(name)
      return {}
    },
    'iam:CreatePolicy': (input) => {
      const arn = `arn:aws:iam::111122223333:policy/${String(input['PolicyName'])}`
      if (this.policies.has(arn))
        throw new AwsError('EntityAlreadyExists', `A policy called ${arn} already exists.`, 409)
      this.policies.set(arn, [String(input['PolicyDocument'])])
      return { Policy: { Arn: arn, PolicyId: 'ANPA1' } }
    },
    'iam:GetPolicy': (input) => ({ Policy: { Arn: this.#policy(input) } }),
    'iam:ListPolicyVersions': (input) => {
      const versions = this.policies.get(this.#policy(input)) ?? []
      return {
        Versions: versions.flatMap((document, index) =>
          document === ''
            ? []
            : [{ VersionId: `v${index + 1}`, IsDefaultVersion: index === versions.length - 1 }]
        )
      }
    },
    'iam:CreatePolicyVersion': (input) => {
      this.policies.get(this.#policy(input))?.push(String(input['PolicyDocument']))
      return {}
    },
    'iam:DeletePolicyVersion': (input) => {
      this.policies.get(this.#policy(input))?.splice(Number(String(input['VersionId']).slice(1)) - 1, 1, '')
      return {}
    },
    'iam:DeletePolicy': (input) => {
      const arn = this.#policy(input)
      if ([...this.roles.values()].some(({ attached }) => attached.has(arn))) {
        throw new AwsError('DeleteConflict', 'Cannot delete a policy attached to entities.', 409)
      }
      this.policies.delete(arn)
      return {}
    },
    'sqs:GetQueueUrl': (input) => {
      const url = `https://sqs/111122223333/${String(input['QueueName'])}`
      this.#queue(url)
      return { QueueUrl: url }
    },
    'sqs:CreateQueue': (input) => {
      const url = `https://sqs/111122223333/${String(input['QueueName'])}`
      this.queues.set(url, { QueueArn: `arn:aws:sqs:eu-west-1:111122223333:${String(input['QueueName'])}` })
      this.queueTags.set(url, input['tags'])
      return { QueueUrl: url }
    },
    'sqs:GetQueueAttributes': (input) => ({ Attributes: this.#queue(input['QueueUrl']) }),
    'sqs:ListQueueTags': () => ({ Tags: {} }),
    'sqs:TagQueue': () => ({}),
    'sqs:SetQueueAttributes': (input) => {
      Object.assign(this.#queue(input['QueueUrl']), input['Attributes'])
      return {}
    },
    'sqs:DeleteQueue': (input) => {
      this.queues.delete(String(input['QueueUrl']))
      return {}
    },
    'events:DescribeRule': (input) => ({ Name: this.#rule(input['Name']) }),
    'events:PutRule': (input) => {
      const name = String(input['Name'])
      this.rules.set(name, this.rules.get(name) ?? [])
      return { RuleArn: `arn:aws:events:eu-west-1:111122223333:rule/${name}` }
    },
    'events:PutTargets': (input) => {
      this.rules.set(this.#rule(input['Rule']), Array.isArray(input['Targets']) ? input['Targets'] : [])
      return { FailedEntryCount: 0, FailedEntries: [] }
    },
    'events:TagResource': () => ({}),
    'events:ListTargetsByRule': (input) => ({ Targets: this.rules.get(this.#rule(input['Rule'])) }),
    'events:RemoveTargets': (input) => {
      const name = this.#rule(input['Rule'])
      const ids: unknown[] = Array.isArray(input['Ids']) ? input['Ids'] : []
      const left = this.rules.get(name)?.filter((target) => !(isRecord(target) && ids.includes(target['Id'])))
      this.rules.set(name, left ?? [])
      return {}
    },
    'events:DeleteRule': (input) => {
      if ((this.rules.get(String(input['Name'])) ?? []).length > 0) {
        throw new AwsError('ValidationException', "Rule can't be deleted since it has targets.")
      }
      this.rules.delete(this.#rule(input['Name']))
      return {}
    }
  }

  #role({ RoleName }: Input): string {
    if (this.roles.has(String(RoleName))) return String(RoleName)
    throw new AwsError('NoSuchEntity', `The role with name ${String(RoleName)} cannot be found.`, 404)
  }

  #profile({ InstanceProfileName }: Input): string {
    if (this.instanceProfiles.has(String(InstanceProfileName))) return String(InstanceProfileName)
    const message = `Instance Profile ${String(InstanceProfileName)} cannot be found.`
    throw new AwsError('NoSuchEntity', message, 404)
  }

  #policy({ PolicyArn }: Input): string {
    if (this.policies.has(String(PolicyArn))) return String(PolicyArn)
    throw new AwsError('NoSuchEntity', `Policy ${String(PolicyArn)} was not found.`, 404)
  }

  #queue(url: unknown): Record<string, string> {
    const queue = this.queues.get(String(url))
    if (queue !== undefined) return queue
    throw new AwsError('AWS.SimpleQueueService.NonExistentQueue', 'The specified queue does not exist.')
  }

  #rule(name: unknown): string {
    if (this.rules.has(String(name))) return String(name)
    throw new AwsError(
      'ResourceNotFoundException',
      `Rule ${String(name)} does not exist on EventBus default.`
    )
  }
}
