import { sharedRead } from '../../engine/once.js'
import { type LiveStack, readStack } from '../../aws/stack-operation.js'
import type { JsonMap } from '../../engine/json.js'
import { knownPolicies, renderedRoles } from '../../karpenter/rendered-roles.js'
import { type RenderedStack, renderTemplate, type StackSettings } from '../../karpenter/rendered-stack.js'
import { asGiven } from '../../karpenter/template-as-read.js'
import { widenedTemplate } from '../../karpenter/widened-template.js'
import type { Widen } from '../../resources/stack/stack.js'
import type { ModelParts } from './parts.js'
import { recordedStack } from '../../resources/recorded.js'

/** The stack between two versions: what it has for as long as the old controller may still run. */
export interface Transition {
  readonly widen: Widen
  /** The stack as it is; one read for all who ask at once. */
  readonly liveStack: () => Promise<LiveStack | undefined>
  /** Document of a managed policy in it now; undefined where that cannot be known: it is the wanted one then. */
  readonly document: (policyArn: string) => Promise<JsonMap | undefined>
  /** ARNs of the managed policies of a role in it now. */
  readonly rolePolicies: (roleName: string) => Promise<readonly string[] | undefined>
}

export function transition({ inputs, found, decisions }: ModelParts): Transition {
  const { aws, cluster } = found
  const { nodeRole } = decisions.stack
  const settings: StackSettings = {
    clusterName: cluster.name,
    stackName: inputs.stackName,
    account: aws.account,
    // What stands may be without a node role: it is not looked for there.
    nodeRoleArn: nodeRole.arn
  }
  /** What is kept of the stack's template is written again: as it was given, not as it is answered. */
  const widen: Widen = (target, live) => {
    const template = asGiven(live.template, [recordedStack(found.record).template, target])
    return widenedTemplate(target, { ...live, template }, settings)
  }
  let standing = decisions.standing
  const liveStack = sharedRead(async () => {
    const first = standing
    standing = undefined
    return first === undefined ? readStack(aws, inputs.stackName) : first.live
  })
  const interim = sharedRead(async (): Promise<RenderedStack | undefined> => {
    const live = await liveStack()
    if (live === undefined) return undefined
    return renderedOrNot(widen(decisions.template, live).text, settings)
  })
  return {
    widen,
    liveStack,
    document: async (policyArn) => {
      const stack = await interim()
      return stack && knownPolicies(stack).find(({ arn }) => arn === policyArn)?.document
    },
    rolePolicies: async (roleName) => {
      const stack = await interim()
      return stack && renderedRoles(stack).find(({ name }) => name === roleName)?.policyArns
    }
  }
}

/** Of a stack that only CloudFormation can work out, no policy has been widened either. */
function renderedOrNot(text: string, settings: StackSettings): RenderedStack | undefined {
  try {
    return renderTemplate(text, settings)
  } catch {
    return undefined
  }
}
