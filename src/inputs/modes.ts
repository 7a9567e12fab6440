import { matching, type InputProblems, booleanOf, integerOf, listOf, oneOf, secondsOf } from './values.js'
import { names } from './fields.js'
import type {
  CheckInput,
  FailOn,
  InputSource,
  Mode,
  PreflightInput,
  RemovalInput,
  SmokeTestInput
} from './inputs.js'
import { overrides } from '../preflight/catalogue.js'

/** Undefined when the run makes no smoke test. In mode smoke-test it is the whole run, whatever `smoke-test` says. */
export function smokeTestOf(
  problems: InputProblems,
  source: InputSource,
  mode: Mode
): SmokeTestInput | undefined {
  const wanted = booleanOf(problems, 'smoke-test', source.get('smoke-test'))
  const threshold = source.get('node-ready-threshold-seconds')
  const smokeTest = {
    replicas: integerOf(problems, 'smoke-test-replicas', source.get('smoke-test-replicas'), 1, 100),
    onePerNode: booleanOf(problems, 'smoke-test-one-per-node', source.get('smoke-test-one-per-node')),
    image: matching(
      problems,
      'smoke-test-image',
      source.get('smoke-test-image'),
      names.image,
      'use an image such as nginx'
    ),
    nodePools: nodePoolNamesOf(problems, source.get('smoke-test-node-pools')),
    timeoutSeconds: secondsOf(problems, 'smoke-test-timeout', source.get('smoke-test-timeout'), 30, 7200),
    nodeReadyThresholdSeconds:
      threshold === '' ? undefined : integerOf(problems, 'node-ready-threshold-seconds', threshold, 1, 86_400)
  }
  return mode === 'smoke-test' || (mode === 'install' && wanted) ? smokeTest : undefined
}

function nodePoolNamesOf(problems: InputProblems, value: string): string[] {
  const pools = [...new Set(listOf(value))]
  for (const pool of pools)
    matching(problems, 'smoke-test-node-pools', pool, names.object, 'use names of NodePools, comma-separated')
  return pools
}

export function checkOf(problems: InputProblems, source: InputSource): CheckInput {
  const issue = booleanOf(problems, 'drift-issue', source.get('drift-issue'))
  const token = source.get('github-token')
  if (issue && token === '') {
    problems.add(
      'github-token',
      'drift-issue needs it',
      'pass `github-token: ${{ github.token }}` and give the job `issues: write`'
    )
  }
  return { failOn: failOnOf(problems, source.get('fail-on')), issueToken: issue ? token : undefined }
}

function failOnOf(problems: InputProblems, value: string): readonly FailOn[] {
  const words = listOf(value)
  if (words.length === 1 && words[0] === 'never') return []
  if (words.length === 0) problems.add('fail-on', 'is empty', 'use drift, pending, unknown, or never')
  return words.map((word) => oneOf(problems, 'fail-on', word, ['drift', 'pending', 'unknown']))
}

export function preflightOf(problems: InputProblems, source: InputSource): PreflightInput {
  const warnings = oneOf(problems, 'preflight', source.get('preflight'), ['warn', 'strict', 'off'])
  const allow = [...new Set(listOf(source.get('preflight-allow')))]
  const unknown = allow.filter((name) => !overrides.includes(name))
  if (unknown.length > 0) {
    problems.add(
      'preflight-allow',
      `"${unknown.join(', ')}" is no error that can be allowed`,
      `use ${overrides.join(', ')}, comma-separated`
    )
  }
  return { warnings, allow }
}

export function removalOf(problems: InputProblems, source: InputSource): RemovalInput {
  return {
    forceDrain: booleanOf(problems, 'force-drain', source.get('force-drain')),
    removeCrds: booleanOf(problems, 'remove-crds', source.get('remove-crds')),
    removeOidcProvider: booleanOf(problems, 'remove-oidc-provider', source.get('remove-oidc-provider')),
    removeAdopted: booleanOf(problems, 'remove-adopted', source.get('remove-adopted'))
  }
}
