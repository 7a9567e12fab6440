/**
 * What every part of the cloud is written against. The front (front.ts) does what AWS does before a service sees a
 * call: finds the service and the action, checks the signature, finds the caller, asks for faults, authorises, records.
 * A service says how a call is to be authorised and then answers it.
 */

/** Who makes a call, as STS would say it. */
export interface Caller {
  /** arn:aws:sts::111122223333:assumed-role/deployer/session, or the role's or user's own ARN for `root`-like callers. */
  readonly arn: string
  readonly accountId: string
  /** AROA...:session */
  readonly userId: string
  /** ARN of the IAM role behind the session; its attached policies and boundary decide. */
  readonly roleArn: string
  /** When the session's credentials stop working, milliseconds since the epoch. */
  readonly expiresAt: number
}

/** One call, parsed. */
export interface AwsCall {
  /** iam, sts, eks, cloudformation, ec2, sqs, events, ssm, pricing, eks-auth, arc-zonal-shift */
  readonly service: string
  /** API action as AWS names it: CreateRole, DescribeCluster. */
  readonly action: string
  readonly region: string
  /** Parsed input: the query protocol's Member.1 lists and the JSON protocols' bodies as one nested object. */
  readonly input: Readonly<Record<string, unknown>>
  readonly caller: Caller
  /** Set when CloudFormation acts with its caller's permissions. */
  readonly via?: 'cloudformation.amazonaws.com'
  /** The request as it came, for services that stand behind the front (moto). */
  readonly http: {
    readonly method: string
    readonly path: string
    readonly headers: Readonly<Record<string, string>>
    readonly body: string
  }
}

/** One question to IAM: may the caller do `action` on `resource`, given `context`. */
export interface Question {
  /** iam:CreateRole */
  readonly action: string
  readonly resource: string
  /** Condition keys beyond the global ones that the front adds (aws:RequestedRegion, aws:PrincipalArn, aws:CalledVia). */
  readonly context?: Readonly<Record<string, string | readonly string[]>>
}

/** A question as it was put to IAM: with the global condition keys, and by whom. */
export interface AskedQuestion extends Question {
  readonly context: Readonly<Record<string, string | readonly string[]>>
  /** ARN of the caller. */
  readonly principal: string
  readonly accountId: string
}

/** What a service throws to answer with an error; the front puts it in the protocol's shape. */
export class AwsError extends Error {
  readonly code: string
  readonly status: number
  constructor(code: string, message: string, status = 400) {
    super(message)
    this.code = code
    this.status = status
  }
}

/** How calls and answers are written on the wire. */
export type Protocol = 'query' | 'ec2' | 'json' | 'rest-json'

export interface Service {
  readonly name: string
  readonly protocol: Protocol
  /** Questions that must all be answered yes before `answer` is called. Empty: the action needs no permission. */
  questions(call: AwsCall): Promise<readonly Question[]>
  /** The output as a plain object (the front serialises it), or a ready-made reply of a server behind the front. */
  answer(call: AwsCall): Promise<Readonly<Record<string, unknown>> | RawReply>
}

export class RawReply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  constructor(status: number, headers: Readonly<Record<string, string>>, body: string) {
    this.status = status
    this.headers = headers
    this.body = body
  }
}

/** One line of the record of every call, in the order in which they were answered. */
export interface RecordedCall {
  readonly at: number
  readonly service: string
  readonly action: string
  readonly region: string
  readonly host: string
  readonly callerArn: string
  readonly via?: string
  /** `ok`, or the error's code. */
  readonly outcome: string
  readonly input: Readonly<Record<string, unknown>>
  /** What IAM was asked for it, up to the first question that was answered no. */
  readonly asked: readonly AskedQuestion[]
  /** True for the actions that change something (all but Get*, List*, Describe*, Simulate*, Estimate*, Receive*). */
  readonly write: boolean
}

/** A fault asked for by a test. The first that matches is used. */
export interface Fault {
  readonly service?: string
  readonly action?: string
  /** Leave these many matching calls alone first. */
  readonly skip?: number
  /** How many calls it hits; all that follow when absent. */
  readonly times?: number
  readonly effect:
    | {
        readonly kind: 'error'
        readonly code: string
        readonly message: string
        readonly status: number
        /** The call is carried out, and then answered with this. */
        readonly done?: boolean
      }
    | {
        readonly kind: 'reset'
        /** The call is carried out, and then the connection is cut. */
        readonly done?: boolean
      }
    | { readonly kind: 'delay'; readonly milliseconds: number }
    /** Reads of this service answer from the state this long ago. */
    | {
        readonly kind: 'lag'
        readonly milliseconds: number
        /** Writes of IAM are checked against that state as well. */
        readonly writes?: true
        /** Every other call only: what was seen is missed again. */
        readonly flickers?: true
      }
}

/** A call that one service makes of another with the permissions of `caller`: authorised, faulted and recorded alike. */
export interface Invocation {
  readonly service: string
  readonly action: string
  readonly region: string
  readonly input: Readonly<Record<string, unknown>>
  readonly caller: Caller
  readonly via: 'cloudformation.amazonaws.com'
  /** The caller is a service role, which CloudFormation has assumed: nobody's session is forwarded, so no aws:CalledVia. */
  readonly assumed?: boolean
}

/** Resolves to the output as a plain object; rejects with AwsError. */
export type Invoke = (invocation: Invocation) => Promise<Readonly<Record<string, unknown>>>

/** What a service that is registered from outside is given when the cloud starts. */
export interface Surroundings {
  readonly accountId: string
  /** Home region: the clusters'. */
  readonly region: string
  /** aws, aws-cn, aws-us-gov */
  readonly partition: string
  /** amazonaws.com, amazonaws.com.cn */
  readonly urlSuffix: string
  /** http://127.0.0.1:PORT of the front. */
  readonly url: string
  /** Milliseconds since the epoch. */
  readonly now: () => number
  readonly invoke: Invoke
  /** Who a service is as this role; undefined: there is no such role, or it does not trust the service. */
  readonly assume: (roleArn: string, service: string) => Caller | undefined
}

/** Stands at every write: lets it pass, or cuts its connection, before it is carried out or when it has been. */
export type WriteGate = (
  call: Pick<AwsCall, 'service' | 'action' | 'caller'>,
  moment: 'before' | 'after'
) => Promise<'pass' | 'cut'>
