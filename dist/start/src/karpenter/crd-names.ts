import { ec2NodeClasses, nodeClaims, nodeOverlays, nodePools, resourceName } from '../kubernetes/kinds.js'

/** API groups that are Karpenter's own. */
export const ownGroups: readonly string[] = ['karpenter.sh', 'karpenter.k8s.aws']

/** A foreign API that the chart carries since 1.14, and other autoscalers use as well. */
const capacityBuffers = 'capacitybuffers.autoscaling.x-k8s.io'

/** Every CRD of the charts from 1.0 on. */
export const crdNames: readonly string[] = [
  ...[nodePools, nodeClaims, ec2NodeClasses, nodeOverlays].map(resourceName),
  capacityBuffers
]

/** CRDs that only Karpenter before 0.33 had. */
export const retiredCrds: readonly string[] = [
  'provisioners.karpenter.sh',
  'machines.karpenter.sh',
  'awsnodetemplates.karpenter.k8s.aws'
]

/** Whether a CRD is of one of Karpenter's own groups, by its name. */
export function isOwnCrd(name: string): boolean {
  return ownGroups.some((group) => name.endsWith(`.${group}`))
}

/** Whether Karpenter's chart has a CRD of that name, or once had. */
export function isCrdOfCharts(name: string): boolean {
  return isOwnCrd(name) || name === capacityBuffers
}
