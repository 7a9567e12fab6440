import { type DeployedValues, readDeployedValues } from '../helm/release.js'
import type { Kubernetes } from '../kubernetes/client.js'
import { isClaimOfEc2, isPoolOfEc2 } from '../karpenter/node-class-group.js'
import { conditionOf } from '../kubernetes/conditions.js'
import { KubernetesError } from '../kubernetes/errors.js'
import {
  customResourceDefinitions,
  ec2NodeClasses,
  nodeClaims,
  nodePools,
  untyped
} from '../kubernetes/kinds.js'
import { lean, notLooked } from '../kubernetes/lean.js'
import { type Manifest, textField } from '../kubernetes/manifest.js'
import type { ClaimFacts } from './node-drift.js'

/** What is read for the notes. What the caller may not read is undefined, and named in `unread`. */
export interface UpgradeReads {
  readonly crds: readonly Manifest[] | undefined
  readonly objects: readonly Manifest[] | undefined
  readonly release: DeployedValues | undefined
  readonly claims: readonly ClaimFacts[] | undefined
  readonly unread: readonly string[]
}

export interface WantedReads {
  /** Names of the CRDs to read; none where they stay as they are. */
  readonly crds: readonly string[]
  /** NodePools and EC2NodeClasses, which those of other hands may be among. */
  readonly objects: boolean
  readonly release: { readonly name: string; readonly namespace: string } | undefined
}

const crdKind = untyped(
  customResourceDefinitions.apiVersion,
  customResourceDefinitions.kind,
  customResourceDefinitions.resource,
  false
)

/** Side by side; NodeClaims always, for what they are read for is why this is called. */
export async function readForNotes(kubernetes: Kubernetes, wanted: WantedReads): Promise<UpgradeReads> {
  const unread: string[] = []
  const orUnread = async <T>(read: Promise<T>): Promise<T | undefined> =>
    read.catch((error: unknown) => {
      if (!(error instanceof KubernetesError) || error.permission === undefined) throw error
      unread.push(error.permission)
      return undefined
    })
  const { release } = wanted
  const [crds, pools, classes, deployed, claims] = await Promise.all([
    orUnread(Promise.all(wanted.crds.map(async (name) => kubernetes.get(crdKind, name)))),
    wanted.objects
      ? orUnread(
          kubernetes.pick(nodePools, (pool) => (isPoolOfEc2(pool) ? lean(pool) : undefined), notLooked)
        )
      : undefined,
    wanted.objects ? orUnread(kubernetes.pick(ec2NodeClasses, lean, notLooked)) : undefined,
    release && orUnread(readDeployedValues(kubernetes, release.name, release.namespace)),
    orUnread(kubernetes.pick(nodeClaims, claimFacts, notLooked))
  ])
  return {
    crds: crds?.filter((crd) => crd !== undefined),
    objects: pools && classes && [...classes.items, ...pools.items.filter((pool) => pool !== undefined)],
    release: deployed,
    claims: claims?.items.filter((claim) => claim !== undefined),
    unread: [...new Set(unread)].toSorted()
  }
}

function claimFacts(claim: Manifest): ClaimFacts | undefined {
  if (!isClaimOfEc2(claim)) return undefined
  const { name, labels = {} } = claim.metadata
  return {
    name,
    nodePool: labels['karpenter.sh/nodepool'] ?? '',
    nodeClass: textField(claim, 'spec', 'nodeClassRef', 'name') ?? '',
    labels,
    drifted: conditionOf(claim, 'Drifted')?.status === 'True'
  }
}
