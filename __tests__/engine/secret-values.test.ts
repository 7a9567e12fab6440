import type { Difference } from '../../src/engine/difference.js'
import type { Finding } from '../../src/engine/findings.js'
import {
  findingWithoutSecrets,
  mayHoldSecrets,
  showsSecrets,
  withoutSecrets
} from '../../src/engine/secret-values.js'

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
    ['values.auth.key', 'a', 'b'],
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

describe('a reason that is not quoted', () => {
  it.each<[string, unknown, unknown, string]>([
    ['values.token', 'a', undefined, 'values.token is not set'],
    ['values.token', undefined, 'a', 'values.token is set, and was not installed'],
    ['values.token', 'a', 'b', 'values.token is not as wanted'],
    ['', { token: 'a' }, { token: 'b' }, 'it is not as wanted']
  ])('says of %j what it is (%j, %j)', (path, wanted, live, what) => {
    expect(withoutSecrets(difference(path, wanted, live)).reason).toBe(
      `${what}; what may be secret is not shown`
    )
  })
})

describe('what is secret by its name', () => {
  it.each([
    ...[
      'password',
      'PASSWD',
      'passphrase',
      'dbPass',
      'secret',
      'token',
      'credential',
      'credentials',
      'apikey'
    ],
    ...['api_key', 'ACCESS-KEY', 'privateKey', 'secret.key', 'signingKey', 'encryption_key', 'authKey'],
    ...['licenseKey', 'oauth2Token', 'x509Secret', 'TOKEN']
  ])('%s', (name) => {
    expect(showsSecrets(difference(`data[${name}]`, 'a', undefined))).toBe(true)
    expect(mayHoldSecrets({ list: [{ [name]: 1 }] })).toBe(true)
  })

  it.each([
    'key',
    'tokens',
    'tokenizer',
    'secretName',
    'compass',
    'monkey',
    'publicKey',
    'accessKeyId',
    'myapi-key',
    'apiary-key',
    ''
  ])('not %j', (name) => {
    expect(mayHoldSecrets({ [name]: 'a', also: [1, true, null] })).toBe(false)
  })

  it('and empty, or a switch, is nothing to hide', () => {
    expect(withoutSecrets(difference('values', { token: '', password: true }, {})).wanted).toEqual({
      token: '',
      password: true
    })
    expect(mayHoldSecrets({ token: '', password: true })).toBe(false)
  })

  it('stands under the name of its variable, and only there', () => {
    const variables = { list: [{ name: 'TOKEN', value: 'a', purpose: 'b' }] }
    expect(withoutSecrets(difference('values', variables, {})).wanted).toEqual({
      list: [{ name: 'TOKEN', value: '***', purpose: 'b' }]
    })
    expect(mayHoldSecrets({ name: { value: 'a' }, value: 'b' })).toBe(false)
    expect(withoutSecrets(difference('env[TOKEN].valueFrom', 'a', 'b')).wanted).toBe('a')
  })
})

describe('what is secret by its text', () => {
  it.each([
    `x gho_${'a1_'.repeat(7)}`,
    `github_pat_${'a1_'.repeat(7)}`,
    'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc',
    '-----BEGIN PRIVATE KEY-----',
    '-----BEGIN OPENSSH PRIVATE KEY-----',
    'proxy=http://:pw@host'
  ])('%s', (text) => {
    expect(mayHoldSecrets({ script: text })).toBe(true)
    expect(withoutSecrets(difference('spec.script', text, undefined)).wanted).not.toBe(text)
  })

  it.each([
    'ghs_short',
    'github_pat_short',
    'eyJhbGciOiJIUzI1NiJ9.abc',
    '-----BEGIN PUBLIC KEY-----',
    'http://user@host',
    'http://host:80/a@b',
    'a:b@c'
  ])('not %s', (text) => {
    expect(mayHoldSecrets({ script: text })).toBe(false)
    expect(withoutSecrets(difference('spec.script', text, undefined)).wanted).toBe(text)
  })

  it('hides the password of each URL', () => {
    const text = 'https://a:pw1@h/x https://b:pw2@h/y'
    expect(withoutSecrets(difference('spec.script', text, undefined)).wanted).toBe(
      'https://a:***@h/x https://b:***@h/y'
    )
  })

  it('cuts a text after 4000 characters, and no shorter one', () => {
    const text = 'x'.repeat(4_000)
    expect(withoutSecrets(difference('spec.script', text, `${text}y`))).toMatchObject({
      wanted: text,
      live: `${text}... (4001 characters)`
    })
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

  it.each([
    ['set it to hunter2\nand more', 'set it'],
    ['change it to hunter2', 'change it'],
    ['leave it', 'leave it'],
    ['refuse: set it to rights first', 'refuse: set it to rights first']
  ])('hides in %j what install would write', (install, shown) => {
    expect(findingWithoutSecrets({ ...finding, install }).install).toBe(shown)
  })

  it('says so where the record alone has a secret', () => {
    const url = 'http://u:hunter1@p'
    const shown = findingWithoutSecrets({
      ...finding,
      path: 'proxy',
      wanted: 'a',
      live: 'b',
      recorded: url,
      reason: `was ${url}`
    })
    expect(shown).toMatchObject({
      recorded: 'http://u:***@p',
      wanted: 'a',
      live: 'b',
      reason: 'proxy is not as wanted; what may be secret is not shown'
    })
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
