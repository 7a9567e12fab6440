import { UserError } from '../../src/engine/errors.js'
import type { Concern, PreflightFinding } from '../../src/preflight/finding.js'
import { type Checks, findingText, runPreflight } from '../../src/preflight/index.js'

const choice = { warnings: 'warn', allow: [] } as const
const concern = (level: Concern['level'], subject: string, more: Partial<Concern> = {}): Concern => ({
  level,
  subject,
  problem: 'is wrong',
  evidence: '',
  fix: `Mend ${subject}.`,
  ...more
})
const found = (of: Concern, more: Partial<PreflightFinding> = {}) => ({ check: 'queue', ...of, ...more })
const check = (...concerns: readonly Concern[]): Checks => ({ queue: () => concerns })
const broken: Checks = { network: async () => Promise.reject(new Error('no answer')) }

describe('runPreflight', () => {
  it('hands back warnings and notes when there is no error', async () => {
    const concerns = [concern('warning', 'a'), concern('note', 'b')]
    expect(await runPreflight({ queue: async () => concerns, permissions: () => [] })).toEqual(
      concerns.map((one) => found(one))
    )
  })

  it('throws one error for all, in the order of the checks', async () => {
    const thrown: unknown = await runPreflight({
      network: () => [concern('error', 'subnets', { evidence: 'seen' }), concern('warning', 'w')],
      'chart-values': () => [concern('error', 'helm-values')],
      'auto-mode': () => [concern('error', 'again', { fix: 'Mend subnets.' })]
    }).catch((error: unknown) => error)
    expect(thrown).toBeInstanceOf(UserError)
    expect(thrown).toMatchObject({
      message:
        'subnets: is wrong (seen). Mend subnets.\nhelm-values: is wrong. Mend helm-values.\nagain: is wrong. Mend subnets.',
      fix: 'Put these 3 right and run again.',
      state: 'Nothing was changed.'
    })
  })

  it('throws a single one with its own fix, and says how it can be allowed', async () => {
    const thrown = runPreflight(
      check(concern('error', 'a', { override: 'version-pair' }), concern('note', 'n'))
    )
    await expect(thrown).rejects.toMatchObject({
      message: 'a: is wrong',
      fix: 'Mend a.\nTo go on all the same, pass `preflight-allow: version-pair` (docs/preflight.md).',
      findings: [{ subject: 'a' }, { subject: 'n' }]
    })
  })

  it('makes a warning of an error that is allowed, and says so', async () => {
    const error = concern('error', 'a', { override: 'version-pair' })
    const findings = await runPreflight(check(error), { warnings: 'strict', allow: ['version-pair'] })
    expect(findings).toEqual([found(error, { level: 'warning', overridden: true })])
    expect(findings.map(findingText)).toEqual([
      'a: allowed by `preflight-allow: version-pair`: is wrong. Mend a.'
    ])
  })

  it.each(['warn', 'strict', 'off'] as const)(
    'never lets an error without a name pass (%s)',
    async (warnings) => {
      const thrown = runPreflight(check(concern('error', 'a')), { warnings, allow: ['version-pair'] })
      await expect(thrown).rejects.toThrow('a: is wrong')
    }
  )

  it('refuses warnings when it is strict, and makes notes of them when it is off', async () => {
    const warning = concern('warning', 'w')
    await expect(
      runPreflight(check(warning, concern('note', 'n')), { ...choice, warnings: 'strict' })
    ).rejects.toMatchObject({
      message: 'w: is wrong',
      fix: 'Mend w.\nWarnings refuse because of `preflight: strict`.'
    })
    expect(await runPreflight(check(warning), { ...choice, warnings: 'off' })).toEqual([
      found(warning, { level: 'note' })
    ])
  })

  it('allows by name what is an error, and no warning beside it', async () => {
    const warning = concern('warning', 'w', { override: 'version-pair' })
    expect(await runPreflight(check(warning), { ...choice, allow: ['version-pair'] })).toEqual([
      found(warning)
    ])
    await expect(
      runPreflight(check(warning), { warnings: 'strict', allow: ['version-pair'] })
    ).rejects.toMatchObject({ fix: 'Mend w.\nWarnings refuse because of `preflight: strict`.' })
  })

  it('says of errors and warnings that refuse together how to go on, each name once', async () => {
    const thrown = runPreflight(
      check(
        concern('error', 'a', { override: 'version-pair' }),
        concern('error', 'b', { override: 'quota' }),
        concern('error', 'c', { override: 'quota' }),
        concern('warning', 'w')
      ),
      { ...choice, warnings: 'strict' }
    )
    await expect(thrown).rejects.toMatchObject({
      name: 'PreflightError',
      fix: [
        'Put these 4 right and run again.',
        'To go on all the same, pass `preflight-allow: version-pair,quota` (docs/preflight.md).',
        'Warnings refuse because of `preflight: strict`.'
      ].join('\n')
    })
  })

  it('runs all at once', async () => {
    const order: string[] = []
    const gate = Promise.withResolvers<undefined>()
    await runPreflight({
      queue: async () => (await gate.promise, order.push('first'), []),
      network: () => (order.push('second'), gate.resolve(undefined), [])
    })
    expect(order).toEqual(['second', 'first'])
  })

  it('puts an error found before a check that failed itself', async () => {
    await expect(runPreflight({ ...broken, ...check(concern('error', 'subnets')) })).rejects.toThrow(
      'subnets: is wrong'
    )
    await expect(runPreflight({ ...broken, ...check() })).rejects.toThrow('no answer')
  })
})

describe('findingText', () => {
  it('is one line with the fix', () => {
    expect(findingText(found(concern('warning', 'a', { evidence: 'e' })))).toBe('a: is wrong (e). Mend a.')
    expect(findingText(found(concern('warning', 'a', { problem: 'is wrong.' })))).toBe('a: is wrong. Mend a.')
  })
})
