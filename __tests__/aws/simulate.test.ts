import { principalOf, simulate } from '../../src/aws/simulate.js'
import type { Need } from '../../src/preflight/install-permissions.js'
import { awsWith, Refusal } from './stand-in.js'

const matching = (pattern: RegExp): unknown => expect.stringMatching(pattern)

const role = 'arn:aws:iam::111122223333:role/ci/deployer'
const needs: readonly Need[] = [
  {
    actions: ['iam:CreateRole', 'iam:TagRole'],
    resources: ['arn:r'],
    context: {}
  },
  { actions: ['cloudformation:CreateChangeSet'], resources: ['arn:s'], context: {} },
  {
    actions: ['sqs:CreateQueue'],
    resources: ['arn:q'],
    context: { 'aws:CalledVia': ['cloudformation.amazonaws.com'], 'iam:PassedToService': 'a' }
  }
]

const result = (action: string, resource: string, decision: string, missing: readonly string[] = []) => ({
  EvalActionName: action,
  EvalResourceName: resource,
  EvalDecision: decision,
  MissingContextValues: missing
})

describe('principalOf', () => {
  it.each([
    ['arn:aws:sts::111122223333:assumed-role/deployer/run', role, role],
    [
      'arn:aws:sts::111122223333:assumed-role/deployer/run',
      undefined,
      'arn:aws:iam::111122223333:role/deployer'
    ],
    [
      'arn:aws-cn:sts::111122223333:assumed-role/other/i-0ab1',
      role,
      'arn:aws-cn:iam::111122223333:role/other'
    ],
    ['arn:aws:iam::111122223333:user/ci/robot', undefined, 'arn:aws:iam::111122223333:user/ci/robot'],
    ['arn:aws:iam::111122223333:root', undefined, undefined],
    ['arn:aws:sts::111122223333:federated-user/robot', undefined, undefined]
  ])('of %s that assumed %s is %s', (caller, assumed, expected) => {
    expect(principalOf(caller, assumed)).toBe(expected)
  })
})

describe('simulate', () => {
  it('asks once for each set of conditions, and counts only what is needed', async () => {
    const { aws, server, close } = await awsWith({
      SimulatePrincipalPolicy: (input) => ({
        IsTruncated: false,
        EvaluationResults:
          input['ActionNames.member.1'] === 'sqs:CreateQueue'
            ? [result('sqs:CreateQueue', 'arn:q', 'explicitDeny')]
            : [
                result('iam:CreateRole', 'arn:r', 'implicitDeny'),
                result('iam:CreateRole', 'arn:s', 'implicitDeny'),
                result('iam:TagRole', 'arn:r', 'implicitDeny', ['aws:RequestTag/team']),
                result('cloudformation:CreateChangeSet', 'arn:s', 'allowed'),
                result('cloudformation:CreateChangeSet', 'arn:r', 'implicitDeny')
              ]
      })
    })
    expect(await simulate(aws, role, needs)).toEqual({
      state: 'known',
      missing: [
        { action: 'iam:CreateRole', resource: 'arn:r', explicit: false },
        { action: 'sqs:CreateQueue', resource: 'arn:q', explicit: true }
      ]
    })
    expect(server.calls).toEqual(['SimulatePrincipalPolicy', 'SimulatePrincipalPolicy'])
    await close()
  })

  it.each([
    ['AccessDenied', 403, "the run's role may not call iam:SimulatePrincipalPolicy"],
    ['NoSuchEntity', 404, /^iam:SimulatePrincipalPolicy of .* failed: /]
  ])('knows nothing after %s, and says why', async (code, status, reason) => {
    const { aws, close } = await awsWith({
      SimulatePrincipalPolicy: () => {
        throw new Refusal(
          code,
          `User: x is not authorized to perform: iam:SimulatePrincipalPolicy on resource: ${role}`,
          status
        )
      }
    })
    expect(await simulate(aws, role, needs)).toEqual({
      state: 'unknown',
      reason: typeof reason === 'string' ? reason : matching(reason)
    })
    await close()
  })
})
