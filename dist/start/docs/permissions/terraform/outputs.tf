output "role_arn" {
  description = "Input role-to-assume."
  value       = aws_iam_role.this.arn
}

output "permissions_boundary" {
  description = "Input permissions-boundary of installs and checks; null without one."
  value       = one([for policy in aws_iam_policy.boundary : policy.arn])
}

output "stack_role_arn" {
  description = "Input stack-role-arn of installs; null without stack_role."
  value       = one([for role in aws_iam_role.stack : role.arn])
}
