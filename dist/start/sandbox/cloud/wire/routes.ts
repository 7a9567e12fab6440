/** The REST paths of EKS, EKS Auth and ARC zonal shift that the sandbox serves, as the services' API models state them. */

type Route = readonly [method: string, path: string]

const cluster = '/clusters/{clusterName}'
const entry = `${cluster}/access-entries/{principalArn}`
const profile = `${cluster}/fargate-profiles/{fargateProfileName}`
const association = `${cluster}/pod-identity-associations/{associationId}`

const routes: Readonly<Record<string, Readonly<Record<string, Route>>>> = {
  eks: {
    ListClusters: ['GET', '/clusters'],
    DescribeCluster: ['GET', '/clusters/{name}'],
    DescribeClusterVersions: ['GET', '/cluster-versions'],
    UpdateClusterConfig: ['POST', '/clusters/{name}/update-config'],
    DescribeUpdate: ['GET', '/clusters/{name}/updates/{updateId}'],
    ListUpdates: ['GET', '/clusters/{name}/updates'],
    ListNodegroups: ['GET', `${cluster}/node-groups`],
    DescribeNodegroup: ['GET', `${cluster}/node-groups/{nodegroupName}`],
    CreateFargateProfile: ['POST', `${cluster}/fargate-profiles`],
    ListFargateProfiles: ['GET', `${cluster}/fargate-profiles`],
    DescribeFargateProfile: ['GET', profile],
    DeleteFargateProfile: ['DELETE', profile],
    CreateAccessEntry: ['POST', `${cluster}/access-entries`],
    ListAccessEntries: ['GET', `${cluster}/access-entries`],
    DescribeAccessEntry: ['GET', entry],
    UpdateAccessEntry: ['POST', entry],
    DeleteAccessEntry: ['DELETE', entry],
    AssociateAccessPolicy: ['POST', `${entry}/access-policies`],
    ListAssociatedAccessPolicies: ['GET', `${entry}/access-policies`],
    DisassociateAccessPolicy: ['DELETE', `${entry}/access-policies/{policyArn}`],
    ListAddons: ['GET', `${cluster}/addons`],
    CreateAddon: ['POST', `${cluster}/addons`],
    DescribeAddon: ['GET', `${cluster}/addons/{addonName}`],
    DeleteAddon: ['DELETE', `${cluster}/addons/{addonName}`],
    DescribeAddonVersions: ['GET', '/addons/supported-versions'],
    CreatePodIdentityAssociation: ['POST', `${cluster}/pod-identity-associations`],
    ListPodIdentityAssociations: ['GET', `${cluster}/pod-identity-associations`],
    DescribePodIdentityAssociation: ['GET', association],
    UpdatePodIdentityAssociation: ['POST', association],
    DeletePodIdentityAssociation: ['DELETE', association],
    ListTagsForResource: ['GET', '/tags/{resourceArn}'],
    TagResource: ['POST', '/tags/{resourceArn}'],
    UntagResource: ['DELETE', '/tags/{resourceArn}']
  },
  'eks-auth': {
    AssumeRoleForPodIdentity: ['POST', `${cluster}/assume-role-for-pod-identity`]
  },
  'arc-zonal-shift': {
    GetManagedResource: ['GET', '/managedresources/{resourceIdentifier}']
  }
}

/** Query parameters that are lists even when given once. */
const listParameters = new Set(['tagKeys', 'types', 'publishers', 'owners', 'include', 'clusterVersions'])

export interface Routed {
  readonly action: string
  /** Path labels and query parameters. */
  readonly input: Readonly<Record<string, unknown>>
}

/** Undefined: the service has no such path. */
export function route(service: string, method: string, url: URL): Routed | undefined {
  const path = url.pathname.split('/')
  for (const [action, [wanted, template]] of Object.entries(routes[service] ?? {})) {
    const labels = wanted === method ? match(template.split('/'), path) : undefined
    if (labels !== undefined) return { action, input: { ...parameters(url.searchParams), ...labels } }
  }
  return undefined
}

function match(template: readonly string[], path: readonly string[]): Record<string, string> | undefined {
  if (template.length !== path.length) return undefined
  const labels: Record<string, string> = {}
  for (const [index, part] of template.entries()) {
    const given = path[index] ?? ''
    if (part.startsWith('{')) {
      if (given === '') return undefined
      labels[part.slice(1, -1)] = decodeURIComponent(given)
    } else if (part !== given) return undefined
  }
  return labels
}

function parameters(search: URLSearchParams): Record<string, unknown> {
  return Object.fromEntries(
    [...new Set(search.keys())].map((name) => [
      name,
      listParameters.has(name) ? search.getAll(name) : search.get(name)
    ])
  )
}
