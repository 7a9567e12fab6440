import { statSync } from 'node:fs'
import { newest, startSandbox } from '../sandbox/index.js'
import { list, record } from '../sandbox/values.js'
import type { Figure } from './figure.js'
import { measure, type Measured, megabyte } from './measure.js'
import { roundTrips, startSlowNetwork } from './slow-network.js'

const cluster = { kubernetesVersion: '1.35', authenticationMode: 'API' } as const
const inputs = { 'karpenter-version': newest, template: 'built-in' }

/** As quick as a check is, another program that is awake for a moment is a tenth of it. */
const checkRuns = 5

/** An install with its smoke test, the same again, and checks: memory, requests, seconds, and whose those of the test were. */
export async function installTwice(log: (line: string) => void): Promise<readonly Figure[]> {
  const sandbox = await startSandbox({ ...cluster, name: 'bench', log })
  try {
    const first = await measure(sandbox, { ...inputs, 'smoke-test': 'true' })
    const second = await measure(sandbox, { ...inputs, 'smoke-test': 'true' })
    const checks: Measured[] = []
    for (let run = 0; run < checkRuns; run++)
      checks.push(await measure(sandbox, { ...inputs, mode: 'check' }))
    return [memory(first), ours(first), ...ofSecondRun(second), timeOfCheck(checks)]
  } finally {
    await sandbox.stop()
  }
}

/** Milliseconds that a resource of a stack takes where CloudFormation is as slow as AWS's own. */
const slowPace = 10_000

/** An install whose stack takes as long as at AWS: what the run takes beyond the stack and what needs all of it. */
export async function slowStack(log: (line: string) => void): Promise<readonly Figure[]> {
  const sandbox = await startSandbox({ ...cluster, name: 'bench-stack', stackPace: slowPace, log })
  try {
    const { report } = await measure(sandbox, { ...inputs, 'smoke-test': 'false' })
    const path = record(report['criticalPath'])
    return [
      {
        name: `Install with ${slowPace / 1000} s a resource of the stack, beyond its critical path`,
        value: Number(report['seconds']) - Number(path['seconds']),
        limit: 2,
        unit: 's',
        detail: `${Number(report['seconds']).toFixed(1)} s in all; lost most: ${mostLost(path)}`
      }
    ]
  } finally {
    await sandbox.stop()
  }
}

/** On a slow network an install without smoke test: its time against its own critical path, and what it loads; then the test. */
export async function slowInstall(log: (line: string) => void): Promise<readonly Figure[]> {
  const sandbox = await startSandbox({ ...cluster, name: 'bench-slow', log })
  const network = await startSlowNetwork(sandbox)
  try {
    const options = { recordLoads: true, env: network.env }
    const measured = await measure(sandbox, { ...inputs, 'smoke-test': 'false' }, options)
    const proof = await measure(sandbox, { ...inputs, mode: 'smoke-test' }, { env: network.env })
    return [loaded(measured), ...onItsPath(measured), ours(proof, 'on a slow network')]
  } finally {
    await network.stop()
    await sandbox.stop()
  }
}

/** AWS calls that wait for one another in an install on a slow network that need not download helm, as on GitHub's images. */
export async function callsInARow(log: (line: string) => void): Promise<readonly Figure[]> {
  const sandbox = await startSandbox({ ...cluster, name: 'bench-calls', runner: 'kept', log })
  const network = await startSlowNetwork(sandbox)
  try {
    const given = { ...inputs, 'smoke-test': 'false' }
    await measure(sandbox, { ...given, mode: 'plan' }, { env: network.env })
    const { report } = await measure(sandbox, given, { env: network.env })
    const calls = list(record(report['criticalPath'])['calls']).map((call) => String(record(call)['name']))
    const ofAws = calls.filter((name) => awsCall.test(name))
    return [
      {
        name: 'AWS calls one after another in an install, helm being there',
        value: ofAws.length,
        limit: 9,
        unit: '',
        detail: ofAws.map((name) => name.split(' ').slice(0, 2).join(' ')).join(', ')
      }
    ]
  } finally {
    await network.stop()
    await sandbox.stop()
  }
}

