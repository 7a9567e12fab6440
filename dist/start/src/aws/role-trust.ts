import type { Step } from '../engine/resource.js'
import type { Aws } from './clients.js'
import { whenIamFollows } from './iam-late.js'
import { readTrust, trustDocument, trustStatement, type Trust } from './trust-policy.js'

/** The trust policy of a role: these, and nobody else. `title`: what an error begins with. */
export async function writeTrust(
  aws: Aws,
  role: { readonly title: string; readonly name: string },
  trusts: readonly Trust[],
  step: Step
): Promise<void> {
  const { UpdateAssumeRolePolicyCommand } = await import('./sdk/iam.js')
  const iam = await aws.iam()
  await whenIamFollows(role, step, async () =>
    iam.send(
      new UpdateAssumeRolePolicyCommand({
        RoleName: role.name,
        PolicyDocument: trustDocument(trusts.map(trustStatement))
      })
    )
  )
  step.changed(`set the trust policy of ${role.name} to ${trusts.map(trustedName).join(' and ')}`)
}

export function trustedName(trust: Trust): string {
  return trust.kind === 'irsa'
    ? `service account ${trust.namespace}/${trust.serviceAccount} (IRSA)`
    : 'EKS Pod Identity'
}

/** Those of them that a live trust policy names already. */
export function trustedAlready(document: string, trusts: readonly Trust[]): readonly Trust[] {
  return trusts.filter((trust) => readTrust(document, trust).trusted)
}
