import { boundaryDrifts, eksDrifts, networkDrifts, policyDrifts, roleDrifts } from './drifts/aws.js'
import type { Drift } from './drifts/drift.js'
import { guideDrifts } from './drifts/guide.js'
import { annotationRemoved, helmDrifts, karpenterDrifts, kubernetesDrifts } from './drifts/kubernetes.js'
import { interruptionDrifts, queueDeleted, stackDrifts } from './drifts/stack.js'

/** What Kubernetes 1.35 with access entries and the newest Karpenter by Pod Identity have in AWS. */
export const todaysDriftsInAws: readonly Drift[] = [
  ...networkDrifts,
  ...policyDrifts,
  ...roleDrifts,
  ...boundaryDrifts,
  ...stackDrifts,
  ...interruptionDrifts,
  ...eksDrifts
]

/** The same in the cluster. */
export const todaysDriftsInTheCluster: readonly Drift[] = [
  ...kubernetesDrifts,
  ...helmDrifts,
  ...karpenterDrifts
]

/** Kubernetes 1.32, authentication mode CONFIG_MAP, the oldest Karpenter by IRSA. */
export const driftsOfTheGuide: readonly Drift[] = [...guideDrifts, annotationRemoved, queueDeleted]
