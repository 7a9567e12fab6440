import { isOurs, ownerTag } from '../../aws/ownership-tags.js'
import { containerRank, ownerOfMarks, type Mark, type Owner } from './owner-evidence.js'

const stackNameTag = 'aws:cloudformation:stack-name'

interface Sign {
  readonly who: string | ((value: string) => string)
  readonly says: (key: string, value: string) => boolean
  readonly rank?: number
}

const key =
  (...names: readonly string[]) =>
  (tag: string): boolean =>
    names.includes(tag)

const prefix =
  (...starts: readonly string[]) =>
  (tag: string): boolean =>
    starts.some((start) => tag.startsWith(start))

const inStack =
  (start: string) =>
  (tag: string, value: string): boolean =>
    tag === stackNameTag && value.startsWith(start)

/** `ManagedBy`, `managed-by`, `Provisioned By`: how teams name the tool in a tag. */
const keeper = /^(managed|created|provisioned|deployed)[-_: ]?by$/i

const kept =
  (tool: RegExp) =>
  (tag: string, value: string): boolean =>
    keeper.test(tag) && tool.test(value)

const oneOf =
  (...signs: readonly Sign['says'][]) =>
  (tag: string, value: string): boolean =>
    signs.some((sign) => sign(tag, value))

/** What tools write into tags. A tool that keeps things in a stack of its own comes before the stack. */
const signs: readonly Sign[] = [
  { who: (value) => `setup-karpenter of cluster ${value}`, says: key(ownerTag) },
  {
    // kubectl-datadog: tags of its stacks, which go on to what is in them, and the names of the stacks.
    who: 'kubectl datadog',
    says: oneOf(kept(/^(kubectl-datadog|dd-karpenter)$/), inStack('dd-karpenter-'))
  },
  {
    who: 'eksctl',
    says: oneOf(prefix('alpha.eksctl.io/', 'eksctl.cluster.k8s.io/', 'eksctl.io/'), inStack('eksctl-'))
  },
  { who: 'Crossplane', says: oneOf(key('crossplane-kind', 'crossplane-name', 'crossplane-providerconfig')) },
  {
    // AWS Controllers for Kubernetes: run by oneself, and as a capability of EKS.
    who: 'ACK',
    says: oneOf(prefix('services.k8s.aws/'), key('eks:eks-capability-arn'))
  },
  { who: 'Pulumi', says: oneOf(prefix('pulumi:'), kept(/pulumi/i)) },
  {
    // terraform-aws-modules: the tag of its eks module, and those of the examples that people begin with.
    who: 'Terraform',
    says: oneOf(
      key('terraform-aws-modules'),
      (tag, value) => /^github(repo|org)$/i.test(tag) && /terraform/i.test(value),
      (tag, value) => /^(terraform|opentofu)$/i.test(tag) && !/^(false|no|0)$/i.test(value),
      kept(/terraform|terragrunt|tofu/i)
    )
  },
  { who: 'AWS CDK', says: oneOf(prefix('aws-cdk:', 'aws:cdk:'), kept(/\bcdk\b/i)) },
  { who: 'kops', says: prefix('kops.k8s.io/') },
  { who: 'AWS Service Catalog', says: prefix('aws:servicecatalog:') },
  { who: (value) => `CloudFormation stack ${value}`, says: key(stackNameTag), rank: containerRank },
  // Instance profiles, launch templates and instances that the controller makes for itself.
  {
    who: 'Karpenter',
    says: prefix('karpenter.k8s.aws/ec2nodeclass', 'karpenter.sh/nodepool'),
    rank: containerRank + 1
  },
  { who: 'EKS', says: key('aws:eks:cluster-name', 'eks:nodegroup-name'), rank: containerRank + 2 },
  { who: (value) => value, says: kept(/./), rank: containerRank + 3 }
]

/** What is known of an AWS resource. */
export interface Tagged {
  readonly tags: Readonly<Record<string, string>>
  /** Its name, where somebody chose it. */
  readonly name?: string
}

/** Whose an AWS resource is, by its tags and its name. */
export function ownerByTags({ tags, name }: Tagged, clusterName: string): Owner {
  if (isOurs(tags, clusterName)) return { kind: 'ours' }
  return ownerOfMarks([...marksOf(tags), ...(name === undefined ? [] : markOfName(name))])
}

/**
 * Whose a CloudFormation stack is: of a tool, by its tags and by the names that tools give. That it is a stack says
 * nothing of who keeps it.
 */
export function ownerOfStack({ tags, name }: Tagged & { readonly name: string }, clusterName: string): Owner {
  if (isOurs(tags, clusterName)) return { kind: 'ours' }
  const byName = marksOf({ [stackNameTag]: name })
    .filter(({ rank }) => rank !== containerRank)
    .map((mark) => ({ ...mark, evidence: `stack name ${name}` }))
  return ownerOfMarks([...marksOf(tags), ...byName])
}

function marksOf(tags: Readonly<Record<string, string>>): readonly Mark[] {
  return Object.entries(tags).flatMap(([tag, value]) =>
    signs.flatMap(({ who, says, rank }, index) =>
      says(tag, value)
        ? [
            {
              rank: rank ?? index,
              who: typeof who === 'string' ? who : who(value),
              evidence: `tag ${tag}=${value}`
            }
          ]
        : []
    )
  )
}

/** Terraform's name_prefix ends in the time to a tenth of a millisecond and a counter: 20260102030405123400000001. */
const prefixedByTerraform =
  /20\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])([01]\d|2[0-3])[0-5]\d[0-5]\d\d{4}[0-9a-f]{8}$/

function markOfName(name: string): readonly Mark[] {
  if (!prefixedByTerraform.test(name)) return []
  const rank = signs.findIndex(({ who }) => who === 'Terraform')
  return [{ rank, who: 'Terraform', evidence: `name ${name}, whose end is that of Terraform's name_prefix` }]
}
