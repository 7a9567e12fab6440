import type { Difference } from '../../src/engine/difference.js'
import { Graph } from '../../src/engine/graph.js'
import type { AnyResource } from '../../src/engine/resource.js'
import { inspectAll } from '../../src/engine/walk.js'
import {
  noteDecisions,
  noteSmokeTests,
  notProvedAgain,
  planLines,
  versionsOf
} from '../../src/modes/install-notes.js'
import { newestTested } from '../../src/karpenter/tested-versions.js'
import { tableFacts } from '../../src/karpenter/version-facts.js'
import { Ledger } from '../../src/report/ledger.js'
import type { Report } from '../../src/report/report.js'
import { openSession } from '../../src/run/session.js'
import type { NodePoolResult, SmokeTestNode } from '../../src/smoke-test/result.js'
import { account } from '../aws/stand-in.js'
import { textResource } from '../engine/fake-resources.js'
import { type LocalRun, localRun } from '../local-run.js'

let local: LocalRun
beforeEach(() => {
  local = localRun()
})
afterEach(() => local.end())

const node = (name: string, instanceType: string, initialized: number | undefined): SmokeTestNode => ({
  name,
  uid: name,
  instanceId: `i-${name}`,
  instanceType,
  zone: 'eu-west-1a',
  capacityType: 'spot',
  seconds: { launched: 3, registered: 20, initialized },
  pods: 1
})

/** Of a test that began 100 s after the epoch by AWS's clock. */
const result = (nodePool: string, other: Partial<NodePoolResult>): NodePoolResult => ({
  nodePool,
  nodesBefore: 2,
  nodesAfter: 3,
  nodesAdded: 1,
  nodes: [],
  podsRunning: 5,
  stages: { launched: 3, registered: undefined, initialized: 30, podsRunning: 35 },
  nodeReadySeconds: 30,
  scaleDownSeconds: 40,
  scaledUpAt: 100_000,
  scaledDownAt: 160_000,
  scaleDown: 'consolidated',
  took: { karpenter: 5, ec2: 50, ours: 15 },
  events: [
    { time: '2026-11-30T08:00:00Z', object: 'NodeClaim/a', reason: 'Launched', message: 'Status condition' }
  ],
  ...other
})

const results = [
  result('default', { nodes: [node('a', 'm5.large', 30), node('b', 'c5.large', undefined)], nodesAdded: 2 }),
  result('batch', {
    nodes: [node('c', 'm5.large', 25)],
    nodesBefore: 4,
    nodesAfter: 5,
    nodeReadySeconds: 25,
    scaleDownSeconds: 60
  })
]

/** The report of a run that began at 80 s by the runner's clock, which is ten seconds behind AWS's. */
function noted(): Report {
  const { run } = local
  const clockAt = (now: number) => ({ ...run.ports.clock, now: () => now })
  const ledger = new Ledger('install', 'local', { name: 'blue', region: 'eu-west-1' }, 80_000)
  noteSmokeTests(
    {
      ...run,
      ledger,
      ports: { ...run.ports, clock: clockAt(990_000) },
      session: openSession(run.inputs, { ...run.ports, clock: clockAt(1_000_000) }, run.signal)
    },
    results
  )
  const requests = { total: 0, writes: 0, repeated: [], byService: {} }
  return ledger.report({ result: 'succeeded', at: 990_000, requests, warnings: [] })
}

