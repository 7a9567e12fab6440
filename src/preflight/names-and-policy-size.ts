import { checkNames, type NamesInUse } from '../karpenter/names.js'
import type { Check } from './finding.js'

/** Names that AWS would refuse, and policies larger than IAM takes, found before the stack fails on them. */
export function namesAndPolicySize(names: NamesInUse): Check {
  return {
    name: 'names-and-policy-size',
    run: async () =>
      checkNames(names).map(({ input, problem, fix }) => ({
        check: 'names-and-policy-size',
        level: 'error',
        subject: input,
        problem,
        evidence: '',
        fix
      }))
  }
}
