import type { Manifest } from '../../kubernetes/manifest.js'
import { crdOf } from '../../kubernetes/structural-schema.js'
import { unknownFields } from '../../kubernetes/unknown-fields.js'
import type { Facts } from '../facts.js'
import type { Concern } from '../finding.js'

type PrunedFieldsFacts = Pick<
  Facts,
  'version' | 'replacingCrds' | 'standingNodes' | 'nodeClasses' | 'nodePools'
>

/** Fields shown of one object. */
const shown = 8

/** What other CRDs would take out of objects: the API server drops what a schema does not know, and says nothing. */
export async function prunedFields(facts: PrunedFieldsFacts): Promise<readonly Concern[]> {
  const { version, nodeClasses, nodePools } = facts
  const crds = await facts.replacingCrds()
  if (crds.length === 0) return []
  // Those that are given replace the ones of their names, and manifest-dry-run judges them.
  const given = new Set([...nodeClasses, ...nodePools].map(titleOf))
  const standing = (await facts.standingNodes()).filter((object) => !given.has(titleOf(object)))
  return standing.flatMap((object) => concernsOf(object, crds, version))
}

function concernsOf(object: Manifest, crds: readonly Manifest[], version: string): readonly Concern[] {
  const fields = unknownFields(object, crdOf(crds, object))
  if (fields.length === 0) return []
  const more = fields.length > shown ? ` and ${fields.length - shown} more` : ''
  const list = `${fields.slice(0, shown).join(', ')}${more}`
  return [
    {
      level: 'error',
      subject: titleOf(object),
      problem: `the CRDs of ${version} do not have ${list}, which it would lose`,
      evidence: `schema of ${object.apiVersion} in chart ${version}`,
      fix: `Take the fields out of it (kubectl edit ${object.kind.toLowerCase()} ${object.metadata.name}), or pass a \`karpenter-version\` that has them.`,
      override: 'pruned-fields'
    }
  ]
}

function titleOf({ kind, metadata }: Manifest): string {
  return `${kind} ${metadata.name}`
}
