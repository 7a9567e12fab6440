import { deniedElsewhere } from '../aws/denials.js'
import { accessDenied } from '../aws/errors.js'
import { UserError } from '../engine/errors.js'
import type { Layer } from '../engine/resource.js'
import { KubernetesError } from '../kubernetes/errors.js'

/** A fact that stays unknown, because the caller may not read it. */
export interface Denied {
  /** `subnets`, `nodes`. */
  readonly what: string
  readonly layer: Layer
  readonly missingPermission: string
  readonly reason: string
}

/** Of an error that is a refusal, or was made of one: what the caller lacks. */
export function denialOf(error: unknown): Pick<Denied, 'missingPermission' | 'reason'> | undefined {
  if (error instanceof KubernetesError && error.permission !== undefined)
    return { missingPermission: error.permission, reason: error.message }
  const denial = accessDenied(error instanceof UserError ? error.cause : error)
  if (denial === undefined) return undefined
  const reason = `the run's role may not call ${denial.action}${deniedElsewhere(denial.because)}`
  return { missingPermission: denial.action, reason }
}
