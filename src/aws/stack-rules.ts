import type { Rule } from '@aws-sdk/client-eventbridge'
import type { Aws } from './clients.js'
import { sharedRead } from '../engine/once.js'
import { type Likely, physicalIds } from './stack-operation.js'

/** A rule of the stack: its logical id, and the name that the template gives it, if any. */
export interface RuleId {
  readonly logicalId: string
  readonly name?: string | undefined
}

/** The rules of a stack as EventBridge has them, whatever names CloudFormation has made up for them. */
export interface StackRules {
  /** Undefined when there is none. Rejects as EventBridge and CloudFormation do. */
  find(rule: RuleId): Promise<Rule | undefined>
  /** The name that the rule has in the stack, be it there or not; undefined when the stack has no such rule. */
  nameOf(rule: RuleId): Promise<string | undefined>
}

/**
 * One ListRules for all rules of the stack. Where a name that CloudFormation made up cannot be told for certain from the
 * list (it was cut, or the rule is gone), the stack says it: DescribeStackResources, once for all; beside the list where the
 * rules are likely to be absent.
 */
export function stackRules(
  aws: Aws,
  stackName: string,
  ids: readonly RuleId[],
  likely: Likely = 'there'
): StackRules {
  const prefix = commonPrefix(
    ids.map(({ logicalId, name }) => name ?? `${madeUpPrefix(stackName, logicalId).text}-`)
  )
  const list = sharedRead(async () => rulesByPrefix(aws, prefix))
  const inStack = sharedRead(async () => physicalIds(aws, stackName))

  async function nameOf({ logicalId, name }: RuleId, known?: NamesOfStack): Promise<string | undefined> {
    return name ?? (known ?? (await inStack())).get(logicalId)
  }

  return {
    nameOf,
    find: async (rule) => {
      const asksStack = rule.name === undefined && likely === 'absent'
      const [listed, names] = await Promise.all([list(), asksStack ? inStack() : undefined])
      const certain = rule.name === undefined ? certainly(listed, stackName, rule.logicalId) : undefined
      if (certain !== undefined) return certain
      const name = await nameOf(rule, names)
      if (name === undefined) return undefined
      const found = listed.find((one) => one.Name === name)
      if (found !== undefined || name.startsWith(prefix)) return found
      return (await rulesByPrefix(aws, name)).find((one) => one.Name === name)
    }
  }
}

/** Physical ids by logical ids. */
type NamesOfStack = Awaited<ReturnType<typeof physicalIds>>

async function rulesByPrefix(aws: Aws, prefix: string): Promise<readonly Rule[]> {
  const { ListRulesCommand } = await import('./sdk/eventbridge.js')
  const eventbridge = await aws.eventbridge()
  const rules: Rule[] = []
  let token: string | undefined
  do {
    const page = await eventbridge.send(
      new ListRulesCommand({
        ...(prefix !== '' && { NamePrefix: prefix }),
        ...(token !== undefined && { NextToken: token })
      })
    )
    rules.push(...(page.Rules ?? []))
    token = page.NextToken
  } while (token !== undefined)
  return rules
}

/** The only rule whose name must be the one made up for this logical id in this stack. */
function certainly(rules: readonly Rule[], stackName: string, logicalId: string): Rule | undefined {
  const { text, wholeStack } = madeUpPrefix(stackName, logicalId)
  // Two stacks whose names begin alike come to the same once they are cut.
  if (!wholeStack) return undefined
  const own = rules.filter(
    ({ Name = '' }) => Name.startsWith(`${text}-`) && /^[A-Za-z0-9]{11,13}$/.test(Name.slice(text.length + 1))
  )
  return own.length === 1 ? own[0] : undefined
}

/** EventBridge's limit of a rule's name, and what is left of it for stack and logical id: `<both>-<12 characters>`. */
const room = 64 - 13

/**
 * `<stack>-<logical id>` as CloudFormation's resource providers begin a name that they make up: what is too long is cut,
 * the room shared out evenly, and what the shorter one does not need goes to the longer one
 * (IdentifierUtils of cloudformation-cli-java-plugin).
 */
export function madeUpPrefix(
  stackName: string,
  logicalId: string
): { readonly text: string; readonly wholeStack: boolean } {
  const free = room - 1
  const stack = stackName.replaceAll(/-{2,}/g, '-')
  const ofStack = Math.min(stack.length, Math.max(Math.floor(free / 2), free - logicalId.length))
  const ofLogicalId = Math.min(logicalId.length, free - ofStack)
  const text = `${stack.slice(0, ofStack)}-${logicalId.slice(0, ofLogicalId)}`
  return { text, wholeStack: stack.slice(0, ofStack) === stackName }
}

function commonPrefix(texts: readonly string[]): string {
  const [first = '', ...others] = texts
  let length = first.length
  while (!others.every((text) => text.startsWith(first.slice(0, length)))) length--
  return first.slice(0, length)
}
