/** End to end: dist/ against the sandbox. Scenarios mostly wait, so three share two cores. */
export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/e2e'],
  testMatch: ['**/*.test.ts'],
  maxWorkers: 3,
  testSequencer: '<rootDir>/jest.e2e.sequencer.js',
  // From nothing the sandbox's first start builds Kubernetes and Karpenter.
  testTimeout: 1_200_000,
  reporters: ['default'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2024' }, module: { type: 'es6' } }
    ]
  }
}
