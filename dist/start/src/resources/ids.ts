/**
 * The id of each resource of an installation, typed here and nowhere else. The record is kept by them, so that one that
 * has been released is never renamed.
 */
export const idOf = {
  subnetTags: 'subnet-tags',
  securityGroupTags: 'security-group-tags',
  stack: 'stack',
  policy: (name: string) => `policy/${name}` as const,
  role: (name: string) => `role/${name}` as const,
  /** By its logical id: the stack names it. */
  rule: (logicalId: string) => `rule/${logicalId}` as const,
  queue: 'queue',
  retiredParts: 'retired-parts',
  spotServiceLinkedRole: 'spot-service-linked-role',
  oidcProvider: 'oidc-provider',
  controllerRole: 'controller-role',
  controllerRolePolicies: 'controller-role-policies',
  podIdentityAgent: 'pod-identity-agent',
  podIdentityAssociation: 'pod-identity-association',
  retiredAssociation: 'retired-association',
  nodeAccess: 'node-access',
  namespace: 'namespace',
  flowSchemas: 'flow-schemas',
  crds: 'crds',
  helmRelease: 'helm-release',
  controllerPods: 'controller-pods',
  ec2NodeClass: (name: string) => `ec2-node-class/${name}` as const,
  nodePool: (name: string) => `node-pool/${name}` as const,
  instances: 'instances',
  leftovers: 'leftovers'
} as const

export type ResourceKind = keyof typeof idOf

type IdBehind<Entry> = Entry extends (name: string) => infer Id ? Id : Entry

export type ResourceId = IdBehind<(typeof idOf)[ResourceKind]>

/** What an id has behind its kind; undefined for one of another kind. */
export function nameIn(of: (name: string) => ResourceId, id: string): string | undefined {
  const prefix = of('')
  return id.startsWith(prefix) ? id.slice(prefix.length) : undefined
}
