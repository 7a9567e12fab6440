import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { startSandbox, type Sandbox, type SandboxSpec } from '../sandbox/index.js'
import { list, record } from '../sandbox/values.js'
import { AnotherHand } from './another-hand.js'
import { check, checkIsClean, type Finding } from './clean-check.js'
import { putBoundary } from './damage.js'
import type { Drift, Expected } from './drifts/drift.js'
import { noise } from './drifts/noise.js'
import { errorOf } from './failed-run.js'
import { callsOf, get, paths, reportOf, succeeded, writes } from './scenario.js'

/** A cluster with an installation, and what somebody changes on it. */
export interface Setting {
  readonly title: string
  readonly spec: SandboxSpec
  readonly inputs: Readonly<Record<string, string>>
  /** Planted one at a time. */
  readonly drifts: readonly Drift[]
  /** Planted all at once, but for those that hide others; the same when absent. */
  readonly together?: readonly Drift[]
}

type Told = Omit<Expected, 'id'> & Partial<Finding> & Pick<Finding, 'id'>

/** What a check must have found, no more and no less, in one order. */
function told(findings: readonly Told[]): readonly string[] {
  const lines = findings.map(({ kind = 'drift', id, path, severity, by }) =>
    [kind, id, path, severity, by ?? 'nobody known'].join(' | ')
  )
  return [...new Set(lines)].toSorted()
}

/** Each drift by itself is found, alone, named, attributed and put right; then all of them at once. */
export function driftScenario({ title, spec, inputs, drifts, together = drifts }: Setting): void {
  describe(title, () => {
    let sandbox: Sandbox
    let hand: AnotherHand

    beforeAll(async () => {
      sandbox = await startSandbox({ ...spec, runner: 'kept' })
      putBoundary(sandbox)
      succeeded(await sandbox.run(inputs))
      hand = new AnotherHand(sandbox)
      await checkIsClean(sandbox, inputs)
    })
    afterAll(async () => {
      hand.close()
      await sandbox.stop()
    })

    test.each(drifts)('$name: found, alone, and put right', async ({ plant, finds }) => {
      await plant(hand)
      const findings = drifted((await check(sandbox, inputs)).findings)
      const expected = finds(hand)
      expect(told(findings.map(typed))).toEqual(told(expected))
      for (const { reason, install } of findings) {
        expect(reason).not.toBe('')
        expect(install).toMatch(/^(create|set|remove|change) /)
      }
      const repair = succeeded(await sandbox.run(inputs))
      expect(repair.outputs['changed']).toBe('true')
      expect(expected.map(({ id }) => id)).toEqual(expect.arrayContaining([...changedBy(reportOf(repair))]))
      // Whatever the repair has left is found with the next drift, which must be found alone.
    })

    test('all at once: every one is found, a check fails by them, and one install puts them right', async () => {
      const planted = together.filter(({ hides }) => hides !== true)
      for (const { plant } of planted) await plant(hand)
      const { result, findings: all } = await check(sandbox, { ...inputs, 'fail-on': 'drift' })
      const findings = drifted(all)
      expect(told(findings.map(typed))).toEqual(told(planted.flatMap(({ finds }) => finds(hand))))
      expect(result.outputs['drift']).toBe(String(findings.length))
      const errors = result.annotations.filter(({ level }) => level === 'error').map(({ message }) => message)
      expect(errors.join('\n')).toContain(`${findings.length} drift`)
      expect(result.annotations.length).toBeLessThanOrEqual(10)
      succeeded(await sandbox.run(inputs))
      await checkIsClean(sandbox, inputs)
    })

    test("what is others' affair and what says the same in other words is no drift", async () => {
      for (const one of noise) await one(hand)
      await checkIsClean(sandbox, inputs)
      sandbox.cloud.clearCalls()
      const again = succeeded(await sandbox.run(inputs))
      expect(again.outputs['changed']).toBe('false')
      expect(writes(callsOf(sandbox))).toEqual([])
    })

    test('what two clusters want is found, and left for a person to decide', async () => {
      await hand.tag(hand.subnet, 'another')
      const findings = drifted((await check(sandbox, inputs)).findings)
      const path = `${hand.subnet}.tags.karpenter.sh/discovery`
      expect(findings).toMatchObject([{ kind: 'drift', id: 'subnet-tags', path }])
      expect(findings[0]?.install).toMatch(/^refuse: .* is tagged karpenter\.sh\/discovery=another/)
      expect(errorOf(await sandbox.run(inputs))).toContain('tagged karpenter.sh/discovery=another')
      await hand.tag(hand.subnet, hand.cluster)
    })

    test('a check waits for no lock and takes none', async () => {
      const now = new Date().toISOString().replace('Z', '000Z')
      await hand.edit(
        paths.lock,
        {
          spec: {
            holderIdentity: 'another run',
            leaseDurationSeconds: 3600,
            acquireTime: now,
            renewTime: now
          }
        },
        'another-run'
      )
      const { log } = await checkIsClean(sandbox, inputs)
      expect(log).not.toContain('another run')
      expect(record((await get(sandbox, paths.lock))['spec'])['holderIdentity']).toBe('another run')
    })
  })
}

/** Without what does not work because of it. */
function drifted(findings: readonly Finding[]): readonly Finding[] {
  return findings.filter(({ kind }) => kind !== 'unhealthy')
}

/** Ids of the resources that an install changed. */
function changedBy(report: Readonly<Record<string, unknown>>): readonly unknown[] {
  return list(report['resources'])
    .map(record)
    .filter(({ changes }) => list(changes).length > 0)
    .map(({ id }) => id)
}

/** A finding whose severity is one that there is. */
function typed(finding: Finding): Told {
  const severity = (['breaks scaling', 'weakens security', 'changes behaviour', 'cosmetic'] as const).find(
    (one) => one === finding.severity
  )
  if (severity === undefined) throw new Error(`${finding.id}: no such severity: ${finding.severity}`)
  const { by, ...rest } = finding
  return { ...rest, severity, ...(by !== undefined && { by }) }
}
