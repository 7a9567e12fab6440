import { table } from '../src/inputs/table.js'

/** Inputs that are about the same thing, as docs/inputs.md shows them. */
export interface InputGroup {
  readonly title: string
  readonly inputs: readonly string[]
}

export const inputGroups: readonly InputGroup[] = [
  {
    title: 'Run, cluster and credentials',
    inputs: [
      'mode',
      'cluster-name',
      'region',
      'role-to-assume',
      'role-session-name',
      'role-duration-seconds',
      'audience',
      'allowed-account-ids',
      'timeout',
      'summary'
    ]
  },
  {
    title: 'What is installed',
    inputs: [
      'karpenter-version',
      'allow-downgrade',
      'adopt',
      'crds',
      'helm-values',
      'helm-values-file',
      'controller-identity',
      'interruption-queue',
      'permissions-boundary',
      'stack-role-arn',
      'controller-role-policies',
      'tags',
      'preflight',
      'preflight-allow'
    ]
  },
  { title: 'Names', inputs: ['namespace', 'stack-name', 'controller-role-name', 'node-role-name'] },
  {
    title: 'Nodes',
    inputs: ['node-pools', 'subnets', 'security-groups', 'discovery', 'node-access', 'node-role-policies']
  },
  {
    title: 'Proof',
    inputs: [
      'smoke-test',
      'smoke-test-replicas',
      'smoke-test-one-per-node',
      'smoke-test-image',
      'smoke-test-network-image',
      'smoke-test-node-pools',
      'smoke-test-timeout',
      'node-ready-threshold-seconds'
    ]
  },
  { title: 'Plan and check', inputs: ['ignore', 'comment', 'fail-on', 'drift-issue', 'github-token'] },
  { title: 'Many clusters', inputs: ['reports', 'clusters'] },
  { title: 'Uninstall', inputs: ['force-drain', 'remove-crds', 'remove-oidc-provider', 'remove-adopted'] },
  {
    title: 'Mirrors',
    inputs: [
      'template',
      'chart',
      'chart-signature',
      'chart-trust-root',
      'chart-signer',
      'helm-version',
      'helm-download-url'
    ]
  }
]

/** The modes in which an input means something, for a reader: `all`, `all but combine`, or their names. */
export function modesOf(name: string): string {
  const input = Object.values(table).find((one) => one.name === name)
  if (input === undefined) throw new Error(`src/inputs/table.ts has no ${name}`)
  const others = table.mode.modes.filter((mode) => !input.modes.some((one) => one === mode))
  if (others.length < 2) return ['all', ...others].join(' but ')
  return input.modes.join(', ')
}
