import { isMap, type JsonMap } from '../engine/json.js'

/** What somebody else made in place of the template's own, and keeps. */
export interface OthersParts {
  /** ARN of the role that nodes have. */
  readonly nodeRoleArn?: string
  /** ARN of the queue that the controller listens to; whoever made it made the rules that feed it. */
  readonly queueArn?: string
  /** Names of managed policies that are on the controller's role already. */
  readonly policyNames?: readonly string[]
}

const nodeRole = 'KarpenterNodeRole'
const queue = 'KarpenterInterruptionQueue'

/** The template's resources without those that others have made; what refers to them refers to theirs. */
export function withoutOthersParts(resources: JsonMap, others: OthersParts, clusterName: string): JsonMap {
  const { nodeRoleArn, queueArn, policyNames = [] } = others
  const gone = ([logicalId, own]: readonly [string, unknown]): boolean =>
    (nodeRoleArn !== undefined && logicalId === nodeRole) ||
    (queueArn !== undefined && (logicalId === queue || feeds(own))) ||
    policyNames.includes(policyNameOf(own, clusterName))
  const kept = Object.fromEntries(Object.entries(resources).filter((one) => !gone(one)))
  const arns = new Map([
    ...(nodeRoleArn === undefined ? [] : [[nodeRole, nodeRoleArn] as const]),
    ...(queueArn === undefined ? [] : [[queue, queueArn] as const])
  ])
  // CloudFormation takes no template without a resource; this one is nothing but a URL.
  return Object.keys(kept).length === 0
    ? { NothingOfItsOwn: { Type: 'AWS::CloudFormation::WaitConditionHandle' } }
    : mapOf(kept, arns)
}

/** Of a managed policy, as the published templates name them; empty for everything else. */
function policyNameOf(own: unknown, clusterName: string): string {
  if (!isMap(own) || own['Type'] !== 'AWS::IAM::ManagedPolicy' || !isMap(own['Properties'])) return ''
  const name = own['Properties']['ManagedPolicyName']
  return String(isMap(name) ? name['Fn::Sub'] : name).replaceAll('${ClusterName}', clusterName)
}

/** A rule that leads to the template's own queue, or the policy that lets it. */
function feeds(own: unknown): boolean {
  if (!isMap(own)) return false
  return (
    ['AWS::SQS::QueuePolicy', 'AWS::Events::Rule'].includes(String(own['Type'])) &&
    JSON.stringify(own['Properties'] ?? {}).includes(queue)
  )
}

function mapOf(map: JsonMap, arns: ReadonlyMap<string, string>): JsonMap {
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, replaced(value, arns)]))
}

function replaced(value: unknown, arns: ReadonlyMap<string, string>): unknown {
  if (Array.isArray(value)) return value.map((one) => replaced(one, arns))
  if (typeof value === 'string') {
    // Text of Fn::Sub, which the published policies are made of.
    return value.replace(/\$\{(\w+)\.Arn\}/g, (whole, logicalId: string) => arns.get(logicalId) ?? whole)
  }
  if (!isMap(value)) return value
  const getAtt = value['Fn::GetAtt']
  if (Array.isArray(getAtt) && getAtt[1] === 'Arn') {
    const arn = arns.get(String(getAtt[0]))
    if (arn !== undefined) return arn
  }
  const name = arns.get(String(value['Ref']))?.split(/[:/]/).at(-1)
  return name ?? mapOf(value, arns)
}
