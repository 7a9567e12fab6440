import type { Aws } from '../../aws/clients.js'
import { awsProblem, isAlreadyExists, isNotFound, liveOf, wasRepeated } from '../../aws/errors.js'
import { whenIamFollows } from '../../aws/iam-late.js'
import { policyFix, readManagedPolicy, setDocument, usersOfPolicy } from '../../aws/managed-policy.js'
import { iamPath } from '../../aws/partition.js'
import { poll, type PollOptions, untilShown } from '../../aws/poll.js'
import type { Likely } from '../../aws/stack-operation.js'
import { missing, type Difference } from '../../engine/difference.js'
import { UserError } from '../../engine/errors.js'
import { isMap, type JsonMap } from '../../engine/json.js'
import { resource, type AnyResource, type Live, type Removal, type Step } from '../../engine/resource.js'
import type { Ownership } from '../../aws/environment.js'
import { documentDifferences } from './policy-drift.js'
import { idOf } from '../ids.js'

export interface StackPolicyWanted {
  readonly clusterName: string
  readonly name: string
  readonly arn: string
  readonly document: JsonMap
}

interface LivePolicy {
  /** v1 */
  readonly version: string
  /** ISO 8601. */
  readonly since: string
  readonly document: string
}

interface Ports {
  readonly aws: Aws
  readonly ownership: Ownership
  /** Keeps the text of a version that has to make room. */
  readonly keep: (name: string, text: string) => void
  /** Tags of the stack; undefined when there is no stack. */
  readonly stackTags: () => Promise<Readonly<Record<string, string>> | undefined>
  readonly stackName: string
  /** What the stack has of it until the new controller runs; undefined where it has what is wanted. */
  readonly interim?: () => Promise<JsonMap | undefined>
  readonly likely?: Likely
  readonly dependsOn?: readonly string[]
}

/**
 * A managed policy of the stack as IAM has it. The stack makes it and takes it away; what somebody changes in between is
 * put right here, because CloudFormation's own drift detection finds an edited managed policy IN_SYNC.
 */
