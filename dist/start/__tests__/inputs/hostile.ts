import fc from 'fast-check'
import { UserError } from '../../src/engine/errors.js'
import { parseInputs } from '../../src/inputs/inputs.js'
import { table } from '../../src/inputs/table.js'
import { guideNames } from '../../src/karpenter/names.js'
import { overrides } from '../../src/preflight/catalogue.js'

const aliases = Array.from({ length: 40 }, (_, index) =>
  index === 0 ? 'a0: &a0 [x, x, x]' : `a${index}: &a${index} [*a${index - 1}, *a${index - 1}, *a${index - 1}]`
).join('\n')

export const hostile: readonly string[] = [
  '__proto__',
  '__proto__: {polluted: true}',
  '{"__proto__": {"polluted": true}}',
  'constructor=prototype',
  '__proto__=x',
  '../../etc/passwd',
  '/etc/passwd',
  '::set-output name=changed::true',
  'x\n::add-mask::a',
  '##[save-state name=cleanup]x',
  'arn:aws-cn:iam::111122223333:role/x',
  'arn:aws-us-gov:iam::111122223333:policy/x',
  'arn:aws-iso:iam::111122223333:role/x',
  '\u202eeulb',
  '\u0000',
  '\ud800',
  'ａｌｌ',
  '${{ github.token }}',
  '$(id)',
  '`id`',
  ',,,\n,,',
  'tag:=',
  'tag:a=b=c',
  '-1',
  '1e3',
  '99999999999999999999',
  'true ',
  'yes',
  'http://[::1',
  'https://user:password@example.com/x',
  'oci://x:1',
  '>=0 <0',
  '&a [*a]',
  '- a\n- b',
  'a: b: c',
  aliases,
  'x'.repeat(1_000_000)
]
const value = fc.oneof(fc.constant(''), fc.constantFrom(...hostile), fc.string({ unit: 'binary' }))
const names = Object.values(table).map(({ name }) => name)
/** Sets of inputs as nobody would give them, but for those who want to know what happens. */
export const hostileInputs = fc.dictionary(fc.constantFrom(...names), value, { maxKeys: names.length })

/**
 * Gives a set to the parser. Throws where it is neither taken nor refused by one error, whose every line begins with an
 * input's name.
 */
export function tryInputs(given: Readonly<Record<string, string>>): 'taken' | 'refused' {
  try {
    parseInputs({
      get: (name) => (given[name] ?? (name === 'cluster-name' ? 'blue' : '')).trim(),
      env: { AWS_REGION: 'eu-west-1' },
      // What is given is also what a file of that name holds; some are not there, and say so with their name.
      readFile: (path) => {
        if (path.length % 2 === 0) throw new Error(`ENOENT: no such file or directory, open '${path}'`)
        return path
      },
      findFiles: (glob) => (glob.length % 3 === 0 ? [] : [glob]),
      guideNames,
      publishedByAws: () => false,
      overrides
    })
    return 'taken'
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    const strange = error.message
      .split(/\r\n|\r|\n/)
      .filter((line) => line.length > 2_000 || !names.some((name) => line.startsWith(`${name}: `)))
    if (strange.length > 0) throw new Error(`a line of the error is no input's: ${strange.join('\n')}`)
    return 'refused'
  } finally {
    if ('polluted' in {}) throw new Error('Object.prototype was written to')
  }
}
