import { compatibilityAnnotation } from '../karpenter/cautions.js'
import { exactVersion, isBefore } from '../karpenter/versions.js'
import type { Kubernetes } from '../kubernetes/client.js'
import { nodePools } from '../kubernetes/kinds.js'
import { textField } from '../kubernetes/manifest.js'
import type { Check, Finding } from './finding.js'

/** What a NodePool still has of v1beta1, in which 1.0 kept it. */
export interface NodePoolRemains {
  readonly name: string
  /** Kubelet settings that 1.0 kept in an annotation. */
  readonly annotated: boolean
  /** Its nodeClassRef says neither group nor kind, or only one of them. */
  readonly incompleteRef: boolean
}

export interface RemainsFacts {
  readonly version: string
  /** The version that runs; undefined when none does. */
  readonly installed: string | undefined
  readonly nodePools: () => Promise<readonly NodePoolRemains[]>
}

/** The step from 1.0 to 1.1 and later, which upstream wants prepared. Sources: upgrade guide, pkg/operator of 1.1 to 1.5. */
export function v1beta1Remains(facts: RemainsFacts): Check {
  return { name: 'v1beta1-remains', run: async () => (passes11(facts) ? findingsOf(facts) : []) }
}

function passes11({ version, installed }: RemainsFacts): boolean {
  const runs = exactVersion(installed)
  return runs !== undefined && isBefore(runs, '1.1.0') && !isBefore(version, '1.1.0')
}

async function findingsOf(facts: RemainsFacts): Promise<readonly Finding[]> {
  const { version, installed } = facts
  const found = await facts.nodePools()
  const ends = isBefore(version, '1.6.0')
  return found.flatMap(({ name, annotated, incompleteRef }): readonly Finding[] => {
    const finding = (level: Finding['level'], problem: string, evidence: string, fix: string): Finding => ({
      check: 'v1beta1-remains',
      level,
      subject: `NodePool ${name}`,
      problem,
      evidence,
      fix
    })
    return [
      ...(annotated
        ? [
            finding(
              ends ? 'error' : 'warning',
              ends
                ? `its kubelet settings are in an annotation, with which Karpenter ${version} ends at its start`
                : `its kubelet settings are in an annotation, which Karpenter ${version} does not read: new nodes would be without them`,
              `${compatibilityAnnotation}, of Karpenter ${installed ?? ''}`,
              `Put them into spec.kubelet of its EC2NodeClass, then: kubectl annotate nodepool ${name} ${compatibilityAnnotation}-`
            )
          ]
        : []),
      ...(incompleteRef
        ? [
            finding(
              'error',
              `its nodeClassRef lacks group or kind, which Karpenter ${version} asks for`,
              'spec.template.spec.nodeClassRef',
              'Set group: karpenter.k8s.aws and kind: EC2NodeClass in it.'
            )
          ]
        : [])
    ]
  })
}

export function nodePoolRemains(kubernetes: Kubernetes): () => Promise<readonly NodePoolRemains[]> {
  return async () => {
    const { items } = await kubernetes.pick(nodePools, (pool) => {
      const refers = (name: string): boolean =>
        (textField(pool, 'spec', 'template', 'spec', 'nodeClassRef', name) ?? '') !== ''
      return {
        name: pool.metadata.name,
        annotated: compatibilityAnnotation in (pool.metadata.annotations ?? {}),
        incompleteRef: !refers('group') || !refers('kind')
      }
    })
    return items
  }
}
