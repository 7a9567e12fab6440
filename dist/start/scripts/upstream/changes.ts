import { load } from 'js-yaml'
import { isMap } from '../../src/engine/json.js'
import { policyChanges, type NamedPolicy } from '../../src/aws/policy/changes.js'
import { parseTemplate } from '../../src/karpenter/template-syntax.js'
import { upstreamPath } from '../../src/karpenter/template.js'
import { breakingChanges } from '../../src/karpenter/upgrade-guide.js'
import { tagPaths } from '../../src/karpenter/tag-constants.js'
import { isManifest, type Manifest } from '../../src/kubernetes/manifest.js'
import { upgradeLines } from '../../src/report/upgrade-lines.js'
import { chartChanges } from '../../src/upgrade/chart-changes.js'
import { crdChanges } from '../../src/upgrade/crd-changes.js'
import type { Source } from './sources.js'
import type { Digests } from './digests.js'
import type { ReleaseFacts } from './rows.js'

const chartPath = 'charts/karpenter/values.yaml'
const crdFolder = 'pkg/apis/crds'

/** One version, as far as it was read. */
export interface ReadVersion {
  readonly version: string
  readonly facts: ReleaseFacts | undefined
  readonly digests: Digests | undefined
}

/** What a version changes in the one before it, one line each, as this action says it to its users; none where nothing does. */
export async function changesOf(
  source: Source,
  before: ReadVersion,
  after: ReadVersion
): Promise<readonly string[]> {
  const file = async (path: string): Promise<readonly [string | undefined, string | undefined]> =>
    Promise.all([source.read(before.version, path), source.read(after.version, path)])
  const [templates, charts, guides] = await Promise.all([
    file(upstreamPath),
    file(chartPath),
    file(tagPaths.upgradeNotes)
  ])
  const [had, has] = await Promise.all([before, after].map(async ({ version }) => crdsOf(source, version)))
  const notes = upgradeLines(
    {
      from: before.version,
      to: after.version,
      direction: 'upgrade',
      passes: [],
      ...permissionsBetween(...templates),
      crds: had === undefined || has === undefined || had.length === 0 ? [] : crdChanges(had, has),
      fieldsLost: [],
      ...chartBetween(...charts),
      cautions: [],
      unread: []
    },
    'install'
  )
  return [
    ...factLines(before.facts, after.facts),
    ...resourceLines(before.digests, after.digests),
    ...notes.slice(1),
    ...(guides[1] === undefined ? [] : breakingChanges(guides[1], before.version, after.version)).map(
      ({ version, text }) => `upgrade guide of ${version}, breaking: ${text}`
    ),
    ...missing(after.version, [
      ['template', templates[1]],
      ['chart', charts[1]],
      ['upgrade guide', guides[1]],
      ['CRDs', has?.length === 0 ? undefined : 'there']
    ])
  ]
}

function factLines(before: ReleaseFacts | undefined, after: ReleaseFacts | undefined): readonly string[] {
  if (before === undefined || after === undefined) return []
  const range = ({ kubernetes }: ReleaseFacts): string => `1.${kubernetes.least} to 1.${kubernetes.most}`
  return [
    ...(range(before) === range(after) ? [] : [`Kubernetes ${range(before)} becomes ${range(after)}`]),
    ...(before.nodeClassHash === after.nodeClassHash
      ? []
      : [`hash of EC2NodeClasses ${before.nodeClassHash} becomes ${after.nodeClassHash}`])
  ]
}

/** Statements are said by what they allow; of all else of a template that it is there, gone or other. */
function resourceLines(before: Digests | undefined, after: Digests | undefined): readonly string[] {
  if (before === undefined || after === undefined) return []
  const parts = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (part) => !part.includes(' ')
  )
  return parts
    .filter((part) => before[part] !== after[part])
    .map((part) => {
      const what =
        before[part] === undefined ? 'is new' : after[part] === undefined ? 'is gone' : 'has changed'
      return `template: resource ${part} ${what}`
    })
}

function permissionsBetween(
  before: string | undefined,
  after: string | undefined
): { readonly permissions?: ReturnType<typeof policyChanges> & { readonly by: 'published policies' } } {
  if (before === undefined || after === undefined) return {}
  const changes = policyChanges(declaredPolicies(before), declaredPolicies(after))
  const { statements, policies } = changes
  const same = statements.length + policies.added.length + policies.removed.length === 0
  return same ? {} : { permissions: { ...changes, by: 'published policies' } }
}

/** With CloudFormation's placeholders in them: upstream writes each document as one text for Fn::Sub. */
function declaredPolicies(template: string): readonly NamedPolicy[] {
  return parseTemplate(template)
    .resources.filter(({ type }) => type === 'AWS::IAM::ManagedPolicy')
    .map(({ logicalId, properties }) => {
      const declared = properties['PolicyDocument']
      const text = isMap(declared) ? declared['Fn::Sub'] : undefined
      const document: unknown = typeof text === 'string' ? JSON.parse(text) : declared
      return { name: logicalId, document }
    })
}

function chartBetween(
  before: string | undefined,
  after: string | undefined
): { readonly chart?: ReturnType<typeof chartChanges> } {
  const [was, is] = [before, after].map((text) => (text === undefined ? undefined : load(text)))
  if (!isMap(was) || !isMap(is)) return {}
  return { chart: chartChanges({ installed: was, releaseValues: {}, chart: is, helmValues: {}, values: {} }) }
}

async function crdsOf(source: Source, version: string): Promise<readonly Manifest[]> {
  const names = (await source.list(version, crdFolder)).filter((name) => name.endsWith('.yaml'))
  const texts = await Promise.all(names.map(async (name) => source.read(version, `${crdFolder}/${name}`)))
  return texts.flatMap((text) => {
    const crd: unknown = text === undefined ? undefined : load(text)
    return isManifest(crd) ? [crd] : []
  })
}

function missing(
  version: string,
  files: readonly (readonly [name: string, text: string | undefined])[]
): readonly string[] {
  const absent = files.filter(([, text]) => text === undefined).map(([name]) => name)
  return absent.length === 0 ? [] : [`not compared, since ${version} has none here: ${absent.join(', ')}`]
}
