import { newest, type Sandbox, startSandbox } from '../sandbox/index.js'
import { record } from '../sandbox/values.js'
import { crowd } from './crowd.js'
import type { Figure } from './figure.js'
import { measure, type Measured, megabyte } from './measure.js'

const inputs = { 'karpenter-version': newest, template: 'built-in' }
const nodes = 5_000
/** What a list call answers at most. */
const page = 500

/** A check of a small cluster, and of the same one with 5,000 nodes and NodeClaims: memory, requests, seconds. */
export async function checkManyNodes(log: (line: string) => void): Promise<readonly Figure[]> {
  const sandbox = await startSandbox({
    name: 'bench-many',
    kubernetesVersion: '1.35',
    authenticationMode: 'API',
    log
  })
  try {
    await measure(sandbox, { ...inputs, 'smoke-test': 'false' })
    const small = await check(sandbox)
    const seconds = await crowd(sandbox, nodes)
    log(`${nodes} nodes and their NodeClaims were made in ${seconds.toFixed(0)} s`)
    return figures(small, await check(sandbox))
  } finally {
    await sandbox.stop()
  }
}

async function check(sandbox: Sandbox): Promise<Measured> {
  return measure(sandbox, { ...inputs, mode: 'check' })
}

function figures(small: Measured, large: Measured): readonly Figure[] {
  const beyond = requestsOf(large) - requestsOf(small)
  const [before, after] = [secondsOf(small), secondsOf(large)]
  return [
    {
      name: `Memory of a check with ${nodes} nodes`,
      value: (large.result.maxRssBytes ?? Number.NaN) / megabyte,
      limit: 150,
      unit: 'MB',
      detail: `${((small.result.maxRssBytes ?? Number.NaN) / megabyte).toFixed(0)} MB with two nodes`
    },
    {
      name: `Requests of a check with ${nodes} nodes beyond those with two`,
      value: beyond,
      limit: (2 * nodes) / page,
      unit: '',
      detail: `${requestsOf(large)} in all`
    },
    {
      name: `Time of a check with ${nodes} nodes beyond that with two`,
      value: after - before,
      limit: 3,
      unit: 's',
      detail: `${after.toFixed(1)} s, with two ${before.toFixed(1)} s`
    }
  ]
}

function requestsOf({ report }: Measured): number {
  return Number(record(report['requests'])['total'])
}

function secondsOf({ report }: Measured): number {
  return Number(report['seconds'])
}
