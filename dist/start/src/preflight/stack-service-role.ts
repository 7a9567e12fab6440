import { iamArn } from '../aws/partition.js'
import type { Facts } from './facts.js'
import type { Concern } from './finding.js'

/** With `stack-role-arn`: CloudFormation can assume that role. What it may do then only CloudFormation finds out. */
export async function stackServiceRole({
  stackRoleArn,
  account,
  changes,
  nodeRole
}: Pick<Facts, 'stackRoleArn' | 'account' | 'changes' | 'nodeRole'>): Promise<readonly Concern[]> {
  if (stackRoleArn === undefined || !(await changes())) return []
  const name = stackRoleArn.split('/').at(-1) ?? ''
  const of = { subject: 'stack-role-arn', evidence: 'iam:GetRole' }
  // A role cannot be passed across accounts (IAM user guide, iam:PassRole).
  const foreign = !stackRoleArn.startsWith(iamArn(account, 'role/'))
  const found = foreign ? 'absent' : await nodeRole(name)
  // CloudFormation says it then, before it makes anything.
  if (found === 'denied') return []
  if (found === 'absent' || found.arn !== stackRoleArn) {
    return [
      {
        ...of,
        level: 'error',
        problem: `there is no role ${stackRoleArn} in account ${account.id}`,
        fix: 'Pass the ARN of a role of this account with docs/permissions/stack-role.json, or leave `stack-role-arn` out.'
      }
    ]
  }
  if (found.ofCloudFormation) return []
  return [
    {
      ...of,
      level: 'error',
      problem: `CloudFormation may not take role ${stackRoleArn}: its trust policy does not name cloudformation.amazonaws.com`,
      fix: 'Let cloudformation.amazonaws.com do sts:AssumeRole in its trust policy.'
    }
  ]
}
