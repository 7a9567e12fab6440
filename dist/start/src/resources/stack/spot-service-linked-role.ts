import type { Aws } from '../../aws/clients.js'
import { awsProblem, codeOf, liveOf, wasRepeated } from '../../aws/errors.js'
import { missing } from '../../engine/difference.js'
import { messageOf } from '../../engine/errors.js'
import { isMap } from '../../engine/json.js'
import { resource, type AnyResource } from '../../engine/resource.js'
import { idOf } from '../ids.js'

export interface SpotServiceLinkedRoleWanted {
  readonly roleName: string
}

const service = 'spot.amazonaws.com'

/** EC2 Spot's own role in the account, without which no spot node starts. One per account; never removed. */
export function spotServiceLinkedRole(ports: { readonly aws: Aws }): AnyResource {
  const title = 'Spot service-linked role'
  const wanted: SpotServiceLinkedRoleWanted = { roleName: 'AWSServiceRoleForEC2Spot' }
  return resource<SpotServiceLinkedRoleWanted, { readonly arn: string }>(
    {
      id: idOf.spotServiceLinkedRole,
      layer: 'iam',
      title,
      dependsOn: [],
      wanted,
      read: async () =>
        liveOf(title, async () => {
          const { GetRoleCommand } = await import('../../aws/sdk/iam.js')
          const iam = await ports.aws.iam()
          const { Role } = await iam.send(new GetRoleCommand({ RoleName: wanted.roleName }))
          return { arn: Role?.Arn ?? '' }
        }),
      compare: () => [],
      absent: (want) => [missing(`service-linked role ${want.roleName}`, want.roleName)],
      apply: async (_live, _differences, step) => {
        const { CreateServiceLinkedRoleCommand } = await import('../../aws/sdk/iam.js')
        const iam = await ports.aws.iam()
        try {
          await iam.send(new CreateServiceLinkedRoleCommand({ AWSServiceName: service }))
        } catch (error) {
          if (!hasBeenTaken(error)) {
            throw awsProblem(title, `${wanted.roleName} could not be created`, error)
          }
          if (!wasRepeated(error)) return
        }
        step.changed(`created service-linked role ${wanted.roleName}`)
      },
      sign: { by: 'nobody', reason: 'the whole account uses it for spot instances' },
      remove: async () => ({ outcome: 'absent' })
    },
    (value): value is SpotServiceLinkedRoleWanted => isMap(value) && typeof value['roleName'] === 'string'
  )
}

/** AWS's "already exists" of CreateServiceLinkedRole is InvalidInput with this text. */
export function hasBeenTaken(error: unknown): boolean {
  return codeOf(error) === 'InvalidInput' && /has been taken/.test(messageOf(error))
}
