/** Source: IAM User Guide, IAM and STS quotas. */
export const iamQuotas = {
  /** Characters of a managed policy, white space aside. */
  policyCharacters: 6144,
  /** Versions of a managed policy. */
  policyVersions: 5,
  /** Managed policies on one role, where an account's has not been raised. */
  policiesOfRole: 10
} as const
