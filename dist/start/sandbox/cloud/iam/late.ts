import { optionalText } from '../input.js'
import { AwsError, type AwsCall } from '../service.js'
import { missing, type IamState } from './state.js'

/**
 * Why IAM refuses a write that it has not caught up with, reading the state of a while ago: what was made since is not there
 * for it, and what was taken off since still hangs on. Nothing is thrown for a write that the present refuses by itself.
 */
export function refuseLate(state: IamState, { action, input }: AwsCall): void {
  const roleName = optionalText(input, 'RoleName')
  const role = roleName === undefined ? undefined : state.roles.get(roleName)
  if (roleName !== undefined && action !== 'CreateRole' && role === undefined) {
    missing(`The role with name ${roleName} cannot be found.`)
  }
  if (action === 'DeleteRole' && role !== undefined) {
    if (role.attached.length > 0) throw conflict('Cannot delete entity, must detach all policies first.')
    if (Object.keys(role.inline).length > 0)
      throw conflict('Cannot delete entity, must delete policies first.')
    if (state.profilesOf(role.name).length > 0) {
      throw conflict('Cannot delete entity, must remove roles from instance profile first.')
    }
  }
  const arn = optionalText(input, 'PolicyArn')
  if (arn !== undefined && state.policies.get(arn) === undefined) missing(`Policy ${arn} was not found.`)
  if (action === 'DeletePolicy' && arn !== undefined && state.rolesWith(arn).length > 0) {
    throw conflict('Cannot delete a policy attached to entities.')
  }
  const profile = optionalText(input, 'InstanceProfileName')
  if (action === 'DeleteInstanceProfile' && profile !== undefined) {
    if (state.instanceProfiles.get(profile)?.roleName !== undefined) {
      throw conflict('Cannot delete entity, must remove roles from instance profile first.')
    }
  }
}

function conflict(message: string): AwsError {
  return new AwsError('DeleteConflict', message, 409)
}
