import { quantity } from '../../engine/quantity.js'
import { judged, type Judgement, type SeverityRule } from '../../engine/severity.js'
import type { SeverityOf } from '../../kubernetes/differences.js'

const where = 'which nodes can be made at all'

const poolRules: readonly SeverityRule[] = [
  { at: /^metadata\./, severity: 'cosmetic', effect: 'Karpenter does not read it' },
  {
    at: /^spec\.template\.spec\.(nodeClassRef|requirements)|^spec\.template(\.spec)?$/,
    severity: 'breaks scaling',
    effect: where
  },
  {
    at: /^spec\.template\.spec\.(taints|startupTaints)/,
    severity: 'breaks scaling',
    effect: 'pods do not land on its nodes, or the nodes are never ready'
  },
  {
    at: /^spec\.template\.metadata/,
    severity: 'changes behaviour',
    effect: 'which pods choose its nodes'
  },
  {
    at: /^spec\.(disruption|template\.spec\.(expireAfter|terminationGracePeriod))/,
    severity: 'changes behaviour',
    effect: 'when nodes are replaced and go'
  },
  { at: /^spec\.weight/, severity: 'changes behaviour', effect: 'which NodePool is asked first' }
]

/** A limit that is lower than wanted, or that nobody wanted, keeps nodes from being made. */
export const nodePoolSeverity: SeverityOf = (path, { wanted, live }): Judgement => {
  if (!/^spec\.limits(\.|$)/.test(path)) return judged(poolRules, path)
  const [asked, now] = [quantity(String(wanted)), quantity(String(live))]
  const raised = live === undefined || (asked !== undefined && now !== undefined && now > asked)
  return raised
    ? { severity: 'changes behaviour', effect: 'how much it may cost' }
    : { severity: 'breaks scaling', effect: 'no node is made beyond it' }
}

const classRules: readonly SeverityRule[] = [
  {
    at: /metadataOptions|blockDeviceMappings.*encrypted|associatePublicIPAddress/i,
    severity: 'weakens security',
    effect: 'who reaches what is on a node'
  },
  { at: /^metadata\.|^spec\.tags/, severity: 'cosmetic', effect: 'nodes work without it' },
  {
    at: /^spec\.(subnetSelectorTerms|securityGroupSelectorTerms|amiSelectorTerms|amiFamily|capacityReservationSelectorTerms|placementGroup\w*)/,
    severity: 'breaks scaling',
    effect: where
  },
  {
    at: /^spec\.(role|instanceProfile|userData)/,
    severity: 'breaks scaling',
    effect: 'nodes join the cluster by it'
  },
  {
    at: /^spec\.kubelet/,
    severity: 'changes behaviour',
    effect: 'how many pods a node takes, and when it is full'
  },
  { at: /^spec\.blockDeviceMappings/, severity: 'changes behaviour', effect: "a node's disks" }
]

export const nodeClassSeverity: SeverityOf = (path) => judged(classRules, path)
