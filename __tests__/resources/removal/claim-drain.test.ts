import type { Manifest } from '../../../src/kubernetes/manifest.js'
import { whatHolds } from '../../../src/resources/removal/claim-drain.js'
import type { Complaint } from '../../../src/resources/controller/controller-log.js'
import type { Blocker } from '../../../src/resources/removal/drain-blockers.js'

const claim: Manifest = {
  apiVersion: 'karpenter.sh/v1',
  kind: 'NodeClaim',
  metadata: { name: 'default-x6gvw' },
  status: {
    nodeName: 'ip-10-0-1-2',
    conditions: [{ type: 'Drained', status: 'False', reason: 'Draining', message: '1 pod is waiting' }]
  }
}
const running = { state: 'running' } as const
const complaint: Complaint = { text: 'some error', lacks: undefined, fix: 'look' }
const denied: Complaint = { ...complaint, text: 'not authorized', lacks: 'ec2:TerminateInstances' }
const blockers: readonly Blocker[] = [
  { pod: 'default/web-1', kind: 'budget', why: 'on ip-10-0-1-2: PodDisruptionBudget web', fix: 'wait' }
]

describe('what holds NodeClaims that are to go', () => {
  test('is first that nobody works on them', () => {
    const standing = { state: 'gone', text: 'no Karpenter controller is in the cluster' } as const
    expect(whatHolds([claim], { standing, complaint: denied, blockers })).toBe(standing.text)
  })

  test('is a permission that the controller lacks before the pods', () => {
    expect(whatHolds([claim], { standing: running, complaint: denied, blockers })).toBe(
      'Karpenter says: not authorized'
    )
  })

  test('is the pods before any other error of the controller', () => {
    expect(whatHolds([claim], { standing: running, complaint, blockers })).toBe(
      'default/web-1 on ip-10-0-1-2: PodDisruptionBudget web'
    )
  })

  test("is the controller's error, and else the NodeClaim's own condition, without pods", () => {
    expect(whatHolds([claim], { standing: running, complaint, blockers: [] })).toBe(
      'Karpenter says: some error'
    )
    expect(whatHolds([claim], { standing: running, complaint: undefined, blockers: [] })).toMatch(
      /default-x6gvw.*Drained/
    )
  })
})
