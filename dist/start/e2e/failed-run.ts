import { expect } from '@jest/globals'
import type { ActionResult, Sandbox } from '../sandbox/index.js'
import { list, record } from '../sandbox/values.js'
import { reportOf } from './scenario.js'

/** The one error of a run that failed, as its annotation says it. */
export function errorOf(result: ActionResult): string {
  const errors = result.annotations.filter(({ level }) => level === 'error')
  if (result.conclusion !== 'failure' || errors.length !== 1) {
    throw new Error(`${result.conclusion} with ${errors.length} errors, not one:\n${result.log}`)
  }
  return errors[0]?.message ?? ''
}

/** Calls of AWS by the action's own role that change something. */
export function writesOf(sandbox: Sandbox): readonly string[] {
  return sandbox.cloud
    .calls()
    .filter((call) => call.write && /assumed-role\/karpenter-deployer\//.test(call.callerArn))
    .map((call) => `${call.service}:${call.action}`)
}

/** What an install leaves in kube-system, and its namespace. */
const written = [
  '/api/v1/namespaces/karpenter',
  '/api/v1/namespaces/kube-system/configmaps/setup-karpenter',
  '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/setup-karpenter'
]

/**
 * That a run ended in seconds, with an error that has all of these, having written nothing to AWS or to a cluster without
 * an installation.
 */
export async function refusedBeforeWriting(
  sandbox: Sandbox,
  result: ActionResult,
  error: readonly (string | RegExp)[]
): Promise<void> {
  const said = errorOf(result)
  for (const part of error) expect(said).toMatch(part)
  expect(said).toMatch(/^ {2}(No call was made and nothing|Nothing) was changed\.$/m)
  expect(writesOf(sandbox)).toEqual([])
  const found = await Promise.all(written.map(async (path) => sandbox.kubernetes('GET', path)))
  expect(found.map(({ status }) => status)).toEqual([404, 404, 404])
  expect(result.outputs['changed']).toBe('false')
  // Seconds on any machine; whatever waits for what cannot come takes minutes.
  expect(result.milliseconds).toBeLessThan(60_000)
}

/**
 * What preflight found, by the report. The sandbox's subnets are public, as those of the guide's cluster, and every run says so:
 * e2e/guide holds that, and nobody else is told of it.
 */
export function preflightOf(result: ActionResult): readonly Readonly<Record<string, unknown>>[] {
  return list(reportOf(result)['preflight'])
    .map(record)
    .filter(({ problem }) => !/ public, and nodes run there as well/.test(String(problem)))
}

/** `error version-pair` of each finding that preflight made, by the report. */
export function found(result: ActionResult): readonly string[] {
  return preflightOf(result).map((finding) => `${String(finding['level'])} ${String(finding['check'])}`)
}
