import { checkNames } from '../karpenter/names.js'
import type { Facts } from './facts.js'
import type { Concern } from './finding.js'

type NamesFacts = Pick<
  Facts,
  'clusterName' | 'controllerRoleName' | 'stackName' | 'version' | 'stack' | 'nodeClasses'
>

/** Names that AWS would refuse, and policies larger than IAM takes, found before the stack fails on them. */
export function namesAndPolicySize(facts: NamesFacts): readonly Concern[] {
  return checkNames({ ...facts, karpenterVersion: facts.version }).map(({ input, problem, fix }) => ({
    level: 'error',
    subject: input,
    problem,
    evidence: '',
    fix
  }))
}