export function stackPolicy(wanted: StackPolicyWanted, ports: Ports): AnyResource {
  const title = `IAM policy ${wanted.name}`
  const { aws } = ports

  async function read(): Promise<Live<LivePolicy>> {
    const live = await liveOf(title, async () => readManagedPolicy(aws, wanted.arn, ports.likely))
    if (live.state !== 'present') return live
    const { versionId, versionFrom, document } = live.value
    if (document === undefined) {
      return { state: 'unreadable', reason: `its version ${versionId}, which is in force, does not show yet` }
    }
    return {
      state: 'present',
      value: { version: versionId, since: versionFrom?.toISOString() ?? '', document }
    }
  }

  /** Tags are not among what a stack gives a managed policy. */
  async function create(document: JsonMap, step: Step): Promise<void> {
    const { CreatePolicyCommand } = await import('../../aws/sdk/iam.js')
    const iam = await aws.iam()
    try {
      const command = new CreatePolicyCommand({
        PolicyName: wanted.name,
        Path: iamPath(wanted.arn),
        PolicyDocument: JSON.stringify(document)
      })
      await whenIamFollows({ title, name: wanted.name, creation: true }, step, async () => iam.send(command))
    } catch (error) {
      // The stack has just made it, and IAM does not show it yet.
      if (!isAlreadyExists(error)) throw error
      if (!wasRepeated(error)) return
    }
    step.changed(`created IAM policy ${wanted.name} again`)
  }

  async function repair(document: JsonMap, live: LivePolicy, step: Step): Promise<void> {
    const deleted = await setDocument(aws, { title, arn: wanted.arn }, document, step)
    if (deleted !== undefined) {
      ports.keep(`version ${deleted.versionId} of policy ${wanted.name}`, deleted.document)
      step.note(
        `deleted version ${deleted.versionId} of ${wanted.name}, the oldest of five; its text is in the report`
      )
    }
    step.changed(
      `put IAM policy ${wanted.name} back to what the stack has, instead of version ${live.version}`
    )
  }

  return resource<StackPolicyWanted, LivePolicy>(
    {
      id: idOf.policy(wanted.name),
      layer: 'iam',
      title,
      dependsOn: ports.dependsOn ?? [idOf.stack],
      wanted,
      read,
      compare: differencesOf,
      absent: (want) => [missing(`IAM policy ${want.name}`, want.arn)],
      apply: async (_before, _differences, step) => {
        let document: JsonMap
        try {
          // The stack may have made or changed it since it was read.
          const found = await shown(step)
          if (found !== undefined && differencesOf(wanted, found).length === 0) return
          document = (await ports.interim?.()) ?? wanted.document
          if (found === undefined) await create(document, step)
          else if (differencesOf({ ...wanted, document }, found).length > 0)
            await repair(document, found, step)
          else return
        } catch (error) {
          throw awsProblem(title, 'could not be put right', error, policyFix(error))
        }
        await poll(step, waitOptions('to be as written'), async () => {
          const now = await read()
          const isWritten =
            now.state === 'present' && differencesOf({ ...wanted, document }, now.value).length === 0
          return isWritten ? true : undefined
        })
      },
      sign: { by: 'whole', whole: idOf.stack },
      remove
    },
    isWanted
  )

  /** Undefined when there is none. */
  async function shown(step: Step): Promise<LivePolicy | undefined> {
    return poll(step, waitOptions('to show its version'), async () => {
      const { document, versionId, versionFrom } = await readManagedPolicy(aws, wanted.arn)
      if (document === undefined) return undefined
      return { found: { version: versionId, since: versionFrom?.toISOString() ?? '', document } }
    }).then(
      ({ found }) => found,
      (error: unknown) => {
        if (isNotFound(error)) return undefined
        throw error
      }
    )
  }

  function waitOptions(what: string): PollOptions {
    return untilShown(
      `IAM policy ${wanted.name} ${what}`,
      title,
      'does not show as it was written, two minutes later',
      'Run again; look for something that changes policies.'
    )
  }

  /** The stack takes it away; what would keep the stack from it is said before the stack is touched. */
  async function remove(_live: LivePolicy, step: Step): Promise<Removal> {
    const users = await usersOfPolicy(aws, wanted.arn).catch((error: unknown) => {
      if (isNotFound(error)) return undefined
      throw awsProblem(title, 'who uses it could not be read', error)
    })
    if (users === undefined) return { outcome: 'absent' }
    if (users.length > 0) await untilUnused(users, step)
    return { outcome: 'removed' }
  }

  /** A detachment takes seconds to show; what is still there then was not ours to detach. */
  async function untilUnused(before: readonly string[], step: Step): Promise<void> {
    const last = { users: before }
    await poll(
      step,
      {
        what: `IAM policy ${wanted.name} to be off ${before.join(', ')}`,
        timeoutMilliseconds: 30_000,
        giveUp: () =>
          new UserError(
            title,
            `is used by ${last.users.join(', ')} as well, so stack ${ports.stackName} cannot be deleted`,
            `Take ${wanted.arn} off there, then run again.`,
            { state: 'Policy and stack were left as they are.' }
          )
      },
      async () => {
        last.users = await usersOfPolicy(aws, wanted.arn)
        return last.users.length === 0 ? true : undefined
      }
    )
  }
}

function differencesOf(wanted: StackPolicyWanted, live: LivePolicy): readonly Difference[] {
  return documentDifferences(wanted.document, live.document, {
    prefix: '',
    of: `version ${live.version} (${live.since})`
  })
}

function isWanted(value: unknown): value is StackPolicyWanted {
  return (
    isMap(value) &&
    typeof value['name'] === 'string' &&
    typeof value['arn'] === 'string' &&
    isMap(value['document'])
  )
}
