import { UserError } from '../engine/errors.js'
import type { Cluster } from './environment.js'

export type IdentityChoice = 'auto' | ControllerIdentityStrategy
export type NodeAccessChoice = 'auto' | NodeAccessStrategy

export type NodeAccessStrategy = 'access-entry' | 'aws-auth'
export type ControllerIdentityStrategy = 'irsa' | 'pod-identity'

/** What was taken, and why, for the log: `access-entry (authentication mode API)`. */
export interface Choice<S> {
  readonly strategy: S
  readonly reason: string
}

/** By the cluster's authentication mode; a choice that the mode does not allow is refused. */
export function chooseNodeAccess(
  choice: NodeAccessChoice,
  mode: Cluster['authenticationMode']
): Choice<NodeAccessStrategy> {
  if (choice === 'access-entry' && mode === 'CONFIG_MAP') {
    throw new UserError(
      'node-access',
      "access-entry is not possible: the cluster's authentication mode is CONFIG_MAP",
      'Pass `node-access: aws-auth` (or auto), or switch access entries on (there is no way back): ' +
        'aws eks update-cluster-config --access-config authenticationMode=API_AND_CONFIG_MAP',
      { state: 'Nothing was changed.' }
    )
  }
  if (choice === 'aws-auth' && mode === 'API') {
    throw new UserError(
      'node-access',
      'aws-auth is not read by this cluster: its authentication mode is API',
      'Pass `node-access: access-entry`, or auto.',
      { state: 'Nothing was changed.' }
    )
  }
  if (choice !== 'auto') return { strategy: choice, reason: 'by the input node-access' }
  return mode === 'CONFIG_MAP'
    ? { strategy: 'aws-auth', reason: 'authentication mode CONFIG_MAP has no access entries' }
    : { strategy: 'access-entry', reason: `authentication mode ${mode}` }
}

export interface IdentityFacts {
  /** The agent runs: the EKS add-on, or a DaemonSet that somebody else installed. */
  readonly podIdentityAgent: boolean
  /** The account has an IAM OIDC provider for the cluster's issuer. */
  readonly oidcProvider: boolean
  /** Every Ready Linux node is a Fargate one; the agent cannot run there. */
  readonly fargateOnly: boolean
  /** How the installed controller gets its role now; undefined when none is installed. */
  readonly installed: ControllerIdentityStrategy | undefined
}

/**
 * Karpenter's guide takes Pod Identity, and IRSA on Fargate. `auto` never changes what is installed, and takes IRSA where the
 * cluster is set up for it already and has no agent.
 */
export function chooseControllerIdentity(
  choice: IdentityChoice,
  facts: IdentityFacts
): Choice<ControllerIdentityStrategy> {
  if (choice === 'pod-identity' && facts.fargateOnly) {
    throw new UserError(
      'controller-identity',
      'pod-identity does not work on Fargate, and all nodes of this cluster are Fargate',
      'Pass `controller-identity: irsa`, or auto.',
      { state: 'Nothing was changed.' }
    )
  }
  if (choice !== 'auto') return { strategy: choice, reason: 'by the input controller-identity' }
  if (facts.installed !== undefined) {
    return { strategy: facts.installed, reason: 'the installed controller has it' }
  }
  if (facts.fargateOnly) return { strategy: 'irsa', reason: 'Pod Identity does not serve Fargate pods' }
  if (facts.podIdentityAgent)
    return { strategy: 'pod-identity', reason: 'the Pod Identity agent is installed' }
  if (facts.oidcProvider) {
    return { strategy: 'irsa', reason: 'the cluster has an IAM OIDC provider and no Pod Identity agent' }
  }
  return { strategy: 'pod-identity', reason: "Karpenter's guide takes it for a cluster with neither" }
}
