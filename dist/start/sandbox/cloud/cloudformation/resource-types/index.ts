import type { ResourceType } from '../handler.js'
import { accessEntry } from './access-entry.js'
import { addon } from './addon.js'
import { fargateProfile } from './fargate-profile.js'
import { instanceProfile } from './instance-profile.js'
import { managedPolicy } from './managed-policy.js'
import { oidcProvider } from './oidc-provider.js'
import { podIdentityAssociation } from './pod-identity-association.js'
import { queuePolicy } from './queue-policy.js'
import { queue } from './queue.js'
import { role } from './role.js'
import { rule } from './rule.js'
import { waitConditionHandle } from './wait-condition-handle.js'

const types: readonly ResourceType[] = [
  role,
  instanceProfile,
  managedPolicy,
  queue,
  queuePolicy,
  rule,
  addon,
  accessEntry,
  fargateProfile,
  oidcProvider,
  podIdentityAssociation,
  waitConditionHandle
]

/** Every resource type that the sandbox's CloudFormation can make; a template with any other is refused. */
export const resourceTypes: ReadonlyMap<string, ResourceType> = new Map(
  types.map((type) => [type.name, type])
)
