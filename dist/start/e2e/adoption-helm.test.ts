import { adoptionScenario } from './adoption-scenario.js'
import { helmAlone } from './shapes/helm-alone.js'

const cluster = 'migrated'

adoptionScenario(helmAlone, {
  report: {
    'subnet-tags': 'as wanted',
    'security-group-tags': 'as wanted',
    stack: 'missing',
    [`policy/KarpenterControllerPolicy-${cluster}`]: 'missing',
    'spot-service-linked-role': 'as wanted',
    'retired-parts': 'as wanted',
    'oidc-provider': 'as wanted',
    'controller-role': 'as wanted',
    // The inline policy that the guide gives it stays beside the managed one.
    'controller-role-policies': 'different',
    'node-access': 'as wanted',
    queue: 'missing',
    'rule/ScheduledChangeRule': 'missing',
    'rule/SpotInterruptionRule': 'missing',
    'rule/RebalanceRule': 'missing',
    'rule/InstanceStateChangeRule': 'missing',
    namespace: 'as wanted',
    crds: 'as wanted',
    'helm-release': 'different',
    'ec2-node-class/default': 'as wanted',
    'node-pool/default': 'as wanted',
    [`role/KarpenterNodeRole-${cluster}`]: 'as wanted'
  },
  // There was no queue, and the release is set to the one that is made.
  rolls: true,
  queue: cluster,
  gone: [
    ...['/nodepools/', '/ec2nodeclasses/', ' karpenter-core', 'nodepools.karpenter.sh'],
    ...[`role/KarpenterControllerRole-${cluster}`, 'policy/KarpenterController', `:${cluster}`]
  ],
  kept: [`role/KarpenterNodeRole-${cluster}`, `instance-profile/KarpenterNodeInstanceProfile-${cluster}`],
  release: 'gone'
})
