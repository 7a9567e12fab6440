import { problemsBy } from '../../kubernetes/crd-schema.js'
import type { Manifest } from '../../kubernetes/manifest.js'
import type { Refusal } from '../../resources/dry-run.js'
import type { Check, Finding } from '../finding.js'

export interface ManifestFacts {
  readonly manifests: readonly Manifest[]
  /** Those of the version that is to be installed. */
  readonly crds: readonly Manifest[]
  /** Of the chart whose CRDs these are. */
  readonly karpenterVersion: string
  /** Whether the run applies the CRDs before the manifests, because the cluster has none or others. */
  readonly crdsChange: () => Promise<boolean>
  /** What the API server says to a dry run. */
  readonly refusals: (manifests: readonly Manifest[]) => Promise<readonly Refusal[]>
}

/**
 * The API server's own word on the manifests, where it has the CRDs by which it will judge them. Where the run is to apply
 * those first, the server would judge by none or by older ones, so the chart's are asked instead.
 */
export function manifestDryRun(facts: ManifestFacts): Check {
  return {
    name: 'manifest-dry-run',
    run: async () => ((await facts.crdsChange()) ? bySchema(facts) : byServer(facts))
  }
}

async function byServer({ manifests, refusals }: ManifestFacts): Promise<readonly Finding[]> {
  return (await refusals(manifests)).map(({ title, message }) =>
    finding(`${title}: ${message}`, 'dry run of the API server')
  )
}

async function bySchema({ manifests, crds, karpenterVersion }: ManifestFacts): Promise<readonly Finding[]> {
  return (await problemsBy(crds, manifests)).map(({ object, problems }) =>
    finding(
      `${object.kind} ${object.metadata.name}: ${problems.join('; ')}`,
      `CRDs of Karpenter ${karpenterVersion}, which are applied first`
    )
  )
}

function finding(problem: string, evidence: string): Finding {
  return {
    check: 'manifest-dry-run',
    level: 'error',
    subject: 'node-pools',
    problem,
    evidence,
    fix: 'Correct the manifest and run again.'
  }
}
