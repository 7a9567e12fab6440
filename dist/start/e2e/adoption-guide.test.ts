import { adoptionScenario } from './adoption-scenario.js'
import { guide } from './shapes/guide.js'

const asWanted = (...ids: readonly string[]): Record<string, string> =>
  Object.fromEntries(ids.map((id) => [id, 'as wanted']))

adoptionScenario(guide, {
  report: {
    ...asWanted('subnet-tags', 'security-group-tags', 'spot-service-linked-role', 'node-access', 'namespace'),
    ...asWanted('stack', 'policy/KarpenterControllerPolicy-karpenter-demo', 'controller-role-policies'),
    ...asWanted('role/KarpenterNodeRole-karpenter-demo', 'queue', 'pod-identity-agent'),
    ...asWanted('rule/ScheduledChangeRule', 'rule/SpotInterruptionRule', 'rule/RebalanceRule'),
    ...asWanted('rule/InstanceStateChangeRule', 'crds', 'helm-release', 'retired-parts'),
    ...asWanted('ec2-node-class/default', 'node-pool/default'),
    // By eksctl's ClusterConfig, as the guide has it.
    'controller-role': "somebody else's, eksctl",
    'pod-identity-association': "somebody else's, eksctl"
  },
  gone: [
    ...['/nodepools/', '/ec2nodeclasses/', ':karpenter-demo', 'KarpenterController'],
    ...['KarpenterNodeRole-karpenter-demo', 'Karpenter-karpenter-demo-', 'nodepools.karpenter.sh']
  ],
  kept: ['role/karpenter-demo-karpenter', 'podidentityassociation/karpenter-demo'],
  release: 'gone'
})
