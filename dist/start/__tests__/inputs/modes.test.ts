import { type Mode, table } from '../../src/inputs/table.js'

/** What asks for a smoke test, and says how. */
const smokeTest = [
  'smoke-test-replicas',
  'smoke-test-one-per-node',
  'smoke-test-image',
  'smoke-test-network-image',
  'smoke-test-node-pools',
  'smoke-test-timeout',
  'node-ready-threshold-seconds'
]
const preflight = ['preflight', 'preflight-allow']
const removal = ['force-drain', 'remove-crds', 'remove-oidc-provider', 'remove-adopted']
const ofCombine = ['reports', 'clusters']
const signature = ['chart-signature', 'chart-trust-root', 'chart-signer']

/** In action.yml's order. */
const meaningless: readonly (readonly [Mode, readonly string[]])[] = [
  ['install', ['fail-on', 'drift-issue', 'comment', 'github-token', ...removal, ...ofCombine]],
  ['plan', ['fail-on', 'drift-issue', ...removal, ...ofCombine]],
  ['check', [...preflight, 'smoke-test', ...smokeTest, 'comment', ...removal, ...ofCombine]],
  [
    'uninstall',
    [
      'allow-downgrade',
      'adopt',
      ...signature,
      ...preflight,
      'smoke-test',
      ...smokeTest,
      ...['ignore', 'fail-on', 'drift-issue', 'comment', 'github-token'],
      ...ofCombine
    ]
  ]
]

test.each(meaningless)('in mode %s these inputs mean nothing', (mode, names) => {
  const found = Object.values(table).filter(({ modes }) => !modes.some((one) => one === mode))
  expect(found.map(({ name }) => name)).toEqual(names)
})

const meaningful: readonly (readonly [Mode, readonly string[]])[] = [
  [
    'smoke-test',
    [
      ...['mode', 'cluster-name', 'region', 'role-to-assume', 'role-session-name', 'role-duration-seconds'],
      ...['audience', 'allowed-account-ids', 'namespace'],
      ...smokeTest,
      ...['timeout', 'summary']
    ]
  ],
  ['combine', ['mode', 'drift-issue', 'github-token', 'reports', 'clusters', 'summary']]
]

test.each(meaningful)('mode %s goes by these inputs and by no other', (mode, names) => {
  const found = Object.values(table).filter(({ modes }) => modes.some((one) => one === mode))
  expect(found.map(({ name }) => name)).toEqual(names)
})
