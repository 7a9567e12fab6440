import type { ResourceType } from '../handler.js'
import { instanceProfile } from './instance-profile.js'
import { managedPolicy } from './managed-policy.js'
import { queuePolicy } from './queue-policy.js'
import { queue } from './queue.js'
import { role } from './role.js'
import { rule } from './rule.js'

/** Every resource type that the sandbox's CloudFormation can make; a template with any other is refused. */
export const resourceTypes: ReadonlyMap<string, ResourceType> = new Map(
  [role, instanceProfile, managedPolicy, queue, queuePolicy, rule].map((type) => [type.name, type])
)
