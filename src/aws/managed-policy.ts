import type { PolicyVersion } from '@aws-sdk/client-iam'
import type { Step } from '../engine/resource.js'
import { iamQuotas } from './quotas.js'
import type { Aws } from './clients.js'
import { codeOf, isNotFound, wasRepeated } from './errors.js'
import { whenIamFollows } from './iam-late.js'
import type { Likely } from './stack-operation.js'

/** Of a customer managed policy: the version that is in force. */
export interface ManagedPolicy {
  readonly versionId: string
  readonly versionFrom: Date | undefined
  /** JSON text; undefined while IAM does not show the version yet. */
  readonly document: string | undefined
}

/** What IAM calls the version that a policy is made with. */
const firstVersion = 'v1'

/**
 * Rejects as IAM does when there is no such policy. GetPolicyVersion says whether the version that it is asked for is in
 * force (IAM API reference, PolicyVersion): a policy that was never changed is read in one request, any other in three.
 * One that is likely absent is asked for its version in force at first: that it is not there takes one request then.
 */
export async function readManagedPolicy(
  aws: Aws,
  PolicyArn: string,
  likely: Likely = 'there'
): Promise<ManagedPolicy> {
  const first = likely === 'absent' ? undefined : await readVersion(aws, PolicyArn, firstVersion)
  if (first?.inForce === true) return policyOf(firstVersion, first)
  const { GetPolicyCommand } = await import('./sdk/iam.js')
  const iam = await aws.iam()
  const { Policy } = await iam.send(new GetPolicyCommand({ PolicyArn }))
  const versionId = Policy?.DefaultVersionId ?? ''
  return policyOf(versionId, await readVersion(aws, PolicyArn, versionId))
}

function policyOf(versionId: string, version: Version | undefined): ManagedPolicy {
  return { versionId, versionFrom: version?.from, document: version?.document }
}

interface Version {
  readonly from: Date | undefined
  readonly document: string
  readonly inForce: boolean
}

/** Undefined where IAM has no such policy or version, or does not show it yet. */
async function readVersion(aws: Aws, PolicyArn: string, VersionId: string): Promise<Version | undefined> {
  const { GetPolicyVersionCommand } = await import('./sdk/iam.js')
  const iam = await aws.iam()
  try {
    const { PolicyVersion } = await iam.send(new GetPolicyVersionCommand({ PolicyArn, VersionId }))
    return {
      from: PolicyVersion?.CreateDate,
      document: decodeURIComponent(PolicyVersion?.Document ?? ''),
      inForce: PolicyVersion?.IsDefaultVersion === true
    }
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}

/** A version that has made room for another. */
export interface DeletedVersion {
  readonly versionId: string
  readonly document: string
}

/**
 * Puts a document in force. Deletes the oldest version that is not in force when there is no room, and returns it. `title` is
 * what errors begin with.
 */
export async function setDocument(
  aws: Aws,
  { title, arn: PolicyArn }: { readonly title: string; readonly arn: string },
  document: unknown,
  step: Step
): Promise<DeletedVersion | undefined> {
  const { CreatePolicyVersionCommand, DeletePolicyVersionCommand, paginateListPolicyVersions } =
    await import('./sdk/iam.js')
  const iam = await aws.iam()
  const Versions: PolicyVersion[] = []
  // IAM may give fewer than there are, and fewer than it was asked for, on any page.
  for await (const page of paginateListPolicyVersions({ client: iam }, { PolicyArn })) {
    Versions.push(...(page.Versions ?? []))
  }
  const oldest = Versions.filter((version) => version.IsDefaultVersion !== true)
    .map((version) => version.VersionId ?? '')
    .toSorted((a, b) => Number(a.slice(1)) - Number(b.slice(1)))[0]
  const deleted =
    Versions.length < iamQuotas.policyVersions || oldest === undefined
      ? undefined
      : { versionId: oldest, document: (await readVersion(aws, PolicyArn, oldest))?.document ?? '' }
  if (deleted !== undefined) {
    await iam
      .send(new DeletePolicyVersionCommand({ PolicyArn, VersionId: deleted.versionId }))
      .catch((error: unknown) => {
        if (!isNotFound(error)) throw error
      })
  }
  const PolicyDocument = JSON.stringify(document)
  try {
    await whenIamFollows(
      // Of a version that made room a moment ago IAM may say that it is one too many still.
      { title, name: PolicyArn, ...(deleted !== undefined && { madeRoom: true }) },
      step,
      async () => iam.send(new CreatePolicyVersionCommand({ PolicyArn, PolicyDocument, SetAsDefault: true }))
    )
  } catch (error) {
    // A try whose answer was lost has made the last version that there was room for.
    if (codeOf(error) !== 'LimitExceeded' || !wasRepeated(error)) throw error
    if ((await readManagedPolicy(aws, PolicyArn)).document !== PolicyDocument) throw error
  }
  return deleted
}

/** What else uses a policy, so that it cannot be deleted: `role blue-other`. */
export async function usersOfPolicy(aws: Aws, PolicyArn: string): Promise<readonly string[]> {
  const { paginateListEntitiesForPolicy } = await import('./sdk/iam.js')
  const users: string[] = []
  for await (const found of paginateListEntitiesForPolicy({ client: await aws.iam() }, { PolicyArn })) {
    users.push(
      ...(found.PolicyRoles ?? []).map(({ RoleName }) => `role ${RoleName ?? ''}`),
      ...(found.PolicyUsers ?? []).map(({ UserName }) => `user ${UserName ?? ''}`),
      ...(found.PolicyGroups ?? []).map(({ GroupName }) => `group ${GroupName ?? ''}`)
    )
  }
  return users
}

/** What to do about a policy that IAM does not take; undefined for errors that say it themselves. */
export function policyFix(error: unknown): string | undefined {
  switch (codeOf(error)) {
    case 'LimitExceeded':
      return "The message says which of IAM's quotas is used up: delete versions or policies that nobody needs, or shorten the policy in your `template`, then run again."
    case 'MalformedPolicyDocument':
      return 'Correct the policy in your `template`, then run again.'
    default:
      return undefined
  }
}
