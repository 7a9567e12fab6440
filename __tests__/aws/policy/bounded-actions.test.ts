import { accessDenied, awsProblem } from '../../../src/aws/errors.js'
import { boundedActions, orPassBoundary } from '../../../src/aws/policy/bounded-actions.js'
import { UserError } from '../../../src/engine/errors.js'
import { grantsOf, policy } from '../../docs/grants.js'

const denied = (action: string): Error =>
  Object.assign(
    new Error(
      `User: arn:aws:sts::1:assumed-role/a/b is not authorized to perform: ${action} on resource: arn:c because no identity-based policy allows the ${action} action`
    ),
    { name: 'AccessDenied', $metadata: { httpStatusCode: 403 } }
  )
const fixOf = (action: string): string => {
  const problem = awsProblem('role a', 'could not be created', denied(action))
  return problem instanceof UserError ? problem.fix : ''
}

it('are those that the published policy ties to the boundary', () => {
  const tied = grantsOf(policy('install-iam-bounded', 'blue'))
    .filter(({ question }) => 'iam:PermissionsBoundary' in question.context)
    .map(({ question }) => question.action)
  expect([...new Set(tied)].toSorted()).toEqual(boundedActions)
})

it('are denied with the input first, and no other action is', () => {
  expect(accessDenied(denied('iam:CreateRole'))?.action).toBe('iam:CreateRole')
  expect(fixOf('iam:CreateRole')).toMatch(
    /^Pass `permissions-boundary` .*Otherwise: Add iam:CreateRole to the role's policy/
  )
  expect(fixOf('iam:GetRole')).toMatch(/^Add iam:GetRole to the role's policy/)
  expect(orPassBoundary('sqs:CreateQueue', 'Add it.')).toBe('Add it.')
})
