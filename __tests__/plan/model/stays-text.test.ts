import { staysText } from '../../../src/plan/model/stays-text.js'

const names = { stackName: 'Karpenter-blue', controllerRoleName: 'blue-karpenter' }
const rights =
  'Stack Karpenter-blue has the parts of 1.14.1 and still those of 1.13.1, role blue-karpenter the policies of both; what only 1.13.1 needs goes after a rollout that works.'

test.each([
  [
    'auto',
    { version: '1.14.1', running: '1.13.1', crdsGoAfter: false },
    `CRDs are those of 1.14.1; 1.13.1 works with them, and 1.14.1 finds them ready.\n${rights}`
  ],
  [
    'auto',
    { version: '1.14.1', running: '1.13.1', crdsGoAfter: true },
    `CRDs are still those of 1.13.1.\n${rights}`
  ],
  [
    'leave',
    { version: '1.14.1', running: '1.13.1', crdsGoAfter: true },
    `CRDs were left as they are.\n${rights}`
  ],
  [
    'auto',
    { version: '1.14.1', running: '1.14.1', crdsGoAfter: false },
    'CRDs, stack Karpenter-blue and role blue-karpenter are those of 1.14.1.'
  ]
] as const)('crds: %s, %j: how all stands when the chart has gone back', (crds, of, text) => {
  expect(staysText({ crds, ...names }, of)).toBe(text)
})
