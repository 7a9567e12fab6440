import { AwsError, type Service } from '../service.js'
import { required } from './pages.js'
import type { EksState } from './state.js'

/**
 * ARC zonal shift: one read, by Karpenter 1.12 and later. The action's resource types are load balancers; for a cluster
 * IAM is asked about `*` with arc-zonal-shift:ResourceIdentifier (Service Authorization Reference; Karpenter 1.13 fixed
 * its own statement accordingly).
 */
export function zonalShiftService(state: EksState): Service {
  return {
    name: 'arc-zonal-shift',
    protocol: 'rest-json',
    questions: async ({ input }) => [
      {
        action: 'arc-zonal-shift:GetManagedResource',
        resource: '*',
        context: { 'arc-zonal-shift:ResourceIdentifier': required(input, 'resourceIdentifier') }
      }
    ],
    answer: async ({ input }) => {
      const arn = required(input, 'resourceIdentifier')
      const cluster = state.clusters.values().find((item) => item.arn === arn)
      if (cluster?.zonalShift !== true) {
        throw new AwsError(
          'ResourceNotFoundException',
          `The resource ${arn} is not registered for zonal shift.`,
          404
        )
      }
      return {
        arn,
        name: cluster.name,
        appliedWeights: {},
        zonalShifts: [],
        autoshifts: [],
        zonalAutoshiftStatus: 'DISABLED'
      }
    }
  }
}
