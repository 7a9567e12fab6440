import semver from 'semver'
import { iamArn } from '../aws/partition.js'
import type { Owner } from '../engine/owner.js'
import type { Account, Ownership } from '../aws/environment.js'
import type { Inputs } from '../inputs/inputs.js'
import { discoveryTag, guideNames, releaseName } from '../karpenter/names.js'
import { field, listField, type Manifest, textField } from '../kubernetes/manifest.js'
import { ownerOfObject } from './owners/object-owner.js'
import { type Adopted, type Adoption, type Mismatch, mismatches } from './adoption.js'
import type { Installation } from './installation.js'
import { publishedPolicy } from './published-stack.js'

/** Why an installation cannot be taken over as it is. */
export interface Objection {
  readonly subject: string
  readonly problem: string
  readonly evidence: string
  readonly fix: string
}

/** Taken over with these names, and with the NodePools and EC2NodeClasses as they are; or not at all. */
export type Terms =
  | { readonly kind: 'compatible'; readonly adopted: Adopted }
  | { readonly kind: 'not compatible'; readonly objections: readonly Objection[] }

export interface TermsFacts {
  readonly installation: Installation
  readonly inputs: Inputs
  readonly account: Account
  readonly ownership: Ownership
}

/** Whether an installation can be taken over without new names and without new nodes, and as what. Pure. */
export function termsOf(facts: TermsFacts): Terms {
  const { installation, inputs } = facts
  const old = tooOld(facts)
  const found = old.length > 0 ? old : [...ofRelease(facts), ...ofIdentity(facts)]
  const { identity, release } = installation
  if (found.length > 0 || identity === undefined || release === undefined)
    return { kind: 'not compatible', objections: found }
  const adoption = adoptionOf(facts, release, identity)
  const others = mismatches(inputs, adoption).map(objectionTo)
  if (others.length > 0) return { kind: 'not compatible', objections: others }
  return {
    kind: 'compatible',
    adopted: {
      adoption,
      nodePools: installation.nodePools.map(asWanted),
      nodeClasses: installation.nodeClasses.map(asWanted)
    }
  }
}

export function objectionTo({ input, asked, found }: Mismatch): Objection {
  return {
    subject: input,
    problem: `"${asked}" is asked for, and the installation that is there has "${found}"`,
    evidence: '',
    fix: `Leave \`${input}\` out, or pass ${found}: an adoption changes no names.`
  }
}

/** Before 1.0 there is another API, and what holds for it cannot be read by this one. */
function tooOld({ installation: { controller } }: TermsFacts): readonly Objection[] {
  const version = semver.coerce(controller.version)
  if (version === null || semver.gte(version, '1.0.0')) return []
  return [
    {
      subject: `Deployment ${controller.namespace}/${controller.deployment}`,
      problem: `runs Karpenter ${version.version}, and an adoption begins at 1.0`,
      evidence: '',
      fix: "Follow Karpenter's upgrade guide to 1.0 first, with the tool that installed it; then run again."
    }
  ]
}

function ofRelease({ installation, ownership }: TermsFacts): readonly Objection[] {
  const { controller, release, serviceAccount, deployment } = installation
  const subject = `Deployment ${controller.namespace}/${controller.deployment}`
  if (release === undefined) {
    const of = controller.release
    return [
      {
        subject,
        problem:
          of === undefined
            ? 'runs Karpenter and was not installed by helm'
            : `runs Karpenter, and of its helm release ${of.namespace}/${of.name} there is no record any more`,
        evidence: evidenceOf(ownerOfObject(deployment, ownership)),
        fix: `Remove it, or install it from its chart as release "${releaseName}" first: helm takes over its objects with --take-ownership.`
      }
    ]
  }
  const named = `helm release ${release.namespace}/${release.name}`
  return [
    ...(release.name === releaseName
      ? []
      : [
          {
            subject: named,
            problem: `is not named "${releaseName}", and an adoption changes no names`,
            evidence: '',
            fix: `Install Karpenter anew as release "${releaseName}", or go on with ${release.name} without this action.`
          }
        ]),
    ...(serviceAccount === releaseName
      ? []
      : [
          {
            subject: named,
            problem: `its controller runs as service account "${serviceAccount}", not "${releaseName}"`,
            evidence: '',
            fix: 'Take serviceAccount.name, nameOverride and fullnameOverride out of its values first.'
          }
        ]),
    ...reconciled(named, ownerOfObject(deployment, ownership))
  ]
}

