import type { ActionResult, Sandbox } from '../sandbox/index.js'
import { holdPublished } from '../sandbox/cluster/deployer-policy.js'
import { calledGone } from './said.js'
import { succeeded } from './scenario.js'

export const uninstall = {
  mode: 'uninstall',
  'remove-crds': 'true',
  'remove-oidc-provider': 'true',
  timeout: '5m'
}

/** The spot role stays in the account, whoever made it. */
export function withoutSpotRole(names: readonly string[]): readonly string[] {
  return names.filter((name) => !name.includes('AWSServiceRoleForEC2Spot'))
}

/** By a role that has exactly the published policy of this mode. */
export async function install(
  sandbox: Sandbox,
  inputs: Readonly<Record<string, string>>
): Promise<ActionResult> {
  await holdPublished(sandbox, 'install')
  return succeeded(await sandbox.run({ 'smoke-test': 'false', ...inputs }))
}

/** By a role that has exactly the published policy of this mode. */
export async function remove(
  sandbox: Sandbox,
  inputs: Readonly<Record<string, string>> = {},
  options: Parameters<Sandbox['run']>[1] = {}
): Promise<ActionResult> {
  await holdPublished(sandbox, 'uninstall')
  sandbox.cloud.clearCalls()
  return compared(sandbox, await sandbox.run({ ...uninstall, ...inputs }, options))
}

/** An uninstall that has come to its proof, which is held to what stands. */
export async function compared(sandbox: Sandbox, result: ActionResult): Promise<ActionResult> {
  if (result.outputs['leftovers'] === undefined) return result
  const gone = await calledGone(sandbox, result)
  if (gone.length > 0) throw new Error(`called gone, and there: ${gone.join(', ')}\n${result.log}`)
  return result
}
