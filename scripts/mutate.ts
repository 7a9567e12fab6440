import { randomInt } from 'node:crypto'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, matchesGlob } from 'node:path'
import { argv, cwd } from 'node:process'
import { parseArgs } from 'node:util'
import { Stryker } from '@stryker-mutator/core'
import { seeded } from '../sandbox/control-plane/api-faults.js'
import { mapAt } from '../src/engine/json.js'
import { drawnRanges } from './mutation-share.js'

interface Part {
  readonly mutate: readonly string[]
  readonly tests: readonly string[]
  /** Milliseconds after which a test that waits for what never comes has seen the mutant; 10,000 where it is left out. */
  readonly longestTest?: number
}

/** Which files are mutated, and the tests that judge them; more tests take hours more and kill little more. */
const parts: Readonly<Record<string, Part>> = {
  engine: { mutate: ['src/engine/**/*.ts'], tests: ['engine'], longestTest: 2_000 },
  model: { mutate: ['src/plan/model/**/*.ts'], tests: ['plan/model'] },
  plan: { mutate: ['src/plan/*.ts'], tests: ['plan', 'modes'] },
  flows: { mutate: ['src/{main,post}.ts', 'src/{modes,run}/**/*.ts'], tests: ['modes', 'plan', 'run'] },
  preflight: { mutate: ['src/preflight/{index,checks}.ts'], tests: ['modes', 'preflight'] }
}

const usage = `npm run mutate -- [PART | FILE ...] [--tests NAMES] [--share 0.2] [--seed N] [--workers N]
  PART       ${Object.keys(parts).join(', ')}; without any all of them
  FILE       files of src alone, judged by the tests of their part
  --tests    modes/main,run: these alone judge, files or folders; quicker, and never a better score
  --share    of the functions, each drawn with that chance; all of them where it is not given
  --seed     repeats a draw; it is printed
  --workers  mutants tried at once, 2 if it is not given
All of it takes hours on two cores, so it is not in CI.`

const { values, positionals } = parseArgs({
  args: argv.slice(2),
  allowPositionals: true,
  options: {
    tests: { type: 'string' },
    share: { type: 'string', default: '1' },
    seed: { type: 'string', default: String(randomInt(1_000_000)) },
    workers: { type: 'string', default: '2' },
    help: { type: 'boolean', default: false }
  }
})
const [share, seed, workers] = [Number(values.share), Number(values.seed), Number(values.workers)]
const partOf = (file: string): string | undefined =>
  Object.entries(parts).find(([, { mutate }]) => mutate.some((glob) => matchesGlob(file, glob)))?.[0]
const unknown = positionals.filter((one) => !(one in parts) && partOf(one) === undefined)
if (values.help || unknown.length > 0 || !(share > 0 && share <= 1)) {
  if (unknown.length > 0) console.error(`no part and no file of one: ${unknown.join(', ')}`)
  console.error(usage)
  process.exit(values.help ? 0 : 1)
}

const loaded: unknown = await import(join(cwd(), 'jest.config.js'))
const jest = mapAt(loaded, 'default')

const lines: string[] = []
for (const [name, { mutate, tests, longestTest = 10_000 }] of Object.entries(parts)) {
  const whole = positionals.length === 0 || positionals.includes(name)
  const files = (whole ? mutate.flatMap((glob) => globSync(glob)) : positionals).filter(
    (file) => partOf(file) === name
  )
  const sources = files.toSorted().map((path) => ({ path, text: readFileSync(path, 'utf8') }))
  const asked = share === 1 ? files : drawnRanges(sources, share, seeded(seed))
  if (asked.length === 0) continue
  if (share < 1) console.log(`${name}: ${asked.length} functions drawn, seed ${seed}`)
  const started = Date.now()
  const mutants = await new Stryker({
    mutate: [...asked],
    testRunner: 'jest',
    testRunnerNodeArgs: ['--experimental-vm-modules', '--no-warnings'],
    jest: {
      // It looks in the folder of the mutant and in the tests alone, and misses tests that come to it by way of main.
      enableFindRelatedTests: false,
      config: {
        ...jest,
        runner: './jest.mutation.runner.js',
        testEnvironment: './jest.mutation.environment.js',
        testTimeout: longestTest,
        // Loses the machine at write after write: minutes for each mutant.
        testMatch: [
          ...(values.tests?.split(',') ?? tests).map((name) => `**/__tests__/${name}{/**/*,}.test.ts`),
          '!**/killed-run.test.ts'
        ]
      }
    },
    coverageAnalysis: 'perTest',
    concurrency: workers,
    // Beside one and a half times what the tests took without a mutant: a busy machine is no loop.
    timeoutMS: 3 * longestTest,
    // What ES modules a run has loaded are never given back: run after run takes longer.
    maxTestRunnerReuse: 20,
    dryRunTimeoutMinutes: 60,
    ignorePatterns: ['dist'],
    tempDirName: '.stryker-tmp',
    reporters: ['progress-append-only', 'clear-text', 'json'],
    jsonReporter: { fileName: `reports/mutation-${name}${share < 1 ? `-${seed}` : ''}.json` },
    clearTextReporter: { allowColor: false, reportTests: false, reportMutants: true }
  }).runMutationTest()
  const minutes = ((Date.now() - started) / 60_000).toFixed(0)
  const folders = Map.groupBy(mutants, ({ fileName }) => dirname(fileName.replace(/^.*?(?=src\/)/, '')))
  for (const [folder, ofFolder] of [...folders, ...(folders.size > 1 ? [[name, mutants] as const] : [])]) {
    const count = (...states: readonly string[]): number =>
      ofFolder.filter(({ status }) => states.includes(status)).length
    const [killed, lived] = [count('Killed', 'Timeout'), count('Survived', 'NoCoverage')]
    const score = ((100 * killed) / (killed + lived)).toFixed(1)
    lines.push(`${folder}: ${score} % of ${killed + lived} (${lived} live), ${minutes} min`)
  }
}
for (const line of lines) console.log(line)