describe('what a smoke test has proved', () => {
  it('is in the outputs: all nodes of all NodePools, and the slowest of the times', () => {
    noted()
    expect(local.run.outputs).toEqual({
      'nodes-before': '2',
      'nodes-after': '5',
      'nodes-added': '3',
      'node-names': 'a,b,c',
      'node-names-json': '["a","b","c"]',
      'instance-types': 'm5.large,c5.large',
      'instance-types-json': '["m5.large","c5.large"]',
      'node-ready-seconds': '30',
      'scale-down-seconds': '60'
    })
  })

  it('is in the report, each NodePool by itself, with the stages that are known and what Karpenter said', () => {
    const { smokeTests } = noted()
    expect(smokeTests).toMatchObject([
      {
        nodePool: 'default',
        nodes: [{ name: 'a' }, { name: 'b' }],
        events: ['2026-11-30T08:00:00Z NodeClaim/a Launched: Status condition']
      },
      { nodePool: 'batch' }
    ])
    expect(smokeTests[0]?.stages).toStrictEqual({ launched: 3, initialized: 30, 'pods running': 35 })
  })

  it("is in the timeline: when each node came and went, by the runner's clock as all the rest", () => {
    const bars = (noted().timeline ?? []).map(({ part, title, from, to }) => [part, title, from, to])
    expect(bars).toEqual([
      ['nodes', 'a comes', 10, 40],
      ['nodes', 'b comes', 10, 10],
      ['nodes', 'c comes', 10, 35],
      ['nodes', 'a goes', 70, 110],
      ['nodes', 'b goes', 70, 110],
      ['nodes', 'c goes', 70, 130]
    ])
  })
})

describe('what was decided', () => {
  const found = { aws: { account }, cluster: { kubernetesVersion: '1.35' } }
  const decisions: Parameters<typeof noteDecisions>[2] = {
    version: '1.14.1',
    facts: tableFacts('1.14.1'),
    statements: 'table',
    choices: { 'Node access': 'access-entry' },
    warnings: ['subnets: they are few'],
    controllerRoleArn: 'arn:aws:iam::111122223333:role/blue-karpenter',
    queueName: 'blue',
    stack: { nodeRole: { arn: 'arn:aws:iam::111122223333:role/KarpenterNodeRole-blue' } },
    chart: { digest: 'sha256:abc' }
  }

  it('is in outputs, report and log as soon as it is known', () => {
    noteDecisions(local.run, found, decisions)
    expect(local.run.outputs).toStrictEqual({
      'karpenter-version': '1.14.1',
      'karpenter-tested': 'true',
      'kubernetes-version': '1.35',
      'controller-role-arn': 'arn:aws:iam::111122223333:role/blue-karpenter',
      'node-role-arn': 'arn:aws:iam::111122223333:role/KarpenterNodeRole-blue',
      'queue-name': 'blue',
      'stack-name': 'Karpenter-blue',
      'chart-digest': 'sha256:abc'
    })
    expect(local.report()).toMatchObject({
      cluster: { name: 'blue', account: '111122223333', kubernetesVersion: '1.35' },
      karpenterVersion: '1.14.1',
      versions: { facts: { statements: 'table' } },
      choices: { 'Node access': 'access-entry' }
    })
    expect(local.log).toEqual(['::warning::subnets: they are few'])
  })

  it('is an empty output where there is no queue and no digest, and no version that was tested', () => {
    noteDecisions(local.run, found, {
      ...decisions,
      version: '99.0.0',
      queueName: undefined,
      chart: { digest: undefined }
    })
    expect(local.run.outputs).toMatchObject({
      'karpenter-tested': 'false',
      'queue-name': '',
      'chart-digest': ''
    })
  })
})

describe('the versions of a report', () => {
  it('say how far a version is tested, and of one whose facts were looked for where each is from', () => {
    expect(versionsOf('1.14.1')).toStrictEqual({ karpenter: '1.14.1', grade: 'tested', newestTested })
    const facts = tableFacts('1.14.1')
    expect(versionsOf('1.14.1', { facts, statements: 'table' })).toMatchObject({
      facts: {
        kubernetes: facts.kubernetes.origin,
        statements: 'table',
        nodeClassHash: facts.nodeClassHash.origin,
        upgradeNotes: facts.upgradeNotes.origin
      }
    })
  })
})

