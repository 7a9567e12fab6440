import { principalOf, simulate } from '../../src/aws/simulate.js'
import type { Need } from '../../src/aws/policy/need.js'
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

/** As IAM answers about several resources; each decision with the condition keys that were not given. */
const result = (action: string, own: Readonly<Record<string, readonly [string, ...string[]]>>) => ({
  EvalActionName: action,
  EvalResourceName: 'arn:${Partition}:${Service}::${Account}:${Name}',
  EvalDecision: 'explicitDeny',
  MissingContextValues: Object.values(own).flatMap(([, ...keys]) => keys),
  ResourceSpecificResults: Object.entries(own).map(([name, [decision, ...keys]]) => ({
    EvalResourceName: name,
    EvalResourceDecision: decision,
    MissingContextValues: keys
  }))
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
  it('asks once for each set of conditions, and counts only what is needed, by each resource of its own', async () => {
    const { aws, server, close } = await awsWith({
      SimulatePrincipalPolicy: (input) => ({
        IsTruncated: false,
        EvaluationResults:
          input['ActionNames.member.1'] === 'sqs:CreateQueue'
            ? [
                {
                  EvalActionName: 'sqs:CreateQueue',
                  EvalResourceName: 'arn:q',
                  EvalDecision: 'explicitDeny'
                }
              ]
            : [
                result('iam:CreateRole', { 'arn:r': ['implicitDeny'], 'arn:s': ['allowed'] }),
                result('iam:TagRole', { 'arn:r': ['implicitDeny', 'aws:RequestTag/team'] }),
                result('cloudformation:CreateChangeSet', {
                  'arn:r': ['implicitDeny'],
                  'arn:s': ['allowed', 'aws:SourceVpc']
                })
              ]
      })
    })
    expect(await simulate(aws, role, needs)).toEqual({
      state: 'known',
      missing: [
        { action: 'iam:CreateRole', resource: 'arn:r', explicit: false },
        { action: 'sqs:CreateQueue', resource: 'arn:q', explicit: true }
      ],
      unknown: [{ action: 'iam:TagRole', resource: 'arn:r', keys: ['aws:RequestTag/team'] }]
    })
    expect(server.calls).toEqual(['SimulatePrincipalPolicy', 'SimulatePrincipalPolicy'])
    await close()
  })

  it('takes no answer about an action or a resource for unknown, never for allowed', async () => {
    const { aws, close } = await awsWith({
      SimulatePrincipalPolicy: () => ({
        IsTruncated: false,
        EvaluationResults: [result('iam:CreateRole', { 'arn:s': ['allowed'] })]
      })
    })
    expect(await simulate(aws, role, needs.slice(0, 1))).toEqual({
      state: 'known',
      missing: [],
      unknown: [
        { action: 'iam:CreateRole', resource: 'arn:r', keys: [] },
        { action: 'iam:TagRole', resource: 'arn:r', keys: [] }
      ]
    })
    await close()
  })

  it('tells what a control policy or a boundary does not allow from what the role lacks', async () => {
    const { aws, close } = await awsWith({
      SimulatePrincipalPolicy: () => ({
        IsTruncated: false,
        EvaluationResults: [
          {
            ...result('iam:CreateRole', { 'arn:r': ['implicitDeny'] }),
            OrganizationsDecisionDetail: { AllowedByOrganizations: false }
          },
          {
            EvalActionName: 'iam:TagRole',
            EvalResourceName: 'arn:r',
            EvalDecision: 'implicitDeny',
            OrganizationsDecisionDetail: { AllowedByOrganizations: true },
            ResourceSpecificResults: [
              {
                EvalResourceName: 'arn:r',
                EvalResourceDecision: 'implicitDeny',
                PermissionsBoundaryDecisionDetail: { AllowedByPermissionsBoundary: false }
              }
            ]
          }
        ]
      })
    })
    const missing = { resource: 'arn:r', explicit: false }
    expect(await simulate(aws, role, needs.slice(0, 1))).toEqual({
      state: 'known',
      missing: [
        { ...missing, action: 'iam:CreateRole', beyond: 'control policy' },
        { ...missing, action: 'iam:TagRole', beyond: 'permissions boundary' }
      ],
      unknown: []
    })
    await close()
  })

  it('asks one action a request where IAM refuses them together', async () => {
    const asked: string[][] = []
    const { aws, close } = await awsWith({
      SimulatePrincipalPolicy: (input) => {
        const all = (name: string): string[] =>
          Object.entries(input).flatMap(([key, value]) => (key.startsWith(`${name}.`) ? [String(value)] : []))
        const actions = all('ActionNames')
        asked.push([...actions, ...all('ResourceArns')])
        if (actions.length > 1) {
          throw new Refusal(
            'InvalidInput',
            'Invalid Input Actions: [iam:TagRole] and [iam:CreateRole] require different authorization information.'
          )
        }
        return {
          IsTruncated: false,
          EvaluationResults: actions.map((action) =>
            result(action, { 'arn:r': ['implicitDeny'], 'arn:s': ['allowed'] })
          )
        }
      }
    })
    expect(await simulate(aws, role, needs.slice(0, 2))).toEqual({
      state: 'known',
      missing: ['iam:CreateRole', 'iam:TagRole'].map((action) => ({
        action,
        resource: 'arn:r',
        explicit: false
      })),
      unknown: []
    })
    expect(asked).toEqual([
      ['iam:CreateRole', 'iam:TagRole', 'cloudformation:CreateChangeSet', 'arn:r', 'arn:s'],
      ['iam:CreateRole', 'arn:r'],
      ['iam:TagRole', 'arn:r'],
      ['cloudformation:CreateChangeSet', 'arn:s']
    ])
    await close()
  })

  it.each([
    ['AccessDenied', 403, "the run's role may not call iam:SimulatePrincipalPolicy", /^To have it looked at/],
    ['NoSuchEntity', 404, /^iam:SimulatePrincipalPolicy of .* failed: /, /whole ARN as `role-to-assume`/],
    ['InvalidInput', 400, /^iam:SimulatePrincipalPolicy of .* failed: /, /^Nothing to do unless/]
  ])('knows nothing after %s, and says why and what to do', async (code, status, reason, fix) => {
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
      reason: typeof reason === 'string' ? reason : matching(reason),
      fix: matching(fix)
    })
    await close()
  })
})
