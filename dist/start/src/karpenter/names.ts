import { iamQuotas } from '../aws/quotas.js'
import { type Manifest, textField } from '../kubernetes/manifest.js'
import type { RenderedStack } from './rendered-stack.js'

/** One name or document that AWS would refuse. */
export interface NameProblem {
  /** The input to change. */
  readonly input: string
  readonly problem: string
  readonly fix: string
}

/** Names that the guide gives (1.0 to 1.14), for whatever the inputs leave open. */
export function guideNames(clusterName: string): {
  readonly controllerRole: string
  readonly nodeRole: string
  readonly stack: string
} {
  return {
    controllerRole: `${clusterName}-karpenter`,
    nodeRole: `KarpenterNodeRole-${clusterName}`,
    // EKS allows _ in a cluster's name, CloudFormation does not in a stack's.
    stack: `Karpenter-${clusterName.replaceAll('_', '-')}`
  }
}

interface Rule {
  readonly what: string
  readonly longest: number
  readonly alphabet: RegExp
  readonly says: string
}

/** Characters of names in IAM: roles, policies, instance profiles. */
export const iamName = /^[\w+=,.@-]+$/

/** Sources: the API references of CreateRole, CreatePolicy, CreateQueue and CreateStack. */
const rules = {
  role: { what: 'an IAM role', longest: 64, alphabet: iamName, says: 'letters, digits and +=,.@-_' },
  policy: {
    what: 'an IAM policy',
    longest: 128,
    alphabet: iamName,
    says: 'letters, digits and +=,.@-_'
  },
  profile: {
    what: 'an instance profile',
    longest: 128,
    alphabet: iamName,
    says: 'letters, digits and +=,.@-_, without path or ARN'
  },
  queue: { what: 'an SQS queue', longest: 80, alphabet: /^[\w-]+$/, says: 'letters, digits, - and _' },
  stack: {
    what: 'a CloudFormation stack',
    longest: 128,
    alphabet: /^[A-Za-z][A-Za-z0-9-]*$/,
    says: 'letters, digits and -, beginning with a letter'
  }
} satisfies Record<string, Rule>

function wrong(name: string, rule: Rule): string | undefined {
  if (name.length > rule.longest)
    return `"${name}" has ${name.length} characters, and ${rule.what} may have ${rule.longest}`
  return rule.alphabet.test(name) ? undefined : `"${name}" is no name for ${rule.what}: ${rule.says}`
}

export interface NamesInUse {
  readonly clusterName: string
  readonly controllerRoleName: string
  readonly stackName: string
  readonly karpenterVersion: string
  readonly stack: RenderedStack
  readonly nodeClasses: readonly Manifest[]
}

/** Every name and policy that AWS would refuse, each with the input to change. Empty when all are right. */
export function checkNames(names: NamesInUse): readonly NameProblem[] {
  const { stack, clusterName } = names
  const problems: NameProblem[] = []
  const add = (input: string, problem: string | undefined, fix: string): void => {
    if (problem !== undefined) problems.push({ input, problem, fix })
  }
  add(
    'controller-role-name',
    wrong(names.controllerRoleName, rules.role),
    'Pass a shorter `controller-role-name`.'
  )
  add('node-role-name', wrong(stack.nodeRole.name, rules.role), 'Pass a shorter `node-role-name`.')
  add('stack-name', wrong(names.stackName, rules.stack), 'Pass a `stack-name` of that kind.')
  if (stack.queue !== undefined) {
    add(
      'cluster-name',
      wrong(stack.queue.name, rules.queue),
      'The queue is called like the cluster: pass a `template` that names it otherwise.'
    )
  }
  for (const nodeClass of names.nodeClasses) problems.push(...ofNodeClass(nodeClass))
  for (const policy of stack.policies) {
    add(
      'cluster-name',
      wrong(policy.name, rules.policy),
      'The policy has the cluster in its name: pass a `template` that names it otherwise.'
    )
    if (policy.size > iamQuotas.policyCharacters)
      problems.push(tooLarge(policy, clusterName, names.karpenterVersion))
  }
  if (stack.policies.length > iamQuotas.policiesOfRole) {
    problems.push({
      input: 'template',
      problem: `has ${stack.policies.length} managed policies, and a role may have ${iamQuotas.policiesOfRole}`,
      fix: "Put the controller's statements into fewer policies."
    })
  }
  return problems
}

/** Karpenter's own profiles, `<cluster>_<hash>`, have at most 121 characters; those that a user names may be anything. */
function ofNodeClass(nodeClass: Manifest): readonly NameProblem[] {
  return (['role', 'instanceProfile'] as const).flatMap((field) => {
    const name = textField(nodeClass, 'spec', field)
    const problem =
      name === undefined ? undefined : wrong(name, field === 'role' ? rules.role : rules.profile)
    if (problem === undefined) return []
    return [
      {
        input: 'node-pools',
        problem: `EC2NodeClass ${nodeClass.metadata.name}: spec.${field} ${problem}`,
        fix: `Give the name alone in spec.${field}.`
      }
    ]
  })
}

function tooLarge(
  policy: RenderedStack['policies'][number],
  clusterName: string,
  version: string
): NameProblem {
  const text = JSON.stringify(policy.document)
  const times = text.split(clusterName).length - 1
  const longest =
    clusterName.length - Math.ceil((policy.size - iamQuotas.policyCharacters) / Math.max(1, times))
  return {
    input: 'cluster-name',
    problem: `policy ${policy.name} of Karpenter ${version} comes to ${policy.size} characters, and IAM takes ${iamQuotas.policyCharacters}: "${clusterName}" stands in it ${times} times, and ${Math.max(0, longest)} characters is the longest name that fits here`,
    fix: "Take `karpenter-version` 1.9.0 or later, whose permissions are several policies, or pass a `template` of your own with the controller's statements in two policies."
  }
}

/** Release and service account have the chart's own name, so the trust policy can be written before the release is. */
export const releaseName = 'karpenter'

/** Tag by which the guide's selectors find subnets and security groups. */
export const discoveryTag = 'karpenter.sh/discovery'
