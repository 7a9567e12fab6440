import type { Made } from './shape.js'

const datadogs = "somebody else's, kubectl datadog"

/** The ids as parts that kubectl datadog keeps, in an adoption report. */
export function keptByDatadog(...ids: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(ids.map((id) => [id, datadogs]))
}

/** What an adoption report says of an installation of kubectl datadog in either mode, without what hands out its role. */
export function datadogReport(cluster: string, made: Made): Readonly<Record<string, string>> {
  const policies = [
    'NodeLifecycle',
    'IAMIntegration',
    'EKSIntegration',
    'Interruption',
    // Of the template that the plugin brings along, whichever Karpenter it installs.
    'ZonalShift',
    'ResourceDiscovery'
  ]
  const rules = [
    'ScheduledChange',
    'SpotInterruption',
    'Rebalance',
    'InstanceStateChange',
    'CapacityReservationInterruption'
  ]
  return {
    'subnet-tags': 'as wanted',
    'security-group-tags': 'as wanted',
    'controller-role-policies': 'as wanted',
    'spot-service-linked-role': 'missing',
    'flow-schemas': 'missing',
    'retired-parts': 'as wanted',
    ...keptByDatadog(
      ...['stack', 'queue', `role/KarpenterNodeRole-${cluster}`],
      ...policies.map((name) => `policy/KarpenterController${name}Policy-${cluster}`),
      ...rules.map((name) => `rule/${name}Rule`),
      ...['controller-role', 'node-access', 'namespace', 'crds'],
      ...made.nodePools.map((name) => `node-pool/${name}`),
      ...made.nodeClasses.map((name) => `ec2-node-class/${name}`)
    ),
    'helm-release': `${datadogs}, Helm release dd-karpenter/karpenter`
  }
}

/** What stays even when what was adopted is removed: all that the plugin keeps. */
export function keptParts(cluster: string): readonly string[] {
  return [
    ...['/nodepools/dd-karpenter-', '/ec2nodeclasses/dd-karpenter-', ' karpenter-core'],
    ...[
      `role/${cluster}-karpenter`,
      `role/KarpenterNodeRole-${cluster}`,
      'policy/KarpenterControllerZonalShift'
    ]
  ]
}
