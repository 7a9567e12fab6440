import { compatibilityAnnotation } from '../karpenter/cautions.js'
import { exactVersion, isBefore } from '../karpenter/versions.js'
import type { Facts } from './facts.js'
import type { Concern } from './finding.js'

type RemainsFacts = Pick<Facts, 'version' | 'installed' | 'nodePoolRemains'>

/** The step from 1.0 to 1.1 and later, which upstream wants prepared. Sources: upgrade guide, pkg/operator of 1.1 to 1.5. */
export async function v1beta1Remains(facts: RemainsFacts): Promise<readonly Concern[]> {
  return passes11(facts) ? concernsOf(facts) : []
}

function passes11({ version, installed }: RemainsFacts): boolean {
  const runs = exactVersion(installed)
  return runs !== undefined && isBefore(runs, '1.1.0') && !isBefore(version, '1.1.0')
}

async function concernsOf(facts: RemainsFacts): Promise<readonly Concern[]> {
  const { version, installed } = facts
  const found = await facts.nodePoolRemains()
  const ends = isBefore(version, '1.6.0')
  return found.flatMap(({ name, annotated, incompleteRef }): readonly Concern[] => {
    const finding = (level: Concern['level'], problem: string, evidence: string, fix: string): Concern => ({
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
