import type { Aws } from '../aws/clients.js'
import { awsProblem } from '../aws/errors.js'
import { physicalIds } from '../aws/stack-operation.js'
import { templateVersionOf } from '../karpenter/template-version.js'
import { textField } from '../kubernetes/manifest.js'

/** A stack of the published template: the guide's, or that of a tool which brings the template along. */
export interface PublishedStack {
  readonly name: string
  /** Physical ids of what is in it. */
  readonly ids: readonly string[]
  /** The newest version whose template has the same resources; undefined where the template was adapted. */
  readonly version: string | undefined
}

export interface StackNameFacts {
  readonly asked: string
  readonly clusterName: string
  readonly deployment: unknown
  /** Roles bear no tag of their stack today (aws-cloudformation/cloudformation-coverage-roadmap 277). */
  readonly nodeRole: { readonly tags: Readonly<Record<string, string>> } | undefined
}

/** Where the stack may be: by the node role's tag, as kubectl-datadog names it, or under the name that is asked for. */
export function stackNames(facts: StackNameFacts): readonly string[] {
  const { asked, clusterName, deployment, nodeRole } = facts
  const tagged = nodeRole?.tags['aws:cloudformation:stack-name']
  const installer = textField(deployment, 'metadata', 'labels', 'autoscaling.datadoghq.com/installed-by')
  const datadogs = installer === 'kubectl-datadog' ? `dd-karpenter-${clusterName}-karpenter` : undefined
  return [...new Set([tagged, datadogs, asked].filter((name) => name !== undefined))]
}

/** The first of these stacks that made policies by the names of the published template. */
export async function findPublishedStack(
  aws: Aws,
  clusterName: string,
  names: readonly string[]
): Promise<PublishedStack | undefined> {
  const published = publishedPolicy(clusterName)
  for (const name of names) {
    const ids = await physicalIds(aws, name).catch((error: unknown) => {
      throw awsProblem('adopt', `CloudFormation stack ${name} could not be read`, error)
    })
    if ([...ids.values()].some((id) => published.test(id))) {
      return { name, ids: [...ids.values()], version: templateVersionOf(ids.keys()) }
    }
  }
  return undefined
}

/** ARNs of policies that the published templates name, 1.0 to 1.14. */
export function publishedPolicy(clusterName: string): RegExp {
  return new RegExp(`:policy/KarpenterController\\w*Policy-${clusterName}$`)
}
