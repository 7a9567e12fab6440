import type { Graph } from '../engine/graph.js'
import type { Outcome, RemovalOutcome, Timed } from '../engine/walk.js'
import type { TimelineBar } from './report.js'

/** Milliseconds since the epoch. */
interface Span {
  readonly startedAt: number
  readonly endedAt: number
}

export interface TimedStage extends Span {
  readonly name: string
}

/** A node that the smoke test made, on its way into the cluster or out of it. */
export interface NodeSpan extends Span {
  readonly name: string
  readonly does: 'comes' | 'goes'
}

/** What is known of when. */
export interface Times {
  readonly startedAt: number
  readonly stages: readonly TimedStage[]
  readonly walked:
    { readonly graph: Graph; readonly outcomes: readonly (Outcome | RemovalOutcome)[] } | undefined
  readonly nodes: readonly NodeSpan[]
  /** Names of stages and ids of resources on the critical path. */
  readonly critical: readonly string[]
}

/** All of it on one scale. Of the resources those that were changed, that failed, or that the run waited for. */
export function timelineOf({ startedAt, stages, walked, nodes, critical }: Times): readonly TimelineBar[] {
  const path = new Set(critical)
  const bar = (
    part: TimelineBar['part'],
    title: string,
    span: Span,
    of: Partial<TimelineBar> = {}
  ): TimelineBar => ({
    part,
    title,
    from: Math.max(0, (span.startedAt - startedAt) / 1000),
    to: Math.max(0, (span.endedAt - startedAt) / 1000),
    critical: false,
    failed: false,
    ...of
  })
  const resources = (walked?.outcomes ?? []).filter(
    (outcome) => outcome.changes.length > 0 || failed(outcome) || (path.has(outcome.id) && took(outcome) >= 1)
  )
  return [
    ...stages.map((stage) => bar('stages', stage.name, stage, { critical: path.has(stage.name) })),
    ...inOrder(resources).map((outcome) =>
      bar('resources', walked?.graph.titleOf(outcome.id) ?? outcome.id, outcome, {
        critical: path.has(outcome.id),
        failed: failed(outcome)
      })
    ),
    ...inOrder(nodes).map((node) => bar('nodes', `${node.name} ${node.does}`, node))
  ]
}

function inOrder<T extends Span>(spans: readonly T[]): readonly T[] {
  return spans.toSorted((a, b) => a.startedAt - b.startedAt)
}

function failed(outcome: Outcome | RemovalOutcome): boolean {
  return 'removal' in outcome ? outcome.removal.outcome === 'failed' : outcome.result === 'failed'
}

function took({ startedAt, endedAt }: Timed): number {
  return (endedAt - startedAt) / 1000
}
