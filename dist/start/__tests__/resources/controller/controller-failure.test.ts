import { controllerFix, lastWords } from '../../../src/resources/controller/controller-failure.js'

const refused =
  'operation error EC2: DescribeInstanceTypes, get identity: get credentials: failed to refresh cached credentials, ' +
  `failed to retrieve credentials, ${'x'.repeat(800)}, operation error STS: AssumeRoleWithWebIdentity, ` +
  'api error AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity'

describe('lastWords', () => {
  it("reads the controller's JSON lines and keeps others", () => {
    const log = [
      'panic: nil',
      JSON.stringify({ level: 'ERROR', logger: 'controller', message: 'no region', error: 'imds away' }),
      JSON.stringify({ level: 'INFO', message: 'starting' })
    ]
    expect(lastWords(log.join('\n'))).toBe('  panic: nil\n  ERROR no region: imds away\n  INFO starting')
  })

  it('keeps the cause, which stands at the end of a long line', () => {
    const words = lastWords(JSON.stringify({ level: 'ERROR', message: 'check failed', error: refused }))
    expect(words).toMatch(
      /^ {2}ERROR check failed: operation error EC2.* \.\.\. .*Not authorized to perform sts:/
    )
    expect(words.length).toBeLessThan(720)
  })

  it('shows the end of the log only', () => {
    const lines = lastWords(Array.from({ length: 30 }, (_, index) => `line ${index}`).join('\n')).split('\n')
    expect(lines).toHaveLength(8)
    expect(lines.at(-1)).toBe('  line 29')
  })
})

describe('controllerFix', () => {
  it('blames the trust policy for a refused web identity', () => {
    expect(controllerFix(refused)).toContain('trust policy does not name this namespace and service account')
  })
})
