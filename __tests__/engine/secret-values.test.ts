import type { Difference } from '../../src/engine/difference.js'
import type { Finding } from '../../src/engine/findings.js'
import { findingWithoutSecrets, withoutSecrets } from '../../src/engine/secret-values.js'

function difference(path: string, wanted: unknown, live: unknown): Difference {
  const reason = `${path} is ${JSON.stringify(live)}, not ${JSON.stringify(wanted)}`
  return { path, wanted, live, reason, severity: 'cosmetic' }
}

describe('withoutSecrets', () => {
  it('hides the password of a URL and keeps the rest of it', () => {
    const path = 'spec.template.spec.containers[controller].env[HTTPS_PROXY].value'
    const shown = withoutSecrets(difference(path, 'http://u:hunter2@p:3128', 'http://u:hunter3@p:3128'))
    expect(shown).toMatchObject({ wanted: 'http://u:***@p:3128', live: 'http://u:***@p:3128' })
    expect(shown.reason).toBe(`${path} is not as wanted; what may be secret is not shown`)
  })

  it.each([
    'spec.containers[controller].env[API_TOKEN].value',
    'spec.containers[controller].env[DB_PASSWORD].value',
    'values.webhook.secret',
    'values.auth.clientSecret',
    'values.aws.secretAccessKey',
    'values.apiKey'
  ])('hides what stands at %s', (path) => {
    const shown = withoutSecrets(difference(path, 'hunter2', 'hunter3'))
    expect(JSON.stringify(shown)).not.toContain('hunter')
    expect(shown.path).toBe(path)
  })

  it('tells a reason of 1000 characters whole, and says how long one is that it cuts', () => {
    const told = (length: number): string =>
      withoutSecrets({ ...difference('spec', 1, 2), reason: 'x'.repeat(length) }).reason
    expect(told(1_000)).toBe('x'.repeat(1_000))
    expect(told(1_001)).toBe(`${'x'.repeat(1_000)}... (1001 characters)`)
  })

  it('hides variables in a list that is told as a whole, by their names', () => {
    const list = (value: string): unknown => [
      { name: 'LOG_LEVEL', value: 'debug' },
      { name: 'API_TOKEN', value }
    ]
    const shown = withoutSecrets(difference('values.controller.env', list('hunter2'), list('hunter3')))
    expect(shown.live).toEqual([
      { name: 'LOG_LEVEL', value: 'debug' },
      { name: 'API_TOKEN', value: '***' }
    ])
    expect(JSON.stringify(shown)).not.toContain('hunter')
  })

  it('hides what is known to be secret wherever it stands, numbers too', () => {
    const key = '-----BEGIN RSA PRIVATE KEY-----\nabc'
    const token = `ghs_${'x'.repeat(36)}`
    expect(withoutSecrets(difference('spec.userData', `echo ${token}`, key))).toMatchObject({
      wanted: '***',
      live: '***'
    })
    expect(withoutSecrets(difference('values.password', 1234, 4321))).toMatchObject({ live: '***' })
  })

  it.each([
    ['spec.metadataOptions.httpTokens', 'required', 'optional'],
    ['spec.template.spec.automountServiceAccountToken', true, false],
    ['spec.limits.cpu', '1000', '5'],
    ['tags.karpenter.sh/discovery', 'blue', 'green'],
    ['spec.template.spec.taints', [{ key: 'a', effect: 'NoSchedule' }], []],
    ['env', [{ name: 'AWS_WEB_IDENTITY_TOKEN_FILE', value: '/var/run/token' }], []],
    ['queue', 'https://sqs.eu-west-1.amazonaws.com/111122223333/blue', 'x'],
    ['image', 'public.ecr.aws/karpenter/controller:1.14.0@sha256:0123', 'x:1']
  ])('shows %s as it is', (path, wanted, live) => {
    expect(withoutSecrets(difference(path, wanted, live))).toEqual(difference(path, wanted, live))
  })

  it('cuts texts that nobody reads to their end', () => {
    const { wanted, reason } = withoutSecrets(difference('spec.userData', 'x'.repeat(50_000), 'y'))
    expect(String(wanted)).toMatch(/^x{4000}\.\.\. \(50000 characters\)$/)
    expect(reason.length).toBeLessThan(1100)
  })
})

describe('findingWithoutSecrets', () => {
  const finding: Finding = {
    ...difference('values.password', 'hunter2', 'hunter3'),
    kind: 'drift',
    id: 'helm-release',
    title: 'Helm release karpenter',
    layer: 'helm',
    recorded: 'hunter1',
    install: 'change it back to hunter2'
  }

  it('hides the recorded value and what install would write', () => {
    const shown = findingWithoutSecrets(finding)
    expect(JSON.stringify(shown)).not.toContain('hunter')
    expect(shown).toMatchObject({ recorded: '***', install: 'change it back' })
  })

  it('hides a secret that only the record has', () => {
    const shown = findingWithoutSecrets({
      ...finding,
      wanted: undefined,
      live: undefined,
      path: 'values.token'
    })
    expect(shown.recorded).toBe('***')
  })

  it('leaves alone what is no secret', () => {
    const plain = {
      ...finding,
      path: 'values.replicas',
      wanted: 2,
      recorded: 2,
      live: 1,
      install: 'change it'
    }
    expect(findingWithoutSecrets(plain)).toEqual(plain)
  })
})
