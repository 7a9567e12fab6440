import type { CallPath, PathStep } from '../engine/calls.js'
import type { Layer } from '../engine/resource.js'
import type { CriticalPath, PathCall } from './report.js'

/** Of the calls and of the losses of a path the report shows so many, the longest. */
const mostCalls = 200
const mostLosses = 20
/** Seconds below which time lost at one place is not worth naming; it is in the sum. */
const worthNaming = 0.01

/** The chain for the report. `layerOf`: of a resource, by which it is known who was waited for. */
export function criticalPathOf(
  path: CallPath,
  layerOf: (unit: string) => Layer | undefined
): CriticalPath | undefined {
  if (path.steps.length === 0) return undefined
  const losses = path.gaps
    .map(({ from, to, unit, before }) => ({
      from: from / 1000,
      seconds: (to - from) / 1000,
      in: unit,
      ...(before !== undefined && { before })
    }))
    .filter(({ seconds }) => seconds >= worthNaming)
  return {
    seconds: path.took / 1000,
    lost: (path.total - path.took) / 1000,
    ids: [...new Set(path.steps.map(({ unit }) => unit).filter((unit) => unit !== ''))],
    calls: longest(path.steps.map((step) => callOf(step, layerOf))),
    losses: longest(losses, mostLosses)
  }
}

function callOf({ kind, name, unit, times, from, took }: PathStep, layerOf: LayerOf): PathCall {
  return {
    name,
    in: unit,
    from: from / 1000,
    seconds: took / 1000,
    times,
    ...(kind === 'wait' && { waitedFor: ownerOf(unit, layerOf(unit)) })
  }
}

type LayerOf = (unit: string) => Layer | undefined

function ownerOf(unit: string, layer: Layer | undefined): NonNullable<PathCall['waitedFor']> {
  if (unit === 'Lock') return 'another run'
  switch (layer) {
    case 'kubernetes':
    case 'helm':
      return 'Kubernetes'
    case 'karpenter':
    case undefined:
      return 'Karpenter'
    default:
      return 'AWS'
  }
}

/** In their order. */
function longest<T extends { readonly seconds: number }>(all: readonly T[], most = mostCalls): readonly T[] {
  const kept = new Set(all.toSorted((a, b) => b.seconds - a.seconds).slice(0, most))
  return all.filter((one) => kept.has(one))
}
