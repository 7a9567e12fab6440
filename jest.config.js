/** Unit tests: no sandbox, no network. */
export default {
  testEnvironment: 'node',
  // For what hangs; a busy machine must not fail a test that is right.
  testTimeout: 60_000,
  roots: ['<rootDir>/__tests__'],
  testMatch: ['**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          parser: { syntax: 'typescript' },
          target: 'es2024',
          experimental: { keepImportAttributes: true }
        },
        module: { type: 'es6' }
      }
    ]
  }
}
