import type { Chart } from '../../helm/chart.js'
import { problemsBy } from '../../kubernetes/crd-schema.js'
import type { Facts } from '../facts.js'
import type { Concern } from '../finding.js'
import { idOf } from '../../resources/ids.js'

type ManifestFacts = Pick<Facts, 'nodeClasses' | 'nodePools' | 'version' | 'changes' | 'refusals'> & {
  readonly chart: Pick<Chart, 'crds'>
}

/**
 * The API server's own word on the manifests, where it has the CRDs by which it will judge them. Where the run is to apply
 * those first, the server would judge by none or by older ones, so the chart's are asked instead.
 */
export async function manifestDryRun(facts: ManifestFacts): Promise<readonly Concern[]> {
  return (await facts.changes(idOf.crds)) ? bySchema(facts) : byServer(facts)
}

async function byServer({ refusals }: ManifestFacts): Promise<readonly Concern[]> {
  return (await refusals()).map(({ title, message, fix }) =>
    finding(`${title}: ${message}`, 'dry run of the API server', fix)
  )
}

async function bySchema(facts: ManifestFacts): Promise<readonly Concern[]> {
  const { nodeClasses, nodePools, chart, version } = facts
  return (await problemsBy(chart.crds, [...nodeClasses, ...nodePools])).map(({ object, problems }) =>
    finding(
      `${object.kind} ${object.metadata.name}: ${problems.join('; ')}`,
      `CRDs of Karpenter ${version}, which are applied first`
    )
  )
}

function finding(problem: string, evidence: string, fix = 'Correct the manifest and run again.'): Concern {
  return {
    level: 'error',
    subject: 'node-pools',
    problem,
    evidence,
    fix
  }
}
