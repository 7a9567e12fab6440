import fc from 'fast-check'
import { parseWorkflowCommand } from '../../sandbox/runner/workflow-commands.js'
import { harmlessLines, withHarmlessLog } from '../../src/run/harmless-log.js'
import type { Runner } from '../../src/run/runner.js'

const commands = [
  '::save-state name=cleanup::{"smokeTestRun":"x"}',
  '##[set-output name=changed]true',
  '::set-output name=changed::true',
  '::add-mask::a',
  '::stop-commands::x',
  '::error::x',
  '##[error]x',
  '##[ADD-MASK]x',
  '::',
  '##['
]
const glue = [
  '\n',
  '\r',
  '\r\n',
  '\u0085',
  '\u2028',
  '\v',
  '\f',
  '\t',
  '\u00a0',
  '\u3000',
  '\ufeff',
  ' ',
  'x',
  ':',
  '#',
  ''
]
const text = fc
  .array(fc.oneof(fc.constantFrom(...commands, ...glue), fc.string({ unit: 'binary' })), { maxLength: 8 })
  .map((parts) => parts.join(''))

/** What the runner would carry out of these lines of the log; it ends a line where .NET does. */
function carriedOut(written: readonly string[]): readonly unknown[] {
  return written
    .flatMap((line) => line.split(/\r\n|\r|\n/))
    .flatMap((line) => parseWorkflowCommand(line, 'x') ?? [])
}

describe('a line of the log', () => {
  it('is carried out by none of the runner’s parsers, whatever is in it', () => {
    fc.assert(fc.property(text, (evil) => expect(carriedOut(harmlessLines(evil))).toEqual([])))
  })

  it.each(commands.slice(0, 8))('is carried out where nothing makes it harmless: %s', (line) => {
    expect(carriedOut([line])).toHaveLength(1)
  })

  it.each([
    ['Created pod default/a', ['Created pod default/a']],
    ['  - tagged a::b', ['  - tagged a::b']],
    ['a\n  ::error::b', ['a', '  : :error::b']],
    ['an event: ##[set-output name=a]b', ['an event: ## [set-output name=a]b']],
    ['50 %\r100 %', ['50 %', '100 %']],
    ['\u001b[31mred\u001b[0m', ['red']],
    ['a\u202eb', ['a\\u202eb']]
  ])('%j is written as %j', (line, written) => {
    expect(harmlessLines(line)).toEqual(written)
  })
})

describe('withHarmlessLog', () => {
  it('prints nothing that is carried out, by any of its ways, and passes the rest on', async () => {
    const printed: string[] = []
    const passed: unknown[] = []
    const print = (line: string): void => void printed.push(line)
    const runner: Runner = withHarmlessLog({
      info: print,
      warning: print,
      error: print,
      startGroup: print,
      endGroup: () => print('end'),
      debug: print,
      setFailed: print,
      getInput: (name) => name,
      getState: (name) => name,
      saveState: (...given) => void passed.push(given),
      setOutput: (...given) => void passed.push(given),
      setSecret: (...given) => void passed.push(given),
      getIDToken: async (audience) => audience
    })
    const evil = 'a\n::set-output name=x::y ##[add-mask]z'
    runner.info(evil)
    runner.warning(evil)
    runner.error(evil)
    runner.startGroup(evil)
    runner.debug(evil)
    runner.setFailed(evil)
    runner.endGroup()
    expect(carriedOut(printed)).toEqual([])
    expect(printed).toHaveLength(8)
    runner.setOutput('a', evil)
    runner.saveState('b', 1)
    runner.setSecret('c')
    expect(passed).toEqual([['a', evil], ['b', 1], ['c']])
    printed.length = 0
    runner.warning('one\ntwo')
    runner.startGroup('one\ntwo')
    expect(printed).toEqual(['one\ntwo', 'one two'])
    expect([runner.getInput('d'), runner.getState('e'), await runner.getIDToken('f')]).toEqual([
      'd',
      'e',
      'f'
    ])
  })
})
