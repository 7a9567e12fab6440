import { readFileSync } from 'node:fs'
import { load } from 'js-yaml'
import { isMap, mapAt } from '../../src/engine/json.js'
import { table } from '../../src/inputs/table.js'

function stepsOf(workflow: string, job: string): readonly Readonly<Record<string, unknown>>[] {
  const jobs = mapAt(load(readFileSync(`.github/workflows/${workflow}.yml`, 'utf8')), 'jobs')
  const { steps } = mapAt(jobs, job)
  return Array.isArray(steps) ? steps.filter(isMap) : []
}

function withOf(workflow: string, job: string): Readonly<Record<string, unknown>> {
  const step = stepsOf(workflow, job).find(({ uses }) => uses === 'org/setup-karpenter@v1')
  if (step === undefined) throw new Error(`${workflow}.yml: job ${job} has no step of this action`)
  return mapAt(step, 'with')
}

/** By the workflow itself, or for one run alone. */
const notByCluster = ['drift-issue', 'comment', 'github-token']

test('a job of a wave is given every input that means something on a cluster', () => {
  const {
    mode,
    'cluster-name': name,
    region,
    'role-to-assume': role,
    ...others
  } = withOf('cluster-wave', 'cluster')
  expect({ mode, name, region, role }).toEqual({
    mode: '${{ inputs.mode }}',
    name: '${{ matrix.cluster.name }}',
    region: '${{ matrix.cluster.region }}',
    role: '${{ matrix.cluster.role }}'
  })
  const wanted = Object.values(table)
    .filter(({ modes }) => modes.some((one) => one === 'check' || one === 'install' || one === 'uninstall'))
    .map((input) => input.name)
    .filter((one) => !['mode', 'cluster-name', 'region', 'role-to-assume', ...notByCluster].includes(one))
  expect(others).toEqual(
    Object.fromEntries(wanted.map((one) => [one, `\${{ matrix.cluster.inputs['${one}'] }}`]))
  )
})

test('the job that puts the reports together knows the whole list', () => {
  expect(withOf('clusters', 'combine')).toMatchObject({
    mode: 'combine',
    clusters: '${{ needs.waves.outputs.all }}'
  })
})
