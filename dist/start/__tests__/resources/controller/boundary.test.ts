import { PutRolePermissionsBoundaryCommand } from '@aws-sdk/client-iam'
import { controllerRole } from '../../../src/resources/controller/controller-role.js'
import { startAccount, type TestAccount } from '../account.js'
import { install, ownership } from '../walk-one.js'

const guard = 'arn:aws:iam::aws:policy/ReadOnlyAccess'
const other = 'arn:aws:iam::aws:policy/AdministratorAccess'
const RoleName = 'blue-karpenter'

let home: TestAccount
beforeEach(async () => {
  home = await startAccount()
})
afterEach(async () => home.close())

const role = (permissionsBoundary?: string) =>
  controllerRole(
    {
      clusterName: 'blue',
      roleName: RoleName,
      arn: `arn:aws:iam::111122223333:role/${RoleName}`,
      trust: { kind: 'pod-identity' },
      tags: { 'setup-karpenter:owner': 'blue' },
      ...(permissionsBoundary !== undefined && { permissionsBoundary })
    },
    { aws: home.aws, ownership }
  )

/** The role as this action makes it, and an organisation's boundary on it. */
async function guarded(): Promise<void> {
  await install(role())
  const iam = await home.aws.iam()
  await iam.send(new PutRolePermissionsBoundaryCommand({ RoleName, PermissionsBoundary: guard }))
}

describe('A permissions boundary that somebody else put on the controller role', () => {
  it('stays, and is said', async () => {
    await guarded()
    const { before, step } = await install(role())
    expect(before).toMatchObject({
      state: 'as wanted',
      notes: [
        `the permissions boundary ${guard}, which nothing asks for, stays (\`permissions-boundary: none\` takes it off)`
      ]
    })
    expect(step.lines).toEqual([])
    expect(home.cloud.iam.role(RoleName).boundary).toBe(guard)
  })

  it('goes when none is asked for', async () => {
    await guarded()
    const { after, step } = await install(role('none'))
    expect(step.lines).toEqual([`took the permissions boundary ${guard} off ${RoleName}`])
    expect(after).toMatchObject({ state: 'as wanted', notes: [] })
  })

  it('gives way to the one that is asked for, which is set before all else is written', async () => {
    await guarded()
    const trusting = home.cloud.iam.role(RoleName)
    const trust = JSON.stringify({ Version: '2012-10-17', Statement: [] })
    home.cloud.iam.roles.set(RoleName, { ...trusting, trust })
    home.cloud.clearCalls()
    const { before, after } = await install(role(other))
    expect(before.differences.map(({ path }) => path)).toEqual(['trust', 'permissionsBoundary'])
    expect(after).toMatchObject({ state: 'as wanted', notes: [] })
    const writes = home.cloud.calls().filter(({ write }) => write)
    expect(writes.map(({ action }) => action)).toEqual([
      'PutRolePermissionsBoundary',
      'UpdateAssumeRolePolicy'
    ])
  })
})
