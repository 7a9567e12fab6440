import type { NodeAccessStrategy } from '../../aws/choices.js'
import type { Aws } from '../../aws/clients.js'
import type { IamRole } from '../../aws/iam-role.js'
import type { AnyResource } from '../../engine/resource.js'
import type { Ownership } from '../../aws/environment.js'
import type { Kubernetes } from '../../kubernetes/client.js'
import { accessEntry } from './access-entry.js'
import { awsAuth } from './aws-auth.js'

export interface NodeAccessWanted {
  readonly clusterName: string
  readonly nodeRoleArn: string
  readonly tags: Readonly<Record<string, string>>
}

export interface NodeAccessPorts {
  readonly aws: Aws
  readonly kubernetes: Pick<Kubernetes, 'get' | 'create' | 'patch'>
  readonly ownership: Ownership
  /** Whether the stack has made the node role, for the nodes of this installation alone. */
  readonly ownRole: boolean
  readonly keepCopy: (data: Readonly<Record<string, string>>) => void
  /** Reads the node role, which an access entry must not be older than. */
  readonly nodeRole?: () => Promise<Pick<IamRole, 'createdAt'>>
  readonly dependsOn?: readonly string[]
}

/** How nodes may join: one resource, two strategies. */
export function nodeAccess(
  strategy: NodeAccessStrategy,
  wanted: NodeAccessWanted,
  ports: NodeAccessPorts
): AnyResource {
  return strategy === 'access-entry'
    ? accessEntry({ ...wanted, type: 'EC2_LINUX' }, ports)
    : awsAuth({ nodeRoleArn: wanted.nodeRoleArn }, ports)
}
