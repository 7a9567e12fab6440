import {
  AssociateAccessPolicyCommand,
  DisassociateAccessPolicyCommand,
  EKSClient,
  UpdateAccessEntryCommand
} from '@aws-sdk/client-eks'
import { AddRoleToInstanceProfileCommand, CreateInstanceProfileCommand, IAMClient } from '@aws-sdk/client-iam'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { hold, publishedStatements } from '../sandbox/cluster/deployer-policy.js'
import { newest, startSandbox, type Sandbox } from '../sandbox/index.js'
import { record } from '../sandbox/values.js'
import { controllerPods, holdForNames, standingOf, type Standing } from './adoption-state.js'
import { applyCheckRoles, checkGroup } from './check-cluster-role.js'
import { checkIsClean } from './clean-check.js'
import { errorOf } from './failed-run.js'
import { at, auditor, callsOf, denied, find, get, paths, reportOf, succeeded, until } from './scenario.js'
import { guide } from './shapes/guide.js'
import { installedVersion, type Made } from './shapes/shape.js'
import { startWorkload } from './workload.js'
import { compared } from './removal.js'

const ourRecord = '/api/v1/namespaces/kube-system/configmaps/setup-karpenter'

describe('an adoption that upgrades at once, looked at first and killed on its way', () => {
  const upgrade = { 'karpenter-version': newest, 'smoke-test': 'false' }
  let sandbox: Sandbox
  let made: Made
  let before: Standing

  beforeAll(async () => {
    sandbox = await startSandbox({ ...guide.spec, karpenter: [installedVersion, newest] })
    made = await guide.make(sandbox)
    await startWorkload(sandbox, { name: 'web', replicas: 2, nodePool: made.nodePools[0] ?? '' })
    await holdForNames(sandbox, made, 'install')
    before = await standingOf(sandbox, made)
    sandbox.cloud.clearCalls()
  })
  afterAll(async () => sandbox.stop())

  test('is first looked at by the role of a check, whose instance profiles it must read', async () => {
    const iam = new IAMClient(auditor(sandbox))
    const InstanceProfileName = 'by-hand'
    await iam.send(new CreateInstanceProfileCommand({ InstanceProfileName }))
    await iam.send(new AddRoleToInstanceProfileCommand({ InstanceProfileName, RoleName: made.nodeRole }))
    iam.destroy()
    const [name = ''] = made.nodeClasses
    const spec = record(at(await get(sandbox, `${paths.nodeClasses}/${name}`), 'spec'))
    await sandbox.kubernetes('POST', paths.nodeClasses, {
      apiVersion: 'karpenter.k8s.aws/v1',
      kind: 'EC2NodeClass',
      metadata: { name: 'profiled' },
      spec: { ...spec, role: undefined, instanceProfile: InstanceProfileName }
    })
    await holdForNames(sandbox, made, 'check')
    const report = reportOf(succeeded(await sandbox.run({ mode: 'check' })))
    expect(JSON.stringify(report['adoption'])).toContain('ec2-node-class/profiled')
    expect(denied(callsOf(sandbox))).toEqual([])
    const statements = await publishedStatements(sandbox, 'check')
    hold(
      sandbox,
      statements.filter(({ Sid }) => Sid !== 'ProfilesOfNodeClasses')
    )
    expect(errorOf(await sandbox.run({ mode: 'check' }))).toContain('iam:GetInstanceProfile')
    await sandbox.kubernetes('DELETE', `${paths.nodeClasses}/profiled`)
  })

  test('is looked at by the published role in the cluster alone, by the group of an access entry', async () => {
    const of = { clusterName: sandbox.name, principalArn: sandbox.deployerRoleArn }
    const policyArn = 'arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy'
    const eks = new EKSClient(auditor(sandbox))
    await applyCheckRoles(sandbox, made.namespace)
    await eks.send(new UpdateAccessEntryCommand({ ...of, kubernetesGroups: [checkGroup] }))
    await eks.send(new DisassociateAccessPolicyCommand({ ...of, policyArn }))
    await holdForNames(sandbox, made, 'check')
    sandbox.cloud.clearCalls()
    const report = reportOf(succeeded(await sandbox.run({ mode: 'check' })))
    expect(JSON.stringify(report['adoption'])).toContain(`node-pool/${made.nodePools[0] ?? ''}`)
    expect(denied(callsOf(sandbox))).toEqual([])
    const accessScope = { type: 'cluster' } as const
    await eks.send(new AssociateAccessPolicyCommand({ ...of, policyArn, accessScope }))
    await eks.send(new UpdateAccessEntryCommand({ ...of, kubernetesGroups: [] }))
    eks.destroy()
    await holdForNames(sandbox, made, 'install')
    sandbox.cloud.clearCalls()
  })

  test('is gone on with by the next run, which need not be told to adopt', async () => {
    const points: readonly [string, () => Promise<boolean>][] = [
      ['the record', async () => (await find(sandbox, ourRecord)) !== undefined],
      ['the change of the stack', async () => calledBy('ExecuteChangeSet')],
      [
        'the new CRDs',
        async () => (await find(sandbox, `${paths.crds}/nodeoverlays.karpenter.sh`)) !== undefined
      ]
    ]
    for (const [index, [what, seen]] of points.entries()) {
      const run = { ended: false }
      const cancelAt = until(what, async () => ((await seen()) || run.ended ? true : undefined))
      const result = await sandbox.run(
        { ...upgrade, ...(index === 0 && { adopt: 'true' }) },
        { cancelAt, signals: { untilTerminate: 0, untilKill: 0 } }
      )
      run.ended = true
      expect(result.conclusion).toBe('cancelled')
    }
    const result = succeeded(await sandbox.run(upgrade))
    expect(result.outputs['controller-role-arn']).toContain(`role/${made.controllerRole}`)
    const { nodes, instances } = await standingOf(sandbox, made)
    expect({ nodes, instances }).toEqual({ nodes: before.nodes, instances: before.instances })
    expect(Object.keys(await controllerPods(sandbox, made))).toHaveLength(2)
    await checkIsClean(sandbox, upgrade)
  })

  test('knows afterwards what was there before', async () => {
    sandbox.cloud.clearCalls()
    await holdForNames(sandbox, made, 'uninstall')
    succeeded(await compared(sandbox, await sandbox.run({ mode: 'uninstall' })))
    expect(calledBy('DeleteStack')).toBe(false)
    expect(at(await find(sandbox, `${paths.nodePools}/${made.nodePools[0] ?? ''}`), 'kind')).toBe('NodePool')
    expect(await find(sandbox, ourRecord)).toBeUndefined()
  })

  function calledBy(action: string): boolean {
    return callsOf(sandbox).some((call) => call.action === action)
  }
})
