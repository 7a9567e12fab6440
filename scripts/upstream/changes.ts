import { load } from 'js-yaml'
import { isMap } from '../../src/engine/json.js'
import { policyChanges } from '../../src/aws/policy/changes.js'
import { renderTemplate } from '../../src/karpenter/rendered-stack.js'
import { isManifest, type Manifest } from '../../src/kubernetes/manifest.js'
import { chartChanges } from '../../src/upgrade/chart-changes.js'
import { crdChanges } from '../../src/upgrade/crd-changes.js'
import { partitions } from './digests.js'
import { paths } from './facts.js'
import type { Source } from './source.js'

/** What a release changes beside the one before it, in lines for a person; none where nothing of ours is touched. */
export async function changesOf(source: Source, before: string, after: string): Promise<readonly string[]> {
  const both = async (path: string): Promise<readonly [string | undefined, string | undefined]> =>
    Promise.all([source.file(before, path), source.file(after, path)])
  const [template, values, ...crds] = await Promise.all([
    both(paths.template),
    both(paths.values),
    ...paths.crds.map(both)
  ])
  return [
    ...compared('template', template, templateLines),
    ...compared('chart', values, chartLines),
    ...crds.flatMap((texts) => compared('CRDs', texts, crdLines))
  ]
}

/** Says so where one of the two cannot be read: what is not compared must not look unchanged. */
function compared(
  what: string,
  [before, after]: readonly [string | undefined, string | undefined],
  lines: (before: string, after: string) => readonly string[]
): readonly string[] {
  if (after === undefined || before === undefined)
    return [`${what}: not compared, the source does not have it`]
  return before === after ? [] : lines(before, after)
}

function templateLines(before: string, after: string): readonly string[] {
  const stack = (text: string): ReturnType<typeof renderTemplate> =>
    renderTemplate(text, { clusterName: 'blue', stackName: 'Karpenter-blue', account: partitions.aws })
  const [was, is] = [stack(before), stack(after)]
  const ids = (of: typeof was): readonly string[] => of.resources.map(({ logicalId }) => logicalId)
  const { statements } = policyChanges(was.policies, is.policies)
  return [
    ...ids(is)
      .filter((id) => !ids(was).includes(id))
      .map((id) => `template: resource ${id} is new`),
    ...ids(was)
      .filter((id) => !ids(is).includes(id))
      .map((id) => `template: resource ${id} is gone`),
    ...statements.map(
      ({ policy, statement, change, gains, loses }) =>
        `template: ${policy}/${statement} ${change}: ${[...gains.map((line) => `+ ${line}`), ...loses.map((line) => `- ${line}`)].join(', ')}`
    )
  ]
}

function chartLines(before: string, after: string): readonly string[] {
  const [installed, chart] = [mapOf(before), mapOf(after)]
  const { added, gone, defaults } = chartChanges({
    installed,
    chart,
    releaseValues: {},
    helmValues: {},
    values: {}
  })
  return [
    ...added.map(({ path }) => `chart: value ${path} is new`),
    ...gone.map((path) => `chart: value ${path} is gone`),
    ...defaults.map(({ path }) => `chart: the default of ${path} changes`)
  ]
}

function crdLines(before: string, after: string): readonly string[] {
  return crdChanges([crdOf(before)], [crdOf(after)]).map(
    ({ crd, added, gone, changed }) =>
      `CRD ${crd}: ${added.length} fields new, ${gone.length} gone, ${changed.length} changed`
  )
}

function mapOf(text: string): Readonly<Record<string, unknown>> {
  const value: unknown = load(text)
  return isMap(value) ? value : {}
}

function crdOf(text: string): Manifest {
  const value: unknown = load(text)
  if (!isManifest(value)) throw new Error('a CRD of upstream is no manifest')
  return value
}
