import { UserError } from '../../src/engine/errors.js'
import { errorText, stateText } from '../../src/report/error-text.js'
import { type Clock, type LogOutput, RunJournal } from '../../src/report/journal.js'

class Log implements LogOutput {
  readonly lines: string[] = []
  info(line: string): void {
    this.lines.push(line)
  }
  warning(line: string): void {
    this.lines.push(`::warning::${line}`)
  }
  error(line: string): void {
    this.lines.push(`::error::${line}`)
  }
  startGroup(name: string): void {
    this.lines.push(`> ${name}`)
  }
  endGroup(): void {
    this.lines.push('<')
  }
}

class ManualClock implements Clock {
  time = 0
  tick: () => void = () => undefined
  now(): number {
    return this.time
  }
  monotonic(): number {
    return this.time
  }
  async pause(milliseconds: number): Promise<void> {
    this.time += milliseconds
  }
  every(_milliseconds: number, callback: () => void): { stop(): void } {
    this.tick = callback
    return { stop: () => (this.tick = () => undefined) }
  }
}

function journalOf(): { log: Log; clock: ManualClock; journal: RunJournal } {
  const log = new Log()
  const clock = new ManualClock()
  return { log, clock, journal: new RunJournal(log, clock, new AbortController().signal) }
}

describe('RunJournal', () => {
  it('writes one group a stage with its changes and seconds', async () => {
    const { log, clock, journal } = journalOf()
    await journal.stage('stack', async (step) => {
      step.changed('created stack')
      clock.time = 2500
    })
    expect(log.lines).toEqual(['> stack (1 change, 2.5 s)', 'created stack', '<'])
  })

  it('does not mix the lines of stages that run side by side', async () => {
    const { log, journal } = journalOf()
    const first = journal.step('first')
    const second = journal.step('second')
    first.step.changed('one')
    second.step.changed('two')
    journal.end({ id: 'second', result: 'applied', changes: [], startedAt: 0, endedAt: 0 })
    journal.end({ id: 'first', result: 'applied', changes: [], startedAt: 0, endedAt: 0 })
    expect(log.lines).toEqual([
      '> second (1 change, 0.0 s)',
      'two',
      '<',
      '> first (1 change, 0.0 s)',
      'one',
      '<'
    ])
  })

  it('shows what a long wait waits for, and stops when it is over', () => {
    const { log, clock, journal } = journalOf()
    const { step } = journal.step('stack')
    step.waiting('3 of 14 resources')
    clock.time = 10_000
    clock.tick()
    step.waiting(undefined)
    clock.tick()
    expect(log.lines).toEqual(['Waiting for stack: 3 of 14 resources (10 s)'])
  })

  it('writes no group for a resource that is as wanted', () => {
    const { log, journal } = journalOf()
    journal.begin('stack')
    journal.end({ id: 'stack', result: 'as wanted', changes: [], startedAt: 0, endedAt: 0 })
    expect(log.lines).toEqual([])
  })

  it('shows what was under way when a run is cut short', () => {
    const { log, journal } = journalOf()
    journal.step('stack').step.changed('created change set')
    journal.close()
    expect(log.lines).toEqual(['> stack (1 change, 0.0 s)', 'created change set', 'interrupted', '<'])
  })

  it('keeps within the ten annotations that GitHub shows, and says each warning once', () => {
    const { log, journal } = journalOf()
    for (let count = 0; count < 12; count++) journal.warning(`w${count}`)
    journal.warning('w1')
    expect(log.lines.filter((line) => line.startsWith('::warning::'))).toHaveLength(9)
    expect(log.lines).toHaveLength(12)
  })
})

describe('errorText', () => {
  it('says what failed, what state things are in, and what to do', () => {
    const error = new UserError('subnets', 'subnet-0ab1 is tagged for another cluster', 'Remove the tag.')
    expect(errorText(error, stateText([]))).toBe(
      'setup-karpenter: subnets: subnet-0ab1 is tagged for another cluster\n  Nothing was changed.\n  Remove the tag.'
    )
  })

  it('lists what was changed before the failure', () => {
    expect(stateText(['created stack'])).toContain('- created stack')
  })

  it('lists what was changed elsewhere beside how the error left its own resource', () => {
    const error = new UserError('Role', 'is of somebody else', 'Rename it.', { state: 'It was left alone.' })
    expect(errorText(error, stateText([]))).toContain('It was left alone.\n  Rename it.')
    expect(errorText(error, stateText(['created stack']))).toMatch(
      /It was left alone\.\n.*\n  - created stack/
    )
  })

  it('does not say that nothing was changed when something was', () => {
    const error = new UserError('region', 'went away', 'Run again.', { state: 'Nothing was changed.' })
    const text = errorText(error, stateText(['created stack']))
    expect(text).not.toContain('Nothing was changed.')
    expect(text).toContain('- created stack')
  })

  it('fits into an annotation', () => {
    const error = new UserError('stack', 'x'.repeat(10_000), 'Do it.')
    expect(errorText(error, '').length).toBeLessThan(4096)
  })
})

describe('a stage', () => {
  it('that has nothing to say gets no group', async () => {
    const { log, journal } = journalOf()
    await journal.stage('Lock', async () => undefined)
    expect(log.lines).toEqual([])
  })

  it('that fails is shown with its error', async () => {
    const { log, journal } = journalOf()
    await expect(journal.stage('Lock', async () => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(log.lines).toEqual(['> Lock (0.0 s)', 'failed: no', '<'])
  })
})
