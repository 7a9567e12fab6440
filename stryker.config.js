/**
 * Mutants of what joins the parts, and of what decides in them; `npm run mutate -- --mutate 'src/engine/**'` takes some.
 * Not in CI: hours on two cores. The scores stand in docs/benchmarks.md.
 */
export default {
  mutate: [
    'src/main.ts',
    'src/post.ts',
    'src/{modes,run,plan,engine}/**/*.ts',
    'src/preflight/{index,checks,manifest-checks}.ts'
  ],
  testRunner: 'jest',
  testRunnerNodeArgs: ['--experimental-vm-modules', '--no-warnings'],
  jest: { configFile: 'jest.config.js' },
  coverageAnalysis: 'perTest',
  // A mutant that loops must not be taken for a busy machine.
  timeoutMS: 60_000,
  ignorePatterns: ['dist'],
  reporters: ['clear-text', 'progress-append-only', 'json'],
  jsonReporter: { fileName: 'reports/mutation.json' },
  tempDirName: '.stryker-tmp',
  allowEmpty: false
}
