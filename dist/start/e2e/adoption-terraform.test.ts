import { adoptionScenario } from './adoption-scenario.js'
import { terraform } from './shapes/terraform.js'

const cluster = 'ex-karpenter'
const terraforms = "somebody else's, Terraform"

adoptionScenario(terraform, {
  report: {
    'subnet-tags': 'as wanted',
    'security-group-tags': 'as wanted',
    stack: 'missing',
    [`policy/KarpenterControllerPolicy-${cluster}`]: 'missing',
    'spot-service-linked-role': 'missing',
    'retired-parts': 'as wanted',
    'controller-role': terraforms,
    [`role/${cluster}`]: terraforms,
    queue: 'as wanted',
    'pod-identity-agent': terraforms,
    'pod-identity-association': terraforms,
    'controller-role-policies': 'different',
    'node-access': terraforms,
    namespace: 'as wanted',
    crds: terraforms,
    'helm-release': `${terraforms}, Helm release kube-system/karpenter`,
    'ec2-node-class/default': 'as wanted',
    'node-pool/default': 'as wanted'
  },
  gone: ['/nodepools/', '/ec2nodeclasses/'],
  kept: [
    ...['role/KarpenterController-', `role/${cluster}`, `Karpenter-${cluster}`],
    ...['policy/KarpenterController-', 'KarpenterHealthEvent-', `podidentityassociation/${cluster}`],
    ...[`access-entry/${cluster}/role/111122223333/${cluster}/`]
  ],
  release: 'kept'
})
