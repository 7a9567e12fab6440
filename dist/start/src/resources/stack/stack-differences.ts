import { isOurs } from '../../aws/ownership-tags.js'
import type { LiveStack } from '../../aws/stack-operation.js'
import { situationOf } from '../../aws/stack-status.js'
import { missing, type Difference } from '../../engine/difference.js'
import { templateDifferences } from '../../karpenter/template-differences.js'

export interface StackWanted {
  readonly clusterName: string
  readonly name: string
  readonly template: string
  /** Logical id to the name that the template gives, for people. */
  readonly resources: Readonly<Record<string, string>>
  readonly parameters: Readonly<Record<string, string>>
  /** The user's and the owner tag; CloudFormation puts them on the stack's resources as well. */
  readonly tags: Readonly<Record<string, string>>
  readonly capabilities: readonly ('CAPABILITY_NAMED_IAM' | 'CAPABILITY_IAM' | 'CAPABILITY_AUTO_EXPAND')[]
}

/** `template` is the one that the stack is to have now: the wanted one, or wider. */
export function stackDifferences(
  wanted: StackWanted,
  template: string,
  live: LiveStack
): readonly Difference[] {
  const situation = situationOf(live.status)
  if (situation === 'empty') return [missing(`CloudFormation stack ${wanted.name}`, wanted.name)]
  if (situation !== 'good') {
    return [
      {
        path: 'status',
        wanted: 'CREATE_COMPLETE',
        live: live.status,
        reason: `the stack is ${live.status}`,
        severity: 'breaks scaling'
      }
    ]
  }
  const parts = templateDifferences(template, live.template)
  return [
    ...parts.map((part): Difference => ({
      path: `template.${part}`,
      wanted: 'as in the template',
      live: 'another definition',
      reason: `${part} is defined differently in the stack's template`,
      // What the stack has made is read by itself, and judged there.
      severity: 'changes behaviour'
    })),
    ...Object.entries(wanted.parameters).flatMap(([name, value]): Difference[] =>
      live.parameters[name] === value
        ? []
        : [
            {
              path: `parameters.${name}`,
              wanted: value,
              live: live.parameters[name],
              reason: `parameter ${name} is ${live.parameters[name] ?? 'not set'}`,
              severity: 'breaks scaling'
            }
          ]
    ),
    ...tagDifferences(wanted, live)
  ]
}

/** Tags of a stack that somebody else made are theirs. */
function tagDifferences(wanted: StackWanted, live: LiveStack): readonly Difference[] {
  if (!isOurs(live.tags, wanted.clusterName)) return []
  return Object.entries(wanted.tags).flatMap(([key, value]): Difference[] =>
    live.tags[key] === value
      ? []
      : [
          {
            path: `tags.${key}`,
            wanted: value,
            live: live.tags[key],
            reason: `the stack is not tagged ${key}=${value}`,
            severity: 'cosmetic'
          }
        ]
  )
}
