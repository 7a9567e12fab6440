import { validateIdentityPolicy, validateTrustPolicy } from '@cloud-copilot/iam-policy'
import { isRecord } from '../input.js'
import { AwsError } from '../service.js'
import type { IamState } from './state.js'

const sizes = { managed: 6144, inlinePerRole: 10_240, trust: 2048 }

/** Managed policies: white space does not count (IAM and STS quotas). */
export function checkManagedDocument(document: string): void {
  checkIdentityDocument(document)
  if (withoutSpace(document) > sizes.managed) {
    throw new AwsError('LimitExceeded', `Cannot exceed quota for PolicySize: ${sizes.managed}`, 409)
  }
}

/** All inline policies of a role share one allowance. */
export function checkInlineDocuments(roleName: string, document: string, others: readonly string[]): void {
  checkIdentityDocument(document)
  const size = [document, ...others].reduce((sum, text) => sum + withoutSpace(text), 0)
  if (size > sizes.inlinePerRole) {
    throw new AwsError(
      'LimitExceeded',
      `Maximum policy size of ${sizes.inlinePerRole} bytes exceeded for role ${roleName}`,
      409
    )
  }
}

function checkIdentityDocument(document: string): void {
  const errors = validateIdentityPolicy(parsed(document))
  if (errors.length > 0) throw malformed(`Syntax errors in policy. ${errors[0]?.message ?? ''}`.trim())
}

export function checkTrustDocument(state: IamState, document: string): void {
  const policy = parsed(document)
  const errors = validateTrustPolicy(policy)
  if (errors.length > 0) throw malformed(errors[0]?.message ?? 'Syntax errors in policy.')
  for (const [kind, name] of principals(policy)) checkPrincipal(state, kind, name)
  if (withoutSpace(document) > sizes.trust) {
    throw new AwsError('LimitExceeded', `Cannot exceed quota for ACLSizePerRole: ${sizes.trust}`, 409)
  }
}

function checkPrincipal(state: IamState, kind: string, name: string): void {
  const fits = {
    AWS: () => awsPrincipalExists(state, name),
    Service: () => /^[a-z0-9.-]+\.(amazonaws\.com(\.cn)?|aws\.internal|api\.aws)$/.test(name),
    Federated: () =>
      new RegExp(`^arn:${state.home.partition}:iam::\\d{12}:(oidc-provider|saml-provider)/.+$`).test(name) ||
      [
        'cognito-identity.amazonaws.com',
        'www.amazon.com',
        'graph.facebook.com',
        'accounts.google.com'
      ].includes(name)
  }
  const check = kind === 'AWS' || kind === 'Service' || kind === 'Federated' ? fits[kind] : () => false
  if (!check()) throw malformed(`Invalid principal in policy: "${kind.toUpperCase()}":"${name}"`)
}

/** IAM resolves roles and users of the own account when a trust policy is written; accounts it takes as they are. */
function awsPrincipalExists(state: IamState, name: string): boolean {
  if (name === '*' || /^\d{12}$/.test(name)) return true
  const arn = /^arn:([a-z-]+):(iam|sts)::(\d{12}):(.+)$/.exec(name)
  if (arn === null || arn[1] !== state.home.partition) return false
  if (arn[3] !== state.home.accountId || arn[4] === 'root' || arn[2] === 'sts') return true
  return state.roleByArn(name) !== undefined
}

function principals(policy: unknown): readonly (readonly [string, string])[] {
  if (!isRecord(policy)) return []
  const statements = Array.isArray(policy['Statement']) ? policy['Statement'] : [policy['Statement']]
  return statements.flatMap((statement: unknown) => {
    const principal = isRecord(statement) ? statement['Principal'] : undefined
    if (!isRecord(principal)) return []
    return Object.entries(principal).flatMap(([kind, names]) =>
      (Array.isArray(names) ? names : [names]).map((name: unknown) => [kind, String(name)] as const)
    )
  })
}

function parsed(document: string): unknown {
  try {
    return JSON.parse(document)
  } catch {
    throw malformed('This policy contains invalid Json')
  }
}

function malformed(message: string): AwsError {
  return new AwsError('MalformedPolicyDocument', message)
}

function withoutSpace(text: string): number {
  return text.replace(/\s/g, '').length
}
