import { expect } from '@jest/globals'
import type { ActionResult, RunOptions, Sandbox } from '../sandbox/index.js'
import { list, record, text } from '../sandbox/values.js'
import { allObjects } from './everything.js'
import { at, callsOf, find, paths, reportOf, writes, type KubernetesObject } from './scenario.js'

type Inputs = Readonly<Record<string, string>>

/** What a check found, in the report's own words. */
export interface Finding {
  readonly kind: string
  readonly id: string
  readonly layer: string
  readonly path: string
  readonly severity: string
  readonly reason: string
  /** What install would do. */
  readonly install: string
  /** Undefined where nobody is known. */
  readonly by: string | undefined
  readonly missingPermission: string | undefined
}

/** Findings of what could not be read, and the rest. */
export function told(findings: readonly Finding[]): {
  readonly missing: readonly (string | undefined)[]
  readonly drift: readonly string[]
} {
  const unknown = findings.filter(({ kind }) => kind === 'unknown')
  const drift = findings.filter(({ kind }) => kind === 'drift')
  return {
    missing: [...new Set(unknown.map(({ missingPermission }) => missingPermission))],
    drift: drift.map(({ id, path }) => `${id} ${path}`)
  }
}

/** A run of mode check, which calls nothing that writes, whatever it finds. */
export async function check(
  sandbox: Sandbox,
  inputs: Inputs,
  options: RunOptions = {}
): Promise<{ readonly result: ActionResult; readonly findings: readonly Finding[] }> {
  const calls = callsOf(sandbox).length
  const result = await sandbox.run({ 'fail-on': 'never', ...inputs, mode: 'check' }, options)
  expect(writes(callsOf(sandbox).slice(calls))).toEqual([])
  expect(result.leaks).toEqual([])
  const report = reportOf(result)
  expect(at(report, 'requests', 'writes')).toBe(0)
  return { result, findings: list(report['findings']).map(findingOf) }
}

/** Straight after an install with these inputs a check finds nothing, and leaves the cluster as it was. */
export async function checkIsClean(
  sandbox: Sandbox,
  inputs: Inputs,
  options: RunOptions = {}
): Promise<ActionResult> {
  const before = await writtenByUs(sandbox)
  const { result, findings } = await check(
    sandbox,
    { ...inputs, 'fail-on': 'drift,unhealthy,pending,unknown' },
    options
  )
  expect(findings).toEqual([])
  expect(result.outputs).toMatchObject({
    drift: '0',
    unhealthy: '0',
    pending: '0',
    unknown: '0',
    changed: 'false'
  })
  expect(result.conclusion).toBe('success')
  expect(await writtenByUs(sandbox)).toEqual(before)
  return result
}

function findingOf(found: unknown): Finding {
  const told = record(found)
  const word = (name: string): string => text(told[name]) ?? ''
  return {
    kind: word('kind'),
    id: word('id'),
    layer: word('layer'),
    path: word('path'),
    severity: word('severity'),
    reason: word('reason'),
    install: word('install'),
    by: text(at(told, 'by', 'manager')),
    missingPermission: text(told['missingPermission'])
  }
}

/** Objects that the action or its helm has written, with what they own in them, and the lock. */
async function writtenByUs(sandbox: Sandbox): Promise<Readonly<Record<string, unknown>>> {
  const objects = Object.entries(await allObjects(sandbox)).flatMap(([name, object]) => {
    const own = ownIn(record(object))
    return own.length === 0 ? [] : [[name, own] as const]
  })
  const lock = await find(sandbox, paths.lock)
  return { ...Object.fromEntries(objects), lock: at(lock, 'metadata', 'resourceVersion') }
}

function ownIn(object: KubernetesObject): readonly unknown[] {
  return list(at(object, 'metadata', 'managedFields')).filter((entry) =>
    ['setup-karpenter', 'helm'].includes(text(at(entry, 'manager')) ?? '')
  )
}
