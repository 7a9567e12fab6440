/** What docs/permissions/install-iam-bounded.json allows on roles with the boundary alone. */
export const boundedActions: readonly string[] = [
  'iam:AttachRolePolicy',
  'iam:CreateRole',
  'iam:PutRolePermissionsBoundary',
  'iam:UpdateAssumeRolePolicy'
]

/**
 * `advice` on a denied action, such as `Add ...`. To widen a role that is bounded on purpose would undo what protects the
 * account: there it is the input that lacks.
 */
export function orPassBoundary(action: string, advice: string): string {
  return boundedActions.includes(action)
    ? `Pass \`permissions-boundary\` where the role may write roles only with one (docs/permissions/install-iam-bounded.json). Otherwise: ${advice}`
    : advice
}
