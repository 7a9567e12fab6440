import { resource, type AnyResource } from '../../engine/resource.js'
import { conditionOf, type Condition } from '../../kubernetes/conditions.js'
import { ec2NodeClasses } from '../../kubernetes/kinds.js'
import { isManifest, type Manifest } from '../../kubernetes/manifest.js'
import { waitsApart } from '../../kubernetes/waits-together.js'
import { manifestResource } from '../kubernetes-object.js'
import { awaitRenewedHash, hashVersionOf, type NewHash } from './hash-renewal.js'
import { lookAgain } from '../look-again.js'
import { removeNodeClass } from '../removal/node-class-removal.js'
import type { NodeObjectPorts } from './node-pool.js'
import { nodeClassSeverity } from './node-severity.js'
import { notReady } from './node-health.js'
import { awaitReady } from './ready.js'
import { awaitSelection, type Tagged } from './selection.js'
import { idOf } from '../ids.js'

/** What a failing condition's type and reason ask for (Karpenter 1.0 to 1.15). */
const fixes: readonly { readonly reason: RegExp; readonly fix: string }[] = [
  {
    // From 1.15 on, where the CRD takes any kubelet setting: pkg/controllers/nodeclass/validation.go.
    reason: /Kubelet/,
    fix: "Correct spec.kubelet of the EC2NodeClass in node-pools: from 1.15 on the API server takes any kubelet setting, and it is Karpenter's controller that refuses one. No node is made until it is put right."
  },
  {
    reason: /SubnetsNotFound|SubnetsReady/,
    fix: 'Tag the subnets with karpenter.sh/discovery=<cluster> (input subnets), or correct subnetSelectorTerms in node-pools.'
  },
  {
    reason: /SecurityGroupsNotFound|SecurityGroupsReady/,
    fix: 'Tag the security group with karpenter.sh/discovery=<cluster> (input security-groups), or correct securityGroupSelectorTerms in node-pools.'
  },
  {
    reason: /AMI|UnsupportedAlias/,
    fix: "Correct amiSelectorTerms in node-pools: an alias like al2023@latest; al2 has no images from Kubernetes 1.33 on, and a pinned date must be published for the cluster's Kubernetes version."
  },
  {
    reason: /AuthCheckFailed/,
    fix: "The controller's policies, a permissions boundary or an organisation's policy deny it: compare them with the statements of this version's stack, then run again."
  },
  {
    reason: /InstanceProfile/,
    fix: 'The node role must exist and the controller must be allowed to pass it: check node-role-name and spec.role of the EC2NodeClass.'
  },
  {
    // Up to 1.2 it has no condition of its own.
    reason: /CIDR|NodeClassNotReady/,
    fix: 'The controller needs eks:DescribeCluster on this cluster; check that settings.clusterName is its name.'
  },
  {
    reason: /TagValidationFailed/,
    fix: 'Take the tags that Karpenter keeps for itself (karpenter.sh/*, kubernetes.io/cluster/*, eks:eks-cluster-name) out of spec.tags.'
  }
]

/** By type and reason alone: messages name what they wait for as well. */
export function nodeClassFix(conditions: readonly Condition[]): string {
  const causes = conditions.filter(({ reason }) => reason !== 'DependenciesNotReady')
  const own = causes.filter(({ type }) => type !== 'Ready')
  const text = (own.length > 0 ? own : causes).map((one) => `${one.type} ${one.reason}`).join(', ')
  const found = fixes.find(({ reason }) => reason.test(text))
  return found?.fix ?? 'Correct what the message names in node-pools or in AWS, and run again.'
}

/** Which machines Karpenter makes. Ready when subnets, security groups, images and the instance profile were found. */
export function ec2NodeClass(
  manifest: Manifest,
  ports: NodeObjectPorts & {
    /**
     * Where another controller runs than the one that is coming: the version of the hash that this one computes, as far as
     * that is known. Nothing is changed before it does.
     */
    readonly newHash?: NewHash
    /** What it is to find by our tag. */
    readonly tagged?: Tagged
  }
): AnyResource {
  const { kubernetes, removal, awaitByName = waitsApart(kubernetes, ec2NodeClasses) } = ports
  const { name } = manifest.metadata
  const own = manifestResource({
    ...ports,
    id: idOf.ec2NodeClass(name),
    layer: 'karpenter',
    kind: ec2NodeClasses,
    manifest,
    severity: nodeClassSeverity,
    settle: async (step, known) => {
      let rechecked = false
      const validateAgain = async (object: Manifest): Promise<void> => {
        // A refused dry run is remembered for half an hour; any new annotation makes Karpenter try again, which helps
        // when the policies were attached only moments ago.
        const validation = conditionOf(object, 'ValidationSucceeded')
        if (rechecked || validation === undefined || !/AuthCheckFailed/.test(validation.reason)) return
        rechecked = true
        await step.pause(10_000)
        await lookAgain(kubernetes.within(step.signal), name, step)
        step.note(`EC2NodeClass ${name}: asked Karpenter to validate again`)
      }
      const awaited = { kind: ec2NodeClasses, name, known, fix: nodeClassFix, seen: validateAgain }
      const object = await awaitReady(awaitByName, awaited, step)
      const { tagged } = ports
      if (tagged !== undefined)
        await awaitSelection(kubernetes.within(step.signal), awaitByName, { object, tagged }, step)
    },
    works: true,
    remove: async (live, step) => {
      const within = kubernetes.within(step.signal)
      // Marked by an earlier run, whose obstacle may have been put right since.
      if (live.metadata.deletionTimestamp !== undefined) await lookAgain(within, name, step)
      return removeNodeClass({ ...removal, kubernetes: within }, name, step)
    }
  })
  return resource(
    {
      ...own,
      health: async (live, look) => ({ ailments: notReady(live, nodeClassFix, look.now()), unread: [] }),
      apply: async (live, differences, step, left) => {
        if (live.state === 'present' && live.value.metadata.deletionTimestamp !== undefined)
          await lookAgain(kubernetes.within(step.signal), name, step)
        if (live.state === 'present' && ports.newHash !== undefined)
          await awaitRenewedHash(
            awaitByName,
            { name, before: hashVersionOf(live.value), wanted: ports.newHash.version },
            step
          )
        await own.apply(live, differences, step, left)
      }
    },
    isManifest
  )
}