/** These put their own state back within minutes: two masters of one release undo each other's work for ever. */
const reconcilers = /^(Argo CD|Flux|Rancher Fleet|Crossplane)/

function reconciled(subject: string, owner: Owner): readonly Objection[] {
  if (owner.kind !== 'other' || !reconcilers.test(owner.who)) return []
  return [
    {
      subject,
      problem: `${owner.who} keeps it, and would put back whatever this action changes`,
      evidence: owner.evidence.join('; '),
      fix: 'Let it go there first, without deleting what it made (Argo CD: delete --cascade=false; Flux: suspend, then delete with prune off), or go on with that tool.'
    }
  ]
}

function ofIdentity({ installation, account }: TermsFacts): readonly Objection[] {
  const { controller, serviceAccount, identity } = installation
  const subject = `service account ${controller.namespace}/${serviceAccount}`
  if (identity === undefined) {
    return [
      {
        subject,
        problem: 'has no IAM role of its own',
        evidence: 'no annotation eks.amazonaws.com/role-arn, and no Pod Identity association',
        fix: 'Give it one by IRSA or Pod Identity first; a role of the nodes, or keys in a Secret, are not taken over.'
      }
    ]
  }
  const name = identity.roleArn.split('/').at(-1) ?? ''
  if (identity.roleArn === iamArn(account, `role/${name}`)) return []
  return [
    {
      subject,
      problem: `its role ${identity.roleArn} lies under a path, or in another account`,
      evidence: '',
      fix: `Give it a role ${iamArn(account, `role/${name}`)}.`
    }
  ]
}

function evidenceOf(owner: Owner): string {
  return owner.kind === 'ours' ? '' : owner.evidence.join('; ')
}

function adoptionOf(
  { installation, inputs }: TermsFacts,
  release: NonNullable<Installation['release']>,
  identity: NonNullable<Installation['identity']>
): Adoption {
  const { stack, nodeClasses, policyArns } = installation
  const { clusterName } = inputs
  const [nodeRole] = installation.nodeRoles
  const inStack = (id: string): boolean =>
    stack?.ids.some((one) => one === id || one.endsWith(`/${id}`)) === true
  const queueName = installation.queueName ?? (installation.queueOfStackName ? clusterName : undefined)
  const othersPolicies = policyArns.filter((arn) => publishedPolicy(clusterName).test(arn) && !inStack(arn))
  return {
    namespace: release.namespace,
    controllerIdentity: identity.strategy,
    controllerRoleName: identity.roleArn.split('/').at(-1) ?? '',
    nodeRoleName: nodeRole?.name ?? guideNames(clusterName).nodeRole,
    nodeAccess: installation.nodeAccess,
    stackName: stack?.name ?? inputs.stackName,
    ...(stack?.version !== undefined && { templateVersion: stack.version }),
    others: {
      ...(nodeRole !== undefined && !inStack(nodeRole.name) && { nodeRoleArn: nodeRole.arn }),
      ...(queueName !== undefined && !inStack(queueName) && { queueName }),
      ...(othersPolicies.length > 0 && { policyArns: othersPolicies })
    },
    subnetIds: statusIds(nodeClasses, 'subnets'),
    securityGroupIds: statusIds(nodeClasses, 'securityGroups'),
    discoveryTags: nodeClasses.some((nodeClass) => findsByTag(nodeClass, clusterName)),
    helmValues: release.values
  }
}

/** What Karpenter itself says that it found by the selectors. */
function statusIds(nodeClasses: readonly Manifest[], of: 'subnets' | 'securityGroups'): readonly string[] {
  const ids = nodeClasses.flatMap((nodeClass) =>
    listField(nodeClass, 'status', of).flatMap((one) => textField(one, 'id') ?? [])
  )
  return [...new Set(ids)].toSorted()
}

function findsByTag(nodeClass: Manifest, clusterName: string): boolean {
  return [
    ...listField(nodeClass, 'spec', 'subnetSelectorTerms'),
    ...listField(nodeClass, 'spec', 'securityGroupSelectorTerms')
  ].some((term) => textField(term, 'tags', discoveryTag) === clusterName)
}

/** The object as a manifest would give it; its labels and annotations are its maker's affair. */
export function asWanted(live: Manifest): Manifest {
  return {
    apiVersion: live.apiVersion,
    kind: live.kind,
    metadata: { name: live.metadata.name },
    spec: field(live, 'spec')
  }
}
