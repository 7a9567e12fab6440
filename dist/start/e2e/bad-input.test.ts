import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { startSandbox, type Sandbox } from '../sandbox/index.js'
import { errorOf } from './failed-run.js'

/** Every input that can be wrong (any text may be an audience), each wrong in two ways, in action.yml's order. */
const wrong: Readonly<Record<string, readonly [string, string]>> = {
  mode: ['instal', 'install,check'],
  'cluster-name': ['-green', 'green/blue'],
  region: ['ireland', 'eu-west-1a'],
  'role-to-assume': ['deployer', 'arn:aws:iam::1234:role/deployer'],
  'role-session-name': ['a', 'a session'],
  'role-duration-seconds': ['60', '1h'],
  'allowed-account-ids': ['1234', '111122223333,my-account'],
  'karpenter-version': ['newest', '1.14.x'],
  namespace: ['Karpenter', 'kar/penter'],
  'controller-identity': ['iam', 'IRSA'],
  'controller-role-name': ['a'.repeat(65), 'path/role'],
  'node-role-name': ['b'.repeat(65), 'arn:aws:iam::111122223333:role/nodes'],
  'node-access': ['none', 'aws_auth'],
  subnets: ['public', 'subnet-XYZ'],
  'security-groups': ['default', 'sg-0ab1,web'],
  template: ['no/such/template.yaml', 'https://'],
  'stack-name': ['1-karpenter', 'Karpenter_green'],
  chart: ['oci://127.0.0.1/karpenter:1', 'oci://public.ecr.aws/karpenter/karpenter:1.14.0'],
  'helm-version': ['newest', '2.17.0'],
  'helm-download-url': ['get.helm.sh', 'ftp://get.helm.sh'],
  'helm-values': ['replicas', 'a: [1'],
  'helm-values-file': ['no/such/values.yaml', 'package.json/values.yaml'],
  'node-pools': ['no/such/pools.yaml', 'all'],
  'interruption-queue': [
    'arn:aws:sqs:eu-west-1:111122223333:green',
    'https://sqs.eu-west-1.amazonaws.com/1/a'
  ],
  'permissions-boundary': ['boundary', 'arn:aws:iam::111122223333:role/boundary'],
  tags: ['team', 'karpenter.sh/discovery=green'],
  preflight: ['none', 'true'],
  'preflight-allow': ['everything', 'permissions,auto-mode'],
  'smoke-test': ['yes', '1'],
  'smoke-test-replicas': ['0', 'five'],
  'smoke-test-one-per-node': ['no', 'on'],
  'smoke-test-image': ['-x', 'nginx latest'],
  'smoke-test-timeout': ['5', '15 minutes'],
  timeout: ['10s', 'forever'],
  summary: ['off', '0']
}

describe('bad input', () => {
  let sandbox: Sandbox

  beforeAll(async () => {
    sandbox = await startSandbox({ name: 'green', region: 'eu-west-1' })
  })
  afterAll(async () => sandbox.stop())

  test.each([
    ['first', 0],
    ['second', 1]
  ] as const)(
    'one error lists every input that is wrong in its %s way, and nothing is called',
    async (_way, way) => {
      const inputs = Object.fromEntries(Object.entries(wrong).map(([name, values]) => [name, values[way]]))
      const published = sandbox.published.requests.length
      const tokens = sandbox.idTokens.requests

      // Which the sandbox gives with its own chart, and nobody with the one that AWS publishes.
      const result = await sandbox.run({ ...inputs, 'chart-trust-root': '' })

      const [first, ...rest] = errorOf(result).split('\n')
      const named = [first?.replace('setup-karpenter: ', '') ?? '', ...rest].map(
        (line) => line.split(': ')[0]
      )
      const names = Object.keys(wrong)
      expect(named.slice(0, names.length)).toEqual(names)
      expect(rest.slice(names.length - 1)).toEqual([
        '  No call was made and nothing was changed.',
        `  Correct these ${names.length} inputs and run again.`
      ])
      expect(sandbox.cloud.calls()).toEqual([])
      expect(sandbox.published.requests).toHaveLength(published)
      expect(sandbox.idTokens.requests).toBe(tokens)
      expect(result.milliseconds).toBeLessThan(5_000)
    }
  )

  test('each line says what would be right', async () => {
    const result = await sandbox.run(
      Object.fromEntries(Object.entries(wrong).map(([name, values]) => [name, values[0]]))
    )
    const problems = errorOf(result).split('\n').slice(0, Object.keys(wrong).length)
    for (const problem of problems) expect(problem).toMatch(/; use .+/)
  })

  test('a single wrong input is said as a single one', async () => {
    const result = await sandbox.run({ namespace: 'Karpenter' })
    expect(errorOf(result)).toBe(
      'setup-karpenter: namespace: "Karpenter" is not valid; use a Kubernetes namespace such as karpenter\n' +
        '  No call was made and nothing was changed.\n' +
        '  Correct this input and run again.'
    )
    expect(sandbox.cloud.calls()).toEqual([])
  })
})
