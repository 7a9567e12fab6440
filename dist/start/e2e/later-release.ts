import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { holdPublished } from '../sandbox/cluster/deployer-policy.js'
import {
  newest,
  startSandbox,
  type ActionResult,
  type LaterRelease,
  type RunOptions,
  type Sandbox
} from '../sandbox/index.js'
import { publishedHosts } from '../sandbox/published/index.js'
import { list, text } from '../sandbox/values.js'
import { check, checkIsClean } from './clean-check.js'
import { uninstall, withoutSpotRole } from './removal.js'
import { driftedNodeClaims, nodePoolsWithTag } from './replaced-nodes.js'
import { at, callsOf, denied, reportOf, succeeded, writes } from './scenario.js'
import { guideImage, guideOf } from './shapes/guide.js'
import { everything } from './standing.js'
import { startWorkload } from './workload.js'

/** What upstream may publish some day, which nothing in this action knows of. */
const later: LaterRelease = {
  version: '1.99.0',
  kubernetes: ['1.30', '1.40'],
  action: { name: 'ec2:StopInstances', beside: 'ec2:TerminateInstances' },
  breaking: 'Nodes are stopped before they are terminated.'
}
const statement = 'AllowScopedDeletion'

/** Whether upstream's repository can be read while it is installed; a mirror has the chart alone. */
type Upstream = 'reachable' | 'unreachable'

interface Setting {
  readonly inputs: Readonly<Record<string, string>>
  /** What upstream's repository says of the release is known. */
  readonly told: boolean
  /** Hosts that cannot be reached. */
  readonly unreachable: readonly string[]
}

const settings: Readonly<Record<Upstream, Setting>> = {
  reachable: { inputs: { 'karpenter-version': later.version }, told: true, unreachable: [] },
  unreachable: {
    inputs: { 'karpenter-version': later.version, template: 'built-in' },
    told: false,
    unreachable: ['raw.githubusercontent.com']
  }
}

/** Hosts by their public names, which the inputs leave alone. */
const throughProxy: RunOptions = { throughProxy: true }

/** A release on the day it appears: install, check, removal without any host; adoption with an upgrade. */
export function laterReleaseScenario(upstream: Upstream): void {
  installed(upstream, settings[upstream])
  adopted(upstream, settings[upstream])
}

function installed(upstream: Upstream, { inputs, told, unreachable }: Setting): void {
  describe(`a release that appeared after this one, upstream's repository being ${upstream}`, () => {
    let sandbox: Sandbox
    let before: readonly string[]

    beforeAll(async () => {
      sandbox = await startSandbox({
        name: 'tomorrow',
        region: 'eu-west-1',
        kubernetesVersion: '1.35',
        authenticationMode: 'API',
        later,
        runner: 'kept'
      })
      before = await everything(sandbox)
      sandbox.proxy.setUnreachable(unreachable)
      sandbox.cloud.clearCalls()
    })
    afterAll(async () => sandbox.stop())

    test('it is installed with its smoke test, and warned of once', async () => {
      const result = succeeded(await sandbox.run(inputs, throughProxy))
      expect(denied(callsOf(sandbox))).toEqual([])
      expect(warnings(result)).toHaveLength(1)
      expect(warnings(result)[0]).toMatch(/1\.99\.0 .*newest .* tested with/)
      expect(result.outputs).toMatchObject({
        'karpenter-version': later.version,
        'karpenter-tested': 'false',
        'nodes-added': '1'
      })
      expect(at(reportOf(result), 'versions', 'grade')).toBe('untested')
      expect(mayStop(sandbox)).toBe(told)
    })

    test('a second run, asked for the minor alone, writes nothing', async () => {
      const calls = callsOf(sandbox).length
      const again = succeeded(await sandbox.run({ ...inputs, 'karpenter-version': '1.99' }, throughProxy))
      expect(again.outputs).toMatchObject({ changed: 'false', 'karpenter-version': later.version })
      expect(writes(callsOf(sandbox).slice(calls))).toEqual([])
    })

    test('a check is clean and warns of nothing, whether it is asked for this release or for the latest', async () => {
      for (const version of [later.version, 'latest']) {
        const result = await checkIsClean(sandbox, { ...inputs, 'karpenter-version': version }, throughProxy)
        expect(warnings(result)).toEqual([])
      }
    })

    test('with its record and no other host, a check is clean and an uninstall leaves nothing', async () => {
      sandbox.proxy.setUnreachable(publishedHosts)
      const result = await checkIsClean(sandbox, {}, throughProxy)
      expect(warnings(result)).toEqual([])
      await holdPublished(sandbox, 'uninstall')
      const removed = succeeded(await sandbox.run(uninstall, throughProxy))
      expect(removed.outputs['leftovers']).toBe('[]')
      expect(withoutSpotRole(await everything(sandbox))).toEqual(before)
    })
  })
}