/** `iam GetRole blue`, as a report names a call to AWS. */
const awsCall = /^(sts|eks|ec2|iam|cloudformation|eventbridge|sqs|ssm) /

function memory({ result }: Measured): Figure {
  return {
    name: 'Memory of an install',
    value: (result.maxRssBytes ?? Number.NaN) / megabyte,
    limit: 150,
    unit: 'MB',
    detail: 'most that was resident at once, helm left out'
  }
}

/** Of a smoke test: what is neither Karpenter's nor EC2's. */
function ours({ report }: Measured, where = ''): Figure {
  const took = record(record(list(report['smokeTests'])[0])['took'])
  return {
    name: ["This action's own time in a smoke test", where].join(' ').trim(),
    value: Number(took['ours']),
    limit: 2,
    unit: 's',
    detail: `Karpenter's ${Number(took['karpenter']).toFixed(1)} s, EC2's ${Number(took['ec2']).toFixed(1)} s`
  }
}

function timeOfCheck(checks: readonly Measured[]): Figure {
  const seconds = checks.map(({ report }) => Number(report['seconds'])).toSorted((a, b) => a - b)
  return {
    name: `Check of a small cluster, time (median of ${checks.length})`,
    value: seconds[Math.floor(seconds.length / 2)] ?? Number.NaN,
    limit: 0.45,
    unit: 's',
    detail: `all of them: ${seconds.join(', ')}`
  }
}

function loaded({ loaded: files }: Measured): Figure {
  return {
    name: 'Loaded from dist by an install',
    value: files.reduce((total, file) => total + statSync(file).size, 0) / megabyte,
    limit: 1.7,
    unit: 'MB',
    detail: `${files.length} files`
  }
}

function onItsPath({ report }: Measured): readonly Figure[] {
  const seconds = Number(report['seconds'])
  const path = record(report['criticalPath'])
  return [
    {
      name: `Install with ${roundTrips.aws} ms to AWS and ${roundTrips.kubernetes} ms to the cluster, times its critical path`,
      value: seconds / Number(path['seconds']),
      limit: 1.15,
      unit: '',
      detail: `${seconds.toFixed(1)} s, critical path ${Number(path['seconds']).toFixed(1)} s; lost most: ${mostLost(path)}`
    }
  ]
}

/** `0.42 s before eks DescribeCluster bench-slow, ...` */
function mostLost(path: Readonly<Record<string, unknown>>): string {
  const losses = list(path['losses']).map(record)
  return losses
    .toSorted((a, b) => Number(b['seconds']) - Number(a['seconds']))
    .slice(0, 5)
    .map(({ seconds, before, in: unit }) => {
      const where = typeof before === 'string' ? `before ${before}` : `in ${JSON.stringify(unit)}`
      return `${Number(seconds).toFixed(2)} s ${where}`
    })
    .join(', ')
}

function ofSecondRun({ report }: Measured): readonly Figure[] {
  const requests = record(report['requests'])
  const repeated = list(requests['repeated'])
  return [
    {
      name: 'Unchanged second run, writes',
      value: Number(requests['writes']),
      limit: 0,
      unit: ''
    },
    {
      name: 'Unchanged second run, requests made twice',
      value: repeated.length,
      limit: 0,
      unit: '',
      ...(repeated.length > 0 && { detail: repeated.join(', ') })
    },
    // Nothing more is asked for a version that is pinned and was tested than with releases before 1.15.
    { name: 'Unchanged second run, requests', value: Number(requests['total']), limit: 60, unit: '' },
    { name: 'Unchanged second run, time', value: Number(report['seconds']), limit: 1.5, unit: 's' }
  ]
}
