import { adoptionScenario } from './adoption-scenario.js'
import { kubectlDatadogOnNodes } from './shapes/kubectl-datadog.js'

const cluster = 'observed'
const datadogs = "somebody else's, kubectl datadog"

const keptByDatadog = (...ids: readonly string[]): Record<string, string> =>
  Object.fromEntries(ids.map((id) => [id, datadogs]))

adoptionScenario(kubectlDatadogOnNodes, {
  report: ({ nodePools, nodeClasses }) => ({
    'subnet-tags': 'as wanted',
    'security-group-tags': 'as wanted',
    'controller-role-policies': 'as wanted',
    ...keptByDatadog('stack', 'queue', `role/KarpenterNodeRole-${cluster}`),
    // Of the template that the plugin brings along, whichever Karpenter it installs.
    ...keptByDatadog(
      ...['NodeLifecycle', 'IAMIntegration', 'EKSIntegration', 'Interruption'].map(
        (name) => `policy/KarpenterController${name}Policy-${cluster}`
      ),
      ...['ZonalShift', 'ResourceDiscovery'].map(
        (name) => `policy/KarpenterController${name}Policy-${cluster}`
      )
    ),
    ...keptByDatadog(
      ...['ScheduledChange', 'SpotInterruption', 'Rebalance', 'InstanceStateChange'].map(
        (name) => `rule/${name}Rule`
      ),
      'rule/CapacityReservationInterruptionRule'
    ),
    'spot-service-linked-role': 'missing',
    'flow-schemas': 'missing',
    'retired-parts': 'as wanted',
    'controller-role': datadogs,
    'pod-identity-association': datadogs,
    'pod-identity-agent': datadogs,
    'node-access': datadogs,
    namespace: datadogs,
    crds: datadogs,
    'helm-release': `${datadogs}, Helm release dd-karpenter/karpenter`,
    ...Object.fromEntries(nodePools.map((name) => [`node-pool/${name}`, datadogs])),
    ...Object.fromEntries(nodeClasses.map((name) => [`ec2-node-class/${name}`, datadogs]))
  }),
  gone: [],
  kept: [
    ...['/nodepools/dd-karpenter-', '/ec2nodeclasses/dd-karpenter-', ' karpenter-core'],
    ...[
      `role/${cluster}-karpenter`,
      `role/KarpenterNodeRole-${cluster}`,
      'policy/KarpenterControllerZonalShift'
    ]
  ],
  release: 'kept',
  nodesStay: true
})
