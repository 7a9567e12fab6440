import type { Decisions } from '../plan/decisions.js'
import type { Aws } from '../aws/clients.js'
import type { Cluster } from '../aws/environment.js'
import type { Chart } from '../helm/chart.js'
import { countAsWanted } from '../engine/changes.js'
import type { Graph } from '../engine/graph.js'
import type { InstallRecord } from '../engine/record.js'
import type { Inspection } from '../engine/resource.js'
import { withoutSecrets } from '../engine/secret-values.js'
import type { Run } from '../run/run.js'
import type { NodePoolResult } from '../smoke-test/result.js'
import { gradeOf, newestTested } from '../karpenter/tested-versions.js'
import { notProvedWarning } from '../karpenter/version-words.js'
import type { ReportedSmokeTest, ReportedVersions } from '../report/report.js'
import type { NodeSpan } from '../report/timeline-bars.js'

/** As much of what was decided as anybody is told. */
type NotedDecisions = Pick<
  Decisions,
  'version' | 'facts' | 'statements' | 'choices' | 'warnings' | 'controllerRoleArn' | 'queueName'
> & {
  readonly stack: { readonly nodeRole: { readonly arn: string } }
  readonly chart: Pick<Chart, 'digest'>
}

/** What is known once everything is decided goes to outputs, summary and report; warnings to the log. */
export function noteDecisions(
  run: Run,
  found: { readonly aws: Pick<Aws, 'account'>; readonly cluster: Pick<Cluster, 'kubernetesVersion'> },
  decisions: NotedDecisions
): void {
  const { ledger, outputs, inputs } = run
  ledger.cluster({ account: found.aws.account.id, kubernetesVersion: found.cluster.kubernetesVersion })
  ledger.karpenter(versionsOf(decisions.version, decisions))
  for (const [name, text] of Object.entries(decisions.choices)) ledger.choice(name, text)
  for (const warning of decisions.warnings) run.journal.warning(warning)
  outputs['karpenter-version'] = decisions.version
  outputs['karpenter-tested'] = testedText(decisions.version)
  outputs['kubernetes-version'] = found.cluster.kubernetesVersion
  outputs['controller-role-arn'] = decisions.controllerRoleArn
  outputs['node-role-arn'] = decisions.stack.nodeRole.arn
  outputs['queue-name'] = decisions.queueName ?? ''
  outputs['stack-name'] = inputs.stackName
  outputs['chart-digest'] = decisions.chart.digest ?? ''
}

/** A version with how far this release knows it; `known` where its facts were looked for. */
export function versionsOf(
  karpenter: string,
  known?: Pick<Decisions, 'facts' | 'statements'>
): ReportedVersions {
  return {
    karpenter,
    grade: gradeOf(karpenter),
    newestTested,
    ...(known !== undefined && {
      facts: {
        kubernetes: known.facts.kubernetes.origin,
        statements: known.statements,
        nodeClassHash: known.facts.nodeClassHash.origin,
        upgradeNotes: known.facts.upgradeNotes.origin
      }
    })
  }
}

/** The output `karpenter-tested`. */
export function testedText(version: string): string {
  return String(gradeOf(version) === 'tested')
}

/** What is proved so far: each NodePool in the report, all of them together in the outputs. */
export function noteSmokeTests(run: Run, results: readonly NodePoolResult[]): void {
  // What the test says of times goes by AWS's clock, the rest of the report by the runner's.
  const behind = run.ports.clock.now() - run.session.now()
  run.ledger.smokeTests(
    results.map(reported),
    results.flatMap((result) => spansOf(result, behind))
  )
  const nodes = results.flatMap((result) => result.nodes)
  const names = nodes.map((node) => node.name)
  const types = [...new Set(nodes.map((node) => node.instanceType))]
  const most = (of: (result: NodePoolResult) => number): string => String(Math.max(...results.map(of)))
  Object.assign(run.outputs, {
    'nodes-before': String(results[0]?.nodesBefore ?? ''),
    'nodes-after': most((result) => result.nodesAfter),
    'nodes-added': String(results.reduce((sum, result) => sum + result.nodesAdded, 0)),
    'node-names': names.join(','),
    'node-names-json': JSON.stringify(names),
    'instance-types': types.join(','),
    'instance-types-json': JSON.stringify(types),
    'node-ready-seconds': most((result) => result.nodeReadySeconds),
    'scale-down-seconds': most((result) => result.scaleDownSeconds)
  })
}

/** Of each node when it came, ready, and when all of them went. */
function spansOf(result: NodePoolResult, behind: number): readonly NodeSpan[] {
  const { nodes, scaledUpAt, scaledDownAt, scaleDownSeconds } = result
  const [up, down] = [scaledUpAt + behind, scaledDownAt + behind]
  return nodes.flatMap(({ name, seconds }): readonly NodeSpan[] => [
    { name, does: 'comes', startedAt: up, endedAt: up + (seconds.initialized ?? 0) * 1000 },
    { name, does: 'goes', startedAt: down, endedAt: down + scaleDownSeconds * 1000 }
  ])
}

function reported(result: NodePoolResult): ReportedSmokeTest {
  const { launched, registered, initialized, podsRunning } = result.stages
  const stages = { launched, registered, initialized, 'pods running': podsRunning }
  return {
    ...result,
    stages: Object.fromEntries(
      Object.entries(stages).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))
    ),
    events: result.events.map((event) => `${event.time} ${event.object} ${event.reason}: ${event.message}`)
  }
}

/** As much of what was found as says how many nodes there are, and when a smoke test passed. */
interface Counted {
  readonly record: Pick<InstallRecord, 'smokeTest'> | undefined
  readonly nodes: () => Promise<readonly unknown[]>
  readonly othersNodes: () => Promise<{ readonly ofAll: number }>
}

/** A run that changes nothing proves nothing again: its smoke test would be the only thing that writes. */
export async function notProvedAgain(
  run: Run,
  found: Counted,
  of: { readonly version: string; readonly changed: boolean }
): Promise<void> {
  // Where something was changed all of them were looked at already.
  const nodes = String(of.changed ? (await found.nodes()).length : (await found.othersNodes()).ofAll)
  Object.assign(run.outputs, { 'nodes-before': nodes, 'nodes-after': nodes, 'nodes-added': '0' })
  const passed = found.record?.smokeTest?.time
  const proved = passed !== undefined && !of.changed
  if (run.inputs.smokeTest === undefined && !proved && gradeOf(of.version) === 'untested')
    run.journal.warning(notProvedWarning(of.version))
  if (run.inputs.smokeTest !== undefined && passed !== undefined) {
    run.ports.runner.info(`Smoke test left out: nothing has changed since it passed on ${passed}`)
  }
}

/** What will be done, before it is done: one line a resource that is not as wanted, the rest counted. */
export function planLines(graph: Graph, inspections: ReadonlyMap<string, Inspection>): readonly string[] {
  const all = graph.resources.flatMap((resource) => inspections.get(resource.id) ?? [])
  const lines = all.flatMap((inspection) => {
    const { title } = inspection.resource
    switch (inspection.state) {
      case 'as wanted':
        return []
      case 'absent':
        return [`create ${title}`]
      case 'unreadable':
        return [`unreadable ${title}: ${inspection.unreadable?.reason ?? ''}`]
      case 'differs':
        return [
          `change ${title}: ${inspection.differences
            .slice(0, 5)
            .map((difference) => withoutSecrets(difference).reason)
            .join('; ')}`
        ]
    }
  })
  return [...lines, `${countAsWanted(inspections)} of ${all.length} resources are as wanted`]
}
