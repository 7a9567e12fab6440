import { type Manifest, textField } from '../../kubernetes/manifest.js'
import { unknownFields } from '../../kubernetes/unknown-fields.js'
import type { Check, Finding } from '../finding.js'

export interface PrunedFieldsFacts {
  readonly version: string
  /** CRDs that are to be written; empty when none is. */
  readonly crds: () => Promise<readonly Manifest[]>
  /** NodePools and EC2NodeClasses that are there. */
  readonly live: () => Promise<readonly Manifest[]>
  /** Those that are given, which replace the ones of their names; manifest-dry-run judges them. */
  readonly given: readonly Manifest[]
}

/** Fields shown of one object. */
const shown = 8

/** What other CRDs would take out of objects: the API server drops what a schema does not know, and says nothing. */
export function prunedFields(facts: PrunedFieldsFacts): Check {
  return {
    name: 'pruned-fields',
    run: async () => {
      const crds = await facts.crds()
      if (crds.length === 0) return []
      const names = new Set(facts.given.map(titleOf))
      const standing = (await facts.live()).filter((object) => !names.has(titleOf(object)))
      return standing.flatMap((object) => findingsOf(object, crds, facts.version))
    }
  }
}

function findingsOf(object: Manifest, crds: readonly Manifest[], version: string): readonly Finding[] {
  const fields = crds.filter((crd) => isOf(object, crd)).flatMap((crd) => unknownFields(object, crd))
  if (fields.length === 0) return []
  const more = fields.length > shown ? ` and ${fields.length - shown} more` : ''
  const list = `${fields.slice(0, shown).join(', ')}${more}`
  return [
    {
      check: 'pruned-fields',
      level: 'error',
      subject: titleOf(object),
      problem: `the CRDs of ${version} do not have ${list}, which it would lose`,
      evidence: `schema of ${object.apiVersion} in chart ${version}`,
      fix: `Take the fields out of it (kubectl edit ${object.kind.toLowerCase()} ${object.metadata.name}), or pass a \`karpenter-version\` that has them.`,
      override: 'pruned-fields'
    }
  ]
}

function isOf({ apiVersion, kind }: Manifest, crd: Manifest): boolean {
  const of = `${textField(crd, 'spec', 'group') ?? ''} ${textField(crd, 'spec', 'names', 'kind') ?? ''}`
  return of === `${apiVersion.split('/')[0] ?? ''} ${kind}`
}

function titleOf({ kind, metadata }: Manifest): string {
  return `${kind} ${metadata.name}`
}
