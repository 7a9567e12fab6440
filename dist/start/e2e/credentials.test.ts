import { AssociateAccessPolicyCommand, CreateAccessEntryCommand, EKSClient } from '@aws-sdk/client-eks'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { newest, startSandbox, type Sandbox } from '../sandbox/index.js'
import { checkIsClean } from './clean-check.js'
import { errorOf, refusedBeforeWriting, writesOf } from './failed-run.js'
import { auditor, callsOf, succeeded } from './scenario.js'

const inputs = { 'karpenter-version': newest, 'smoke-test': 'false' }
const expired = {
  kind: 'error',
  code: 'ExpiredToken',
  message: 'The security token included in the request is expired',
  status: 403
} as const

/** Options of a command of the AWS CLI as its API names them. */
function flagsOf(command: string): Readonly<Record<string, string>> {
  const flags = command.matchAll(/--([a-z-]+) (\S+)/g)
  return Object.fromEntries(
    [...flags].map(([, name = '', value = '']) => [
      name.replaceAll(/-([a-z])/g, (_dash, letter: string) => letter.toUpperCase()),
      value
    ])
  )
}

describe('credentials', () => {
  let sandbox: Sandbox

  beforeAll(async () => {
    sandbox = await startSandbox({ name: 'green', region: 'eu-west-1', kubernetesVersion: '1.34' })
  })
  afterAll(async () => sandbox.stop())
  afterEach(() => {
    sandbox.cloud.setFaults([])
    sandbox.cloud.clearCalls()
  })

  test('a job without `id-token: write` is told to ask for it, before any call', async () => {
    const result = await sandbox.run(inputs, { idToken: 'missing' })
    await refusedBeforeWriting(sandbox, result, [
      /^setup-karpenter: role-to-assume: this job may not ask GitHub for an OIDC token/,
      /permissions:\n +id-token: write/,
      'forks'
    ])
    expect(sandbox.cloud.calls()).toEqual([])
  })

  test('an audience that the OIDC provider does not have is named', async () => {
    const result = await sandbox.run({ ...inputs, audience: 'sigstore' })
    await refusedBeforeWriting(sandbox, result, [
      /^setup-karpenter: audience: .* does not accept the audience "sigstore"/,
      'Add "sigstore" to that provider\'s audiences'
    ])
  })

  test.each(['legacy', 'immutable'] as const)(
    'a trust policy that does not match a %s subject: both forms are shown, the one of this token marked',
    async (subject) => {
      const result = await sandbox.run(inputs, { run: { ref: 'refs/heads/topic', subject } })
      const forms = {
        legacy: '"token.actions.githubusercontent.com:sub": "repo:octo-org/octo-repo:ref:refs/heads/topic"',
        immutable:
          '"token.actions.githubusercontent.com:sub": "repo:octo-org@65234123/octo-repo@456789123:ref:refs/heads/topic"'
      }
      await refusedBeforeWriting(sandbox, result, [
        /^setup-karpenter: role-to-assume: arn:aws:iam::111122223333:role\/karpenter-deployer may not be assumed/,
        forms.legacy,
        forms.immutable
      ])
      const marked = errorOf(result)
        .split('\n')
        .filter((line) => line.endsWith('   <- what this token says'))
      expect(marked.map((line) => line.trim().replace(/ +<-.*/, ''))).toEqual([forms[subject]])
      // Access denied does not pass by waiting: asked once.
      expect(sandbox.cloud.calls().map(({ action }) => action)).toEqual(['AssumeRoleWithWebIdentity'])
    }
  )

  test('an account that is not allowed is left alone', async () => {
    const result = await sandbox.run({ ...inputs, 'allowed-account-ids': '999988887777, 999988886666' })
    await refusedBeforeWriting(sandbox, result, [
      /^setup-karpenter: allowed-account-ids: the credentials are of account 111122223333/,
      'not one of 999988887777, 999988886666'
    ])
    expect(sandbox.cloud.calls().map(({ action }) => action)).toEqual([
      'AssumeRoleWithWebIdentity',
      'GetCallerIdentity'
    ])
  })

  test('a caller that the cluster does not know gets the commands that let it in, and they do', async () => {
    sandbox.cloud.eks.accessEntries.delete(`green ${sandbox.deployerRoleArn}`)
    const result = await sandbox.run(inputs)
    await refusedBeforeWriting(sandbox, result, [
      /^setup-karpenter: cluster access: .*karpenter-deployer\/setup-karpenter is not known to cluster green/,
      'Let it in:'
    ])
    const commands = errorOf(result)
      .replaceAll(/\\\n/g, '')
      .split('\n')
      .filter((line) => line.trim().startsWith('aws eks '))
    expect(commands).toHaveLength(2)
    const eks = new EKSClient(auditor(sandbox))
    const [create = {}, associate = {}] = commands.map(flagsOf)
    await eks.send(
      new CreateAccessEntryCommand({
        clusterName: create['clusterName'],
        principalArn: create['principalArn']
      })
    )
    await eks.send(
      new AssociateAccessPolicyCommand({
        clusterName: associate['clusterName'],
        principalArn: associate['principalArn'],
        policyArn: associate['policyArn'],
        accessScope: { type: associate['accessScope'] === 'type=cluster' ? 'cluster' : 'namespace' }
      })
    )
    // The runs of the tests below go through this access.
    const { policies } = sandbox.cloud.eks.entry('green', sandbox.deployerRoleArn)
    expect(policies.map(({ policyArn }) => policyArn)).toEqual([
      'arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy'
    ])
  })

  test('a session that cannot be renewed ends the run, which says what was written', async () => {
    sandbox.cloud.setFaults([
      { service: 'cloudformation', action: 'CreateChangeSet', effect: expired },
      {
        service: 'sts',
        action: 'AssumeRoleWithWebIdentity',
        skip: 1,
        effect: {
          kind: 'error',
          code: 'AccessDenied',
          message: 'Not authorized to perform sts:AssumeRoleWithWebIdentity',
          status: 403
        }
      }
    ])
    const result = await sandbox.run(inputs)
    const error = errorOf(result)
    expect(error).toMatch(
      /^setup-karpenter: role-to-assume: the session of .*karpenter-deployer expired during the run and could not be renewed/
    )
    expect(error).toContain('These changes were made and stay; running again goes on from here:\n')
    expect(error).toContain('- tagged subnet-')
    expect(error).not.toContain('Nothing was changed.')
    expect(error).toContain('Run again, a second run finishes what is missing')
    expect(writesOf(sandbox)).toContain('ec2:CreateTags')
  })

  test('a session that expires during the run is renewed, and the run finishes the job', async () => {
    sandbox.cloud.setFaults([
      { service: 'cloudformation', action: 'ExecuteChangeSet', times: 1, effect: expired },
      {
        service: 'eks',
        action: 'CreateAccessEntry',
        times: 1,
        // As EKS's protocol words it.
        effect: { ...expired, code: 'ExpiredTokenException' }
      }
    ])
    const result = succeeded(await sandbox.run(inputs))
    expect(result.outputs['changed']).toBe('true')
    const refused = callsOf(sandbox).filter(({ outcome }) => outcome.startsWith('ExpiredToken'))
    expect(refused.map(({ action }) => action)).toEqual(['ExecuteChangeSet', 'CreateAccessEntry'])
    const assumed = sandbox.cloud.calls().filter(({ action }) => action === 'AssumeRoleWithWebIdentity')
    expect(assumed.filter(({ callerArn }) => !callerArn.includes('green-karpenter'))).toHaveLength(3)
    expect(result.leaks).toEqual([])
    sandbox.cloud.setFaults([])
    await checkIsClean(sandbox, inputs)
  })
})
