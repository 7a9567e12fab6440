import { policyName } from '../../aws/role-policies.js'
import type { Difference } from '../../engine/difference.js'

/** `who` reads on to what it lacks: `nodes lack`. */
export function missingPolicy(arn: string, who: string): Difference {
  return {
    path: `policies.${policyName(arn)}`,
    wanted: arn,
    live: undefined,
    reason: `${policyName(arn)} is not attached, so ${who} its permissions`,
    severity: 'breaks scaling'
  }
}

/** A policy that somebody attached. `input` names those that are to stay. */
export function furtherPolicy(arn: string, input: string): Difference {
  return {
    path: `furtherPolicies.${policyName(arn)}`,
    wanted: undefined,
    live: arn,
    reason: `${arn} is attached, which nothing asks for (\`${input}\` names policies that are to stay)`,
    severity: 'weakens security'
  }
}

/** The document as IAM has it, so that who reads the report sees what it grants. */
export function furtherInlinePolicy(name: string, document: string): Difference {
  return {
    path: `inline.${name}`,
    wanted: undefined,
    live: document,
    reason: `the role has the inline policy ${name}, which nothing asks for`,
    severity: 'weakens security'
  }
}

/** Tags that the role lacks or has with other values. */
export function tagDrift(
  wanted: Readonly<Record<string, string>>,
  live: Readonly<Record<string, string>>
): readonly Difference[] {
  return Object.entries(wanted).flatMap(([key, value]): readonly Difference[] =>
    live[key] === value
      ? []
      : [
          {
            path: `tags.${key}`,
            wanted: value,
            live: live[key],
            reason: `the role is not tagged ${key}=${value}`,
            severity: 'cosmetic'
          }
        ]
  )
}
