import { adoptionScenario } from './adoption-scenario.js'
import { eksctl } from './shapes/eksctl.js'

const cluster = 'cluster-with-karpenter'
const eksctls = "somebody else's, eksctl"

adoptionScenario(eksctl, {
  report: {
    'subnet-tags': 'as wanted',
    'security-group-tags': 'as wanted',
    stack: 'missing',
    [`policy/KarpenterControllerPolicy-${cluster}`]: 'missing',
    'spot-service-linked-role': 'missing',
    'retired-parts': 'as wanted',
    'oidc-provider': eksctls,
    [`role/eksctl-KarpenterNodeRole-${cluster}`]: eksctls,
    queue: 'as wanted',
    'controller-role': eksctls,
    'controller-role-policies': 'different',
    'node-access': 'as wanted',
    namespace: 'as wanted',
    'flow-schemas': 'missing',
    crds: 'as wanted',
    // eksctl installs the chart once, and does not look at it again.
    'helm-release': 'different',
    'ec2-node-class/example': 'as wanted',
    'node-pool/example': 'as wanted'
  },
  // The queue that eksctl made is the release's from now on.
  rolls: true,
  gone: ['/nodepools/', '/ec2nodeclasses/', 'policy/KarpenterController', 'nodepools.karpenter.sh'],
  kept: [
    ...[`role/eksctl-${cluster}-iamservice-role`, `:oidc-provider/`],
    ...[`role/eksctl-KarpenterNodeRole-${cluster}`, `policy/eksctl-KarpenterControllerPolicy-${cluster}`],
    ...[`instance-profile/eksctl-KarpenterNodeInstanceProfile-${cluster}`, `/${cluster}`]
  ],
  release: 'gone'
})
