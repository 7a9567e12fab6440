import { chartSeverity } from '../../../src/resources/controller/chart-severity.js'

const role = 'arn:aws:iam::111122223333:role/blue-karpenter'
const path = 'metadata.annotations.eks.amazonaws.com/role-arn'

it.each([
  ['breaks scaling where the controller is left without a role', { wanted: role, live: undefined }],
  ['weakens security where another role is given', { wanted: role, live: `${role}-2` }],
  ['weakens security where a role is given that nothing asks for', { wanted: undefined, live: role }]
] as const)('the annotation of the service account %s', (name, found) => {
  const severity = chartSeverity({
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'karpenter' }
  })
  expect(name.startsWith(severity(path, found))).toBe(true)
})
