import { getEventListeners } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CancelledError } from '../../src/run/cancel.js'
import { runnerPorts, runUrl } from '../../src/run/ports.js'
import { inputsOf } from '../given-inputs.js'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ports-'))
})
afterEach(() => {
  for (const name of ['GITHUB_WORKSPACE', 'GITHUB_STEP_SUMMARY', 'INPUT_CLUSTER-NAME'])
    Reflect.deleteProperty(process.env, name)
  rmSync(folder, { recursive: true })
})

/** Timers that keep this process alive. */
const timers = () => process.getActiveResourcesInfo().filter((what) => what === 'Timeout').length
const anHour = 3_600_000

describe('where the run can be seen', () => {
  const env = {
    GITHUB_SERVER_URL: 'https://github.com',
    GITHUB_REPOSITORY: 'org/repo',
    GITHUB_RUN_ID: '7'
  }

  it('is the page of the run, and of its attempt where the runner says which', () => {
    expect(runUrl(env)).toBe('https://github.com/org/repo/actions/runs/7')
    expect(runUrl({ ...env, GITHUB_RUN_ATTEMPT: '2' })).toBe(
      'https://github.com/org/repo/actions/runs/7/attempts/2'
    )
  })

  it.each(Object.keys(env))('is nowhere but here without %s', (name) => {
    expect(runUrl({ ...env, [name]: undefined })).toBe('local')
  })
})

describe('the files of a run', () => {
  it('are those of the workspace, in whichever folder the action itself is', () => {
    mkdirSync(join(folder, 'reports'))
    for (const name of ['b', 'a', 'c']) writeFileSync(join(folder, 'reports', `${name}.json`), `é ${name}`)
    process.env['GITHUB_WORKSPACE'] = folder
    const { readFile, findFiles } = runnerPorts()
    expect(findFiles('reports/*.json')).toEqual(['reports/a.json', 'reports/b.json', 'reports/c.json'])
    expect(readFile('reports/b.json')).toBe('é b')
  })

  it('are those of the current folder where there is no workspace', () => {
    const { readFile, findFiles } = runnerPorts()
    expect(findFiles('action.y*ml')).toEqual(['action.yml'])
    expect(readFile('action.yml')).toBe(readFileSync('action.yml', 'utf8'))
  })

  it('have a summary to which everything is appended, where the runner has one', async () => {
    expect(runnerPorts().appendSummary).toBeUndefined()
    const path = join(folder, 'summary')
    writeFileSync(path, 'of the step before\n')
    process.env['GITHUB_STEP_SUMMARY'] = path
    const { appendSummary } = runnerPorts()
    await appendSummary?.('one\n')
    await appendSummary?.('two\n')
    expect(readFileSync(path, 'utf8')).toBe('of the step before\none\ntwo\n')
  })
})

test('inputs come from the runner, and a session goes by its clock until AWS has answered', () => {
  process.env['INPUT_CLUSTER-NAME'] = ' blue '
  const { runner, session, clock } = runnerPorts()
  expect(runner.getInput('cluster-name')).toBe('blue')
  const opened = session(inputsOf({ 'cluster-name': 'blue' }), new AbortController().signal)
  const before = clock.now()
  expect(opened.now()).toBeGreaterThanOrEqual(before)
  expect(opened.requests().total).toBe(0)
})

describe('a pause', () => {
  const { clock } = runnerPorts()

  it('takes its time, and leaves nothing on the signal that would grow with each', async () => {
    const { signal } = new AbortController()
    const before = clock.monotonic()
    await clock.pause(30, signal)
    // Timers count whole milliseconds.
    expect(clock.monotonic() - before).toBeGreaterThanOrEqual(29)
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  it('ends with the run, for its reason, and keeps the process alive no longer', async () => {
    const ended = new AbortController()
    const before = timers()
    const paused = clock.pause(anHour, ended.signal)
    expect(timers()).toBe(before + 1)
    const reason = new CancelledError()
    ended.abort(reason)
    await expect(paused).rejects.toBe(reason)
    expect(timers()).toBe(before)
  })

  it('does not begin once the run has ended', async () => {
    const reason = new CancelledError()
    const before = timers()
    await expect(clock.pause(anHour, AbortSignal.abort(reason))).rejects.toBe(reason)
    expect(timers()).toBe(before)
  })

  it('is ended with an error whatever the reason is', async () => {
    await expect(clock.pause(anHour, AbortSignal.abort('lost'))).rejects.toThrow(/^lost$/)
  })
})

describe('a timer', () => {
  it('calls back, keeps the process alive until then, and no longer once it is stopped', async () => {
    const { timer } = runnerPorts()
    await new Promise<void>((resolve) => timer(1, resolve))
    const before = timers()
    const long = timer(anHour, () => undefined)
    expect(timers()).toBe(before + 1)
    long.stop()
    expect(timers()).toBe(before)
  })

  it('that comes again and again keeps no process alive, and comes no more once it is stopped', async () => {
    const { clock } = runnerPorts()
    const before = timers()
    let came = 0
    const ticker = clock.every(1, () => came++)
    expect(timers()).toBe(before)
    while (came < 3) await clock.pause(1, new AbortController().signal)
    ticker.stop()
    const stopped = came
    await clock.pause(20, new AbortController().signal)
    expect(came).toBe(stopped)
  })
})