describe('what an install is about to do', () => {
  const lines = async (resources: readonly AnyResource[]) => {
    const graph = new Graph(resources)
    return planLines(graph, await inspectAll(graph, local.run.signal))
  }
  const difference = (field: string): Difference => ({
    path: field,
    wanted: 'new',
    live: 'old',
    reason: `${field} differs`,
    severity: 'cosmetic'
  })

  it('is a line for each resource that is not as wanted, and the number of the others', async () => {
    const world = new Map(['same', 'other', 'unread'].map((id) => [id, `wanted ${id}`]))
    expect(
      await lines([
        textResource('same', [], world),
        textResource('gone', [], world),
        textResource('unread', [], world, { unreadable: 'may not get texts' }),
        textResource('other', [], world, { differences: [difference('spec.a'), difference('spec.b')] })
      ])
    ).toEqual([
      'create Text gone',
      'unreadable Text unread: may not get texts',
      'change Text other: spec.a differs; spec.b differs',
      '1 of 4 resources are as wanted'
    ])
  })

  it('names five differences of a resource at most, and shows no secret', async () => {
    const world = new Map([['other', 'wanted other']])
    const differences = ['a', 'b', 'c', 'd', 'e', 'f'].map(difference)
    expect(await lines([textResource('other', [], world, { differences })])).toEqual([
      'change Text other: a differs; b differs; c differs; d differs; e differs',
      '0 of 1 resources are as wanted'
    ])
    const secret = { ...difference('dbPassword'), wanted: 'hunter2', reason: 'dbPassword is not hunter2' }
    const [line] = await lines([textResource('other', [], world, { differences: [secret] })])
    expect(line).toContain('dbPassword')
    expect(line).not.toContain('hunter2')
  })
})

describe('a run that makes no smoke test', () => {
  const passed = { smokeTest: { time: '2026-11-30T08:00:00Z' } }
  /** Newer than any that was tested. */
  const unknown = '99.0.0'

  /** What it says of a cluster of five nodes, of which three were read anew where they were all looked at. */
  const said = async (
    given: Readonly<Record<string, string>>,
    record: Partial<typeof passed> | undefined,
    of: Parameters<typeof notProvedAgain>[2]
  ) => {
    const own = localRun(given)
    const found = { record, nodes: async () => [1, 2, 3], othersNodes: async () => ({ ofAll: 5 }) }
    await notProvedAgain(own.run, found, of)
    own.end()
    return { outputs: own.run.outputs, log: own.log }
  }
  const off = { 'smoke-test': 'false' }

  it('counts the nodes that are there, by what it has read of them anyway', async () => {
    const count = (nodes: string) => ({ 'nodes-before': nodes, 'nodes-after': nodes, 'nodes-added': '0' })
    expect((await said(off, undefined, { version: '1.14.1', changed: true })).outputs).toEqual(count('3'))
    expect((await said(off, undefined, { version: '1.14.1', changed: false })).outputs).toEqual(count('5'))
  })

  it('says that it was left out, where it was asked for and has passed', async () => {
    const same = { version: '1.14.1', changed: false }
    expect((await said({}, passed, same)).log).toEqual([
      'Smoke test left out: nothing has changed since it passed on 2026-11-30T08:00:00Z'
    ])
    expect([(await said(off, passed, same)).log, (await said({}, undefined, same)).log]).toEqual([[], []])
    expect((await said({}, {}, same)).log).toEqual([])
  })

  it('warns that nothing proves a version that was not tested, but where a smoke test has passed on it', async () => {
    const warning = expect.stringMatching(/^::warning::smoke-test: Karpenter 99\.0\.0 is newer/) as unknown
    expect((await said(off, undefined, { version: unknown, changed: false })).log).toEqual([warning])
    expect((await said(off, passed, { version: unknown, changed: true })).log).toEqual([warning])
    expect((await said(off, passed, { version: unknown, changed: false })).log).toEqual([])
    expect((await said(off, undefined, { version: '1.14.1', changed: true })).log).toEqual([])
    expect((await said({}, undefined, { version: unknown, changed: true })).log).toEqual([])
  })
})
