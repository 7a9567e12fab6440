import { UserError } from '../../src/engine/errors.js'
import { type Check, type Finding, findingText, runPreflight } from '../../src/preflight/index.js'

const choice = { warnings: 'warn', allow: [] } as const
const finding = (level: Finding['level'], subject: string, more: Partial<Finding> = {}): Finding => ({
  check: 'c',
  level,
  subject,
  problem: 'is wrong',
  evidence: '',
  fix: `Mend ${subject}.`,
  ...more
})
const check = (...findings: Finding[]): Check => ({ name: 'queue', run: async () => findings })
const broken: Check = { name: 'queue', run: async () => Promise.reject(new Error('no answer')) }

describe('runPreflight', () => {
  it('hands back warnings and notes when there is no error', async () => {
    const findings = [finding('warning', 'a'), finding('note', 'b')]
    expect(await runPreflight([check(...findings), check()])).toEqual(findings)
  })

  it('throws one error for all, in the order of the checks', async () => {
    const thrown: unknown = await runPreflight([
      check(finding('error', 'subnets', { evidence: 'seen' }), finding('warning', 'w')),
      check(finding('error', 'helm-values')),
      check(finding('error', 'again', { fix: 'Mend subnets.' }))
    ]).catch((error: unknown) => error)
    expect(thrown).toBeInstanceOf(UserError)
    expect(thrown).toMatchObject({
      message:
        'subnets: is wrong (seen). Mend subnets.\nhelm-values: is wrong. Mend helm-values.\nagain: is wrong. Mend subnets.',
      fix: 'Put these 3 right and run again.',
      state: 'Nothing was changed.'
    })
  })

  it('throws a single one with its own fix, and says how it can be allowed', async () => {
    const thrown = runPreflight([
      check(finding('error', 'a', { override: 'version-pair' }), finding('note', 'n'))
    ])
    await expect(thrown).rejects.toMatchObject({
      message: 'a: is wrong',
      fix: 'Mend a.\nTo go on all the same, pass `preflight-allow: version-pair` (docs/preflight.md).',
      findings: [{ subject: 'a' }, { subject: 'n' }]
    })
  })

  it('makes a warning of an error that is allowed, and says so', async () => {
    const error = finding('error', 'a', { override: 'version-pair' })
    const findings = await runPreflight([check(error)], { warnings: 'strict', allow: ['version-pair'] })
    expect(findings).toEqual([{ ...error, level: 'warning', overridden: true }])
    expect(findings.map(findingText)).toEqual([
      'a: allowed by `preflight-allow: version-pair`: is wrong. Mend a.'
    ])
  })

  it.each(['warn', 'strict', 'off'] as const)(
    'never lets an error without a name pass (%s)',
    async (warnings) => {
      const thrown = runPreflight([check(finding('error', 'a'))], { warnings, allow: ['version-pair'] })
      await expect(thrown).rejects.toThrow('a: is wrong')
    }
  )

  it('refuses warnings when it is strict, and makes notes of them when it is off', async () => {
    const warning = finding('warning', 'w')
    await expect(
      runPreflight([check(warning, finding('note', 'n'))], { ...choice, warnings: 'strict' })
    ).rejects.toMatchObject({
      message: 'w: is wrong',
      fix: 'Mend w.\nWarnings refuse because of `preflight: strict`.'
    })
    expect(await runPreflight([check(warning)], { ...choice, warnings: 'off' })).toEqual([
      { ...warning, level: 'note' }
    ])
  })

  it('runs all at once', async () => {
    const order: string[] = []
    const gate = Promise.withResolvers<undefined>()
    const waits: Check = { name: 'queue', run: async () => (await gate.promise, order.push('first'), []) }
    const opens: Check = {
      name: 'queue',
      run: async () => (order.push('second'), gate.resolve(undefined), [])
    }
    await runPreflight([waits, opens])
    expect(order).toEqual(['second', 'first'])
  })

  it('puts an error found before a check that failed itself', async () => {
    await expect(runPreflight([broken, check(finding('error', 'subnets'))])).rejects.toThrow(
      'subnets: is wrong'
    )
    await expect(runPreflight([broken, check()])).rejects.toThrow('no answer')
  })
})

describe('findingText', () => {
  it('is one line with the fix', () => {
    expect(findingText(finding('warning', 'a', { evidence: 'e' }))).toBe('a: is wrong (e). Mend a.')
  })
})
