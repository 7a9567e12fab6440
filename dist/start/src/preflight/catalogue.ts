import { figure } from '../engine/figure.js'
import { iamQuotas } from '../aws/quotas.js'

/** What a check may find, for docs/preflight.md and for `preflight-allow`. */
export interface Described {
  readonly level: 'error' | 'warning' | 'note'
  readonly says: string
  /** What `preflight-allow` calls the error, where going on all the same can make sense. */
  readonly override?: string
  /** The input that allows it instead: `allow-downgrade: true`. */
  readonly input?: string
}

interface Description {
  readonly looksAt: string
  readonly findings: readonly Described[]
}

/** Every check by its name: the one list of them that code, inputs and docs/preflight.md are held to. */
export const catalogue = {
  'cluster-active': {
    looksAt: 'status of the cluster (eks:DescribeCluster)',
    findings: [
      { level: 'error', says: 'the cluster is being made or deleted, or has failed' },
      { level: 'warning', says: 'the cluster is being updated' }
    ]
  },
  'cluster-endpoint': {
    looksAt: "the API server's endpoint and who may reach it",
    findings: [
      {
        level: 'error',
        says: 'the endpoint does not answer this runner within 5 s: private, restricted to other addresses, or a broken network'
      }
    ]
  },
  'auto-mode': {
    looksAt: 'computeConfig of the cluster',
    findings: [{ level: 'error', says: 'the cluster is in EKS Auto Mode, where AWS runs Karpenter' }]
  },
  'version-pair': {
    looksAt: 'version, the version that runs, the version of the record, Kubernetes',
    findings: [
      {
        level: 'error',
        says: "the version does not support the cluster's Kubernetes: with what comes of it, and what to take",
        override: 'version-pair'
      },
      {
        level: 'error',
        says: 'the version is 2.0 or later',
        override: 'next-major'
      },
      {
        level: 'error',
        says: 'the release is broken (1.8.0), with the release to take',
        override: 'broken-release'
      },
      { level: 'error', says: 'the version cannot follow the one that runs (before 1.0)' },
      {
        level: 'warning',
        says: 'the release fails in some clusters, or upstream says to skip it (1.3.0, 1.7.0, 1.8.4, 1.10.0, 1.11.0, 1.11.1), with the release to take'
      },
      {
        level: 'error',
        says: 'the version is older than the one that runs, or than that of the last install',
        input: 'allow-downgrade: true'
      },
      { level: 'warning', says: 'such a downgrade is allowed; what it means' }
    ]
  },
  'rolling-update': {
    looksAt: "the controller's replicas and strategy, when another version follows the one that runs",
    findings: [{ level: 'warning', says: 'no controller runs until the new one has started' }]
  },
  'v1beta1-remains': {
    looksAt: 'NodePools, where 1.0 runs and 1.1 or later is wanted',
    findings: [
      {
        level: 'error',
        says: 'kubelet settings in the annotation of 1.0, with which 1.1 to 1.5 end at their start'
      },
      { level: 'warning', says: 'the same where 1.6 or later is wanted, which does not read it' },
      { level: 'error', says: 'a nodeClassRef without group or kind' }
    ]
  },
  'ami-alias': {
    looksAt: "aliases in EC2NodeClasses, and AWS's own SSM parameters for those that are pinned",
    findings: [
      { level: 'error', says: 'an AL2 alias on Kubernetes 1.33 or later, for which AWS publishes no images' },
      { level: 'error', says: 'a pinned release that AWS has not published for this Kubernetes' },
      { level: 'note', says: 'the parameters may not be read' }
    ]
  },
  'another-karpenter': {
    looksAt:
      'Deployments by label and image, Helm releases, CRDs and their owner, webhooks, objects of old versions',
    findings: [
      { level: 'error', says: 'another Karpenter controller runs in the cluster' },
      { level: 'error', says: 'a CRD has objects stored as v1beta1 and Karpenter 1.1 or later is wanted' },
      {
        level: 'error',
        says: 'a webhook of an older Karpenter still judges its objects, and its service is gone',
        override: 'old-webhook'
      },
      { level: 'warning', says: "a webhook of an older Karpenter still judges Karpenter's objects" },
      { level: 'warning', says: 'a Helm release of Karpenter or of its CRDs that this action did not make' },
      { level: 'warning', says: 'CRDs of Karpenter 0.32 or older, with the objects that are left' },
      { level: 'warning', says: 'a CRD converts by a webhook that the version does not have' }
    ]
  },
  'left-crds': {
    looksAt:
      'with `crds: leave`: the CRDs that are there, who keeps them, and what the controller and the manifests need of them',
    findings: [
      { level: 'error', says: 'one is missing, does not serve a version, or lacks fields that are given' },
      { level: 'warning', says: 'one is of another version' },
      { level: 'note', says: 'one is as wanted, and whose it is' }
    ]
  },
  'pruned-fields': {
    looksAt:
      'NodePools and EC2NodeClasses that are there, against the schemas of CRDs that are to be written',
    findings: [
      {
        level: 'error',
        says: 'fields that those CRDs do not have, which the API server would drop without a word',
        override: 'pruned-fields'
      }
    ]
  },
  'not-adopted': {
    looksAt: 'who made the Karpenter that is there, where there is no record of this action',
    findings: [
      { level: 'error', says: 'somebody else made it, and `adopt: true` is not given' },
      { level: 'error', says: 'it cannot be taken over as it is, with each reason' },
      { level: 'error', says: 'it was taken over, and an input asks for another name than it has' }
    ]
  },
  'cluster-autoscaler': {
    looksAt: 'Deployments by image, and the node groups of the nodes',
    findings: [{ level: 'warning', says: 'Cluster Autoscaler runs, with the node groups that it manages' }]
  },
  'names-and-policy-size': {
    looksAt: 'names of role, policies, stack, queue, instance profile; policies as rendered for this cluster',
    findings: [
      { level: 'error', says: 'a name that AWS would refuse' },
      {
        level: 'error',
        says: `a policy of more than ${figure(iamQuotas.policyCharacters)} characters, or more policies than a role may have`
      }
    ]
  },
  identity: {
    looksAt:
      'pods of the Pod Identity agent on the nodes that can run the controller; the OIDC issuer for IRSA',
    findings: [
      {
        level: 'error',
        says: 'the agent is Ready on no node that can run the controller',
        override: 'pod-identity-agent'
      },
      { level: 'warning', says: 'the agent is not Ready on some of them' },
      { level: 'error', says: 'the cluster has no OIDC issuer, and controller-identity is irsa' }
    ]
  },
  queue: {
    looksAt: 'interruption-queue, the template, settings.interruptionQueue, SQS',
    findings: [
      { level: 'error', says: 'the queue is not there, or the chart is told of another one' },
      { level: 'warning', says: 'no rule of the stack leads to it, or the controller may not read it' }
    ]
  },
  'name-taken': {
    looksAt: 'what the stack is to make, where there is no such stack',
    findings: [
      { level: 'error', says: 'a queue, role or policy of that name is there and is not of this stack' }
    ]
  },
  'stack-service-role': {
    looksAt: 'with `stack-role-arn`: that role and its trust policy (IAM), where something is to be changed',
    findings: [{ level: 'error', says: 'it is not there, or CloudFormation may not assume it' }]
  },
  'not-ours': {
    looksAt: 'every resource that is there',
    findings: [
      { level: 'error', says: 'it is of somebody else and not as wanted, so this action will not touch it' },
      {
        level: 'error',
        says: 'CRDs that another Helm release or a GitOps tool keeps are not those of the version',
        input: 'crds: take-over'
      },
      { level: 'error', says: 'it may not be read, with the permission that is missing' }
    ]
  },
  permissions: {
    looksAt: 'what the plan will call, by iam:SimulatePrincipalPolicy; nothing when nothing is to be changed',
    findings: [
      { level: 'error', says: "the run's role lacks actions, all of them at once", override: 'permissions' },
      {
        level: 'note',
        says: "the role may not simulate its own policies, or IAM's answer decides nothing about an action; what is not known is never taken for allowed"
      }
    ]
  },
  'subnet-tags-conflict': {
    looksAt: 'tags, zones and free addresses of the subnets; tags of the security groups',
    findings: [
      { level: 'error', says: 'there is none, it is tagged for another cluster, or no address is free' },
      { level: 'warning', says: 'one zone only, or few free addresses' }
    ]
  },
  network: {
    looksAt:
      "route tables and VPC endpoints of the subnets' VPC, tags of subnets and security groups; nothing of EC2 is asked when nothing is to be changed",
    findings: [
      {
        level: 'error',
        says: "nodes reach AWS's services from none of the subnets: no route to the internet, or one to an internet gateway without public addresses, or one to a NAT gateway that is gone; and endpoints of the VPC are missing",
        override: 'subnet-routes'
      },
      {
        level: 'warning',
        says: 'the same of some of the subnets only, or where routes lead to other networks'
      },
      { level: 'warning', says: 'endpoints of the VPC have private DNS off' },
      {
        level: 'warning',
        says: 'nothing leads out of the VPC, and settings.isolatedVPC is not set, an EC2NodeClass has a role in place of an instance profile, or the image of the controller is in a public registry'
      },
      {
        level: 'warning',
        says: 'none or more than one of the security groups has the tag of the cluster (`kubernetes.io/cluster/...`), by which load balancer controllers choose'
      },
      {
        level: 'warning',
        says: "subnets or security groups of another VPC have this cluster's discovery tag, or those chosen belong to another cluster"
      },
      {
        level: 'note',
        says: 'they are shared with another cluster, or more of them than those chosen have the discovery tag'
      },
      { level: 'note', says: 'route tables or endpoints may not be read' }
    ]
  },
  'ipv6-pods': {
    looksAt:
      'kubernetesNetworkConfig of the cluster, what the policies of node-role-policies (or of a role of `node-role-name` that was there already) allow, the role of service account kube-system/aws-node',
    findings: [
      {
        level: 'warning',
        says: 'the cluster is an IPv6 one, and new nodes may not assign IPv6 addresses, with the policy to add'
      },
      { level: 'note', says: 'policies, or the role of the service account, may not be read' }
    ]
  },
  'node-security-groups': {
    looksAt:
      'security groups of EC2NodeClasses, and of the nodes that are there and not made by Karpenter (ec2:DescribeInstances), with their rules',
    findings: [
      {
        level: 'warning',
        says: 'those of new nodes are on none of the others, and no rule lets DNS pass between them both ways'
      },
      { level: 'note', says: 'instances or rules may not be read' }
    ]
  },
  'node-class-selectors': {
    looksAt: 'selector terms of EC2NodeClasses',
    findings: [{ level: 'error', says: 'they find no subnet or no security group' }]
  },
  'node-class-role': {
    looksAt:
      'roles and instance profiles that EC2NodeClasses name beside the node role of the stack, and a role of `node-role-name` that was there already (IAM)',
    findings: [
      { level: 'error', says: 'the role or instance profile is not there, or the profile has no role' },
      {
        level: 'error',
        says: 'no policy of the stack lets the controller pass it: not Ready from 1.3 on, no node before',
        override: 'pass-role'
      },
      { level: 'error', says: 'EC2 may not take the role' },
      { level: 'note', says: 'it may not be read' }
    ]
  },
  'node-class-images': {
    looksAt: 'amiSelectorTerms of EC2NodeClasses by id, name, owner and tags (ec2:DescribeImages)',
    findings: [
      { level: 'error', says: 'they find no image' },
      { level: 'note', says: 'images may not be read' }
    ]
  },
  'node-class-reference': {
    looksAt: 'nodeClassRef of NodePools',
    findings: [{ level: 'error', says: 'the EC2NodeClass is neither in the manifests nor in the cluster' }]
  },
  'node-pool-requirements': {
    looksAt:
      "requirements of NodePools, against the zones of their EC2NodeClass's subnets and the instance types that EC2 offers there",
    findings: [
      { level: 'error', says: 'no subnet is in a zone (or for an operating system) that they ask for' },
      {
        level: 'error',
        says: 'they leave no instance type, with the requirement that excludes the last, or fewer kinds than minValues asks for'
      },
      { level: 'note', says: 'offered instance types may not be read' }
    ]
  },
  'controller-on-own-nodes': {
    looksAt:
      "node affinity, nodeSelector and tolerations in helm-values, against NodePools' labels and taints; Fargate profiles",
    findings: [{ level: 'warning', says: 'the controller could run on nodes that it makes itself' }]
  },
  'controller-capacity': {
    looksAt:
      "nodes, against the controller's requests, affinity, tolerations and zone spread; when something is to be changed also Fargate profiles, and the pods on up to ten of these nodes; otherwise whether the controller runs on Fargate",
    findings: [
      {
        level: 'error',
        says: 'the replicas cannot all be placed, or find no room beside pods of the same priority',
        override: 'controller-capacity'
      },
      {
        level: 'error',
        says: 'the cluster has Fargate nodes only, and no Fargate profile takes the controller in',
        override: 'controller-capacity'
      },
      {
        level: 'error',
        says: 'a Fargate profile takes the controller in, and it has Pod Identity or `hostNetwork`'
      },
      { level: 'warning', says: 'the controller would push pods of a lower priority off their nodes' },
      { level: 'note', says: 'Fargate profiles or pods may not be read' }
    ]
  },
  'template-policies': {
    looksAt: "policies of the stack, against what this version's controller calls",
    findings: [
      { level: 'error', says: 'an action is allowed by none of them, or the node role may not be passed' },
      { level: 'warning', says: 'an action that only features off by default need' }
    ]
  },
  'chart-values': {
    looksAt: "helm-values, against the chart's own values.yaml",
    findings: [{ level: 'error', says: 'a value that the chart does not have' }]
  },
  admission: {
    looksAt:
      "namespace, FlowSchemas, CRDs, the chart's objects by helm's own rendering, and a pod of its Deployment, by a dry run of the API server",
    findings: [
      {
        level: 'error',
        says: 'a policy, Pod Security, a quota or a missing right keeps it from being made',
        override: 'admission'
      },
      {
        level: 'warning',
        says: "a policy refuses it in namespace default, which stands in for one that isn't there yet"
      }
    ]
  },
  'manifest-dry-run': {
    looksAt:
      "NodePools and EC2NodeClasses, by a dry run of the API server; by the chart's own CRDs and their rules where the run applies those first",
    findings: [
      { level: 'error', says: 'the API server refuses it' },
      { level: 'error', says: 'the CRDs that are to be installed will refuse it' }
    ]
  }
} as const satisfies Readonly<Record<string, Description>>

export type CheckName = keyof typeof catalogue

const described: readonly (Description & { readonly name: string })[] = Object.entries(catalogue).map(
  ([name, description]) => ({ name, ...description })
)

/** All names that `preflight-allow` takes. */
export const overrides: readonly string[] = described
  .flatMap(({ findings }) => findings)
  .flatMap(({ override }) => (override === undefined ? [] : [override]))

/** Rows of the table in docs/preflight.md: check, what it looks at, level, what it says, override. */
export function catalogueRows(): readonly (readonly [string, string, string, string, string])[] {
  return described.flatMap(({ name, looksAt, findings }) =>
    findings.map(
      ({ level, says, override, input }, index) =>
        [index === 0 ? name : '', index === 0 ? looksAt : '', level, says, override ?? input ?? ''] as const
    )
  )
}
