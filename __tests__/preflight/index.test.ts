import { UserError } from '../../src/engine/errors.js'
import { type Check, type Finding, findingText, runPreflight } from '../../src/preflight/index.js'

const finding = (level: Finding['level'], subject: string, more: Partial<Finding> = {}): Finding => ({
  check: 'c',
  level,
  subject,
  problem: 'is wrong',
  evidence: '',
  fix: `Mend ${subject}.`,
  ...more
})
const check = (...findings: Finding[]): Check => ({ name: 'c', run: async () => findings })
const broken: Check = { name: 'broken', run: async () => Promise.reject(new Error('no answer')) }

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
      message: 'subnets: is wrong (seen)\nhelm-values: is wrong\nagain: is wrong',
      fix: 'Mend subnets.\nMend helm-values.',
      state: 'Nothing was changed.'
    })
  })

  it('runs all at once', async () => {
    const order: string[] = []
    const gate = Promise.withResolvers<undefined>()
    const waits: Check = { name: 'waits', run: async () => (await gate.promise, order.push('first'), []) }
    const opens: Check = {
      name: 'opens',
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