function adopted(upstream: Upstream, { inputs, told, unreachable }: Setting): void {
  describe(`an installation of the guide and a release after this one, upstream's repository being ${upstream}`, () => {
    const guide = guideOf(newest, '1.35')
    const green = {
      ...inputs,
      'smoke-test': 'false',
      adopt: 'true',
      'node-pools': nodePoolsWithTag({
        cluster: guide.spec.name ?? '',
        team: 'green',
        budget: '0',
        image: guideImage
      })
    }
    let sandbox: Sandbox

    beforeAll(async () => {
      sandbox = await startSandbox({ ...guide.spec, later, runner: 'kept' })
      await guide.make(sandbox)
      await startWorkload(sandbox, { name: 'web', replicas: 2 })
      sandbox.proxy.setUnreachable(unreachable)
      sandbox.cloud.clearCalls()
    })
    afterAll(async () => sandbox.stop())

    test('it is adopted, upgraded and warned of, and its nodes are replaced as announced', async () => {
      const result = succeeded(await sandbox.run(green, throughProxy))
      expect(denied(callsOf(sandbox))).toEqual([])
      const upgrade = at(reportOf(result), 'upgrade')
      expect(upgrade).toMatchObject({
        from: newest,
        to: later.version,
        nodes: {
          nodes: 2,
          replaced: 2,
          causes: [{ object: 'EC2NodeClass default', nodes: 2, certain: true }]
        }
      })
      expect(JSON.stringify(upgrade).includes(later.breaking)).toBe(told)
      expect(JSON.stringify(at(upgrade, 'permissions')).includes(later.action.name)).toBe(told)
      const [ofVersion, ...others] = warnings(result).filter((warning) => warning.includes(later.version))
      expect(ofVersion).toMatch(/^karpenter-version: 1\.99\.0 is newer than .* tested with/)
      expect(others).toEqual([expect.stringMatching(/^smoke-test: .* nothing has proved that it scales/)])
      expect(result.outputs['karpenter-tested']).toBe('false')
      await driftedNodeClaims(sandbox, 2)
      expect(mayStop(sandbox)).toBe(told)
    })

    test('a check is clean and warns of nothing', async () => {
      const { result, findings } = await check(sandbox, green, throughProxy)
      expect(findings).toEqual([])
      expect(warnings(result)).toEqual([])
    })
  })
}

function warnings(result: ActionResult): readonly string[] {
  return result.annotations.filter(({ level }) => level === 'warning').map(({ message }) => message)
}

/** Whether the controller has the action that only the later release's own template gives it. */
function mayStop({ cloud }: Sandbox): boolean {
  return cloud.iam.policies.values().some(({ versions }) =>
    versions.some(({ document, isDefault }) => {
      const statements = list(at(JSON.parse(document), 'Statement'))
      const scoped = statements.filter((one) => text(at(one, 'Sid')) === statement)
      return isDefault && scoped.some((one) => list(at(one, 'Action')).includes(later.action.name))
    })
  )
}
