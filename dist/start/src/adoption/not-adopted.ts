import type { Installation } from './installation.js'
import { type Adoption, mismatches } from './adoption.js'
import { objectionTo, type Terms } from './terms.js'
import type { Inputs } from '../inputs/inputs.js'
import type { Concern } from '../preflight/finding.js'

export interface OthersInstallation {
  readonly installation: Installation
  readonly terms: Terms
}

/** An installation that this action did not make is taken over when that is asked for and possible, and never else. */
export function notAdopted({ installation, terms }: OthersInstallation, asked: boolean): readonly Concern[] {
  if (terms.kind === 'compatible') return asked ? [] : [askedFor(installation)]
  return terms.objections.map((objection) => ({ level: 'error', ...objection }))
}

/** What was taken over keeps its names: an input that asks for another one is a mistake in it, or in the cluster's name. */
export function keepsNames(inputs: Inputs, adoption: Adoption): readonly Concern[] {
  return mismatches(inputs, adoption).map((mismatch) => ({ level: 'error', ...objectionTo(mismatch) }))
}

function askedFor(installation: Installation): Concern {
  return {
    level: 'error',
    subject: 'adopt',
    problem: `Karpenter ${installation.controller.version} is there already, and this action did not install it`,
    evidence: evidenceOf(installation),
    fix: 'Run `mode: check` first: it says resource by resource whose it is and what would change. Then pass `adopt: true` to take it over as it is.'
  }
}

function evidenceOf({ controller, release, identity, stack, nodePools }: Installation): string {
  return [
    `Deployment ${controller.namespace}/${controller.deployment}`,
    ...(release === undefined
      ? []
      : [`helm release ${release.namespace}/${release.name} revision ${release.revision}`]),
    ...(identity === undefined ? [] : [`role ${identity.roleArn}`]),
    ...(stack === undefined ? [] : [`CloudFormation stack ${stack.name}`]),
    `${nodePools.length} ${nodePools.length === 1 ? 'NodePool' : 'NodePools'}`
  ].join(', ')
}
