import { Masks } from '../../../sandbox/runner/masks.js'
import { StepLog } from '../../../sandbox/runner/step-log.js'
import { parseWorkflowCommand } from '../../../sandbox/runner/workflow-commands.js'

function logOf(lines: readonly string[], debug = false): StepLog {
  const log = new StepLog(new Masks(), debug)
  for (const line of lines) {
    log.take(line)
  }
  return log
}

describe('parseWorkflowCommand', () => {
  it('reads name, properties and data, unescaped', () => {
    expect(parseWorkflowCommand('::error title=a%3Ab%2Cc,file=x.yml::one%0Atwo%25')).toEqual({
      name: 'error',
      properties: { title: 'a:b,c', file: 'x.yml' },
      data: 'one\ntwo%'
    })
  })
  it('reads a command without properties or data', () => {
    expect(parseWorkflowCommand('::endgroup::')).toEqual({ name: 'endgroup', properties: {}, data: '' })
  })
  it('keeps :: in the data', () => {
    expect(parseWorkflowCommand('::debug::a::b')?.data).toBe('a::b')
  })
  it('reads the form of old wherever it stands in a line', () => {
    expect(parseWorkflowCommand('an event: ##[set-output name=changed;x=a%3Bb]true%5D')).toEqual({
      name: 'set-output',
      properties: { name: 'changed', x: 'a;b' },
      data: 'true]'
    })
  })
  it.each(['\t::error::b', '\u00a0::ERROR::b', '\v::error::b'])(
    'reads %j, whatever space is before it',
    (line) => {
      expect(parseWorkflowCommand(line)).toMatchObject({ name: 'error', data: 'b' })
    }
  )
  it('reads the token that ends stop-commands, and nothing else that the runner does not know', () => {
    expect(parseWorkflowCommand('::Tok::', 'tok')?.name).toBe('tok')
    expect(parseWorkflowCommand('::tok::')).toBeUndefined()
  })
  it.each(['plain', 'a ::error::b', ':: error::b', '##[error', '## [error]b', ': :error::b'])(
    'takes %j as plain output',
    (line) => {
      expect(parseWorkflowCommand(line)).toBeUndefined()
    }
  )
})

describe('StepLog', () => {
  it('folds a group into one visible line', () => {
    const log = logOf(['before', '::group::Stack', 'inside', '::endgroup::', 'after'])
    expect(log.visible).toEqual(['before', '▶ Stack', 'after'])
    expect(log.lines).toEqual(['before', '▶ Stack', 'inside', 'after'])
  })
  it('masks what was registered, from then on, line by line', () => {
    const log = logOf(['s3cret', '::add-mask::s3cret%0Asecond', 'a s3cret b second', '::error::s3cret'])
    expect(log.lines).toEqual(['s3cret', 'a *** b ***', 'Error: ***'])
    expect(log.annotations).toMatchObject([{ level: 'error', message: '***' }])
  })
  it('shows debug lines only when debugging', () => {
    expect(logOf(['::debug::x']).lines).toEqual([])
    expect(logOf(['::debug::x'], true).lines).toEqual(['##[debug]x'])
  })
  it('keeps ten annotations a level, each cut at 4,096 characters', () => {
    const log = logOf(Array.from({ length: 12 }, () => `::warning::${'x'.repeat(5000)}`))
    expect(log.annotations.map((annotation) => annotation.message.length)).toEqual(Array(10).fill(4096))
  })
  it('carries out nothing between stop-commands and its token', () => {
    const log = logOf(['::stop-commands::tok', '::error::no', '::tok::', '::error::yes'])
    expect(log.annotations.map((annotation) => annotation.message)).toEqual(['yes'])
  })
})
