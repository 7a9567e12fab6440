import type { Facts } from './facts.js'
import type { Concern } from './finding.js'
import { idOf, nameIn } from '../resources/ids.js'

/** CloudFormation makes nothing that is there already: the new stack would fail on it and go back. */
export async function nameTaken({
  stackName,
  nodeRoleName,
  nodeRoleNamed,
  inspections
}: Pick<Facts, 'stackName' | 'nodeRoleName' | 'nodeRoleNamed' | 'inspections'>): Promise<readonly Concern[]> {
  const all = await inspections()
  if (all.get(idOf.stack)?.state !== 'absent') return []
  const inStack = [...all.values()].filter(
    ({ resource, present }) => present.length > 0 && isMadeByStack(resource.id)
  )
  return inStack.map(({ resource }): Concern => ({
    level: 'error',
    subject: resource.title,
    problem: `is there already, and there is no stack ${stackName} that it could be of`,
    evidence: '',
    fix: `${
      resource.id === idOf.role(nodeRoleName) && !nodeRoleNamed
        ? `To use it as it is, and leave it to whoever made it, pass \`node-role-name: ${nodeRoleName}\`. Else delete it`
        : 'Delete it'
    } when nothing uses it, or take other names: \`stack-name\`, \`node-role-name\`, a \`template\` of your own${resource.id === idOf.queue ? ', `interruption-queue` with its name' : ''}.`
  }))
}

/** Ids of resources that only the stack makes. */
function isMadeByStack(id: string): boolean {
  return id === idOf.queue || [idOf.role, idOf.policy].some((of) => nameIn(of, id) !== undefined)
}
