import { join } from 'node:path'
import { argv, cwd } from 'node:process'
import { Stryker } from '@stryker-mutator/core'
import { mapAt } from '../src/engine/json.js'

/** Which files are mutated, and the tests that judge them; more tests take hours more and kill little more. */
const parts: Readonly<
  Record<string, { readonly mutate: readonly string[]; readonly tests: readonly string[] }>
> = {
  engine: { mutate: ['src/engine/**/*.ts'], tests: ['engine'] },
  model: { mutate: ['src/plan/model/**/*.ts'], tests: ['plan/model', 'modes'] },
  plan: { mutate: ['src/plan/*.ts'], tests: ['plan', 'modes'] },
  flows: { mutate: ['src/{main,post}.ts', 'src/{modes,run}/**/*.ts'], tests: ['modes', 'plan', 'run'] },
  preflight: { mutate: ['src/preflight/{index,checks,manifest-checks}.ts'], tests: ['modes', 'preflight'] }
}

/** `npm run mutate engine flows`: these parts; without a name all of them. Hours on two cores, so not in CI. */
const asked = argv.slice(2)
const unknown = asked.filter((name) => !(name in parts))
if (unknown.length > 0) {
  throw new Error(`no part ${unknown.join(', ')}; there are ${Object.keys(parts).join(', ')}`)
}

const loaded: unknown = await import(join(cwd(), 'jest.config.js'))
const jest = mapAt(loaded, 'default')

const lines: string[] = []
for (const [name, { mutate, tests }] of Object.entries(parts)) {
  if (asked.length > 0 && !asked.includes(name)) continue
  const started = Date.now()
  const mutants = await new Stryker({
    mutate: [...mutate],
    testRunner: 'jest',
    testRunnerNodeArgs: ['--experimental-vm-modules', '--no-warnings'],
    jest: {
      config: {
        ...jest,
        // Loses the machine at write after write: minutes for each mutant.
        testMatch: [...tests.map((folder) => `**/__tests__/${folder}/**/*.test.ts`), '!**/killed-run.test.ts']
      }
    },
    coverageAnalysis: 'perTest',
    concurrency: 2,
    // A busy machine is no loop.
    timeoutMS: 60_000,
    dryRunTimeoutMinutes: 60,
    ignorePatterns: ['dist'],
    tempDirName: '.stryker-tmp',
    reporters: ['clear-text', 'json'],
    jsonReporter: { fileName: `reports/mutation-${name}.json` },
    clearTextReporter: { allowColor: false, reportTests: false }
  }).runMutationTest()
  const count = (...states: readonly string[]): number =>
    mutants.filter(({ status }) => states.includes(status)).length
  const [killed, lived] = [count('Killed', 'Timeout'), count('Survived', 'NoCoverage')]
  const score = ((100 * killed) / (killed + lived)).toFixed(1)
  const minutes = ((Date.now() - started) / 60_000).toFixed(0)
  lines.push(`${name}: ${score} % of ${killed + lived} (${lived} live), ${minutes} min`)
}
for (const line of lines) console.log(line)
