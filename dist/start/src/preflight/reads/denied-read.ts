import { accessDenied, awsProblem } from '../../aws/errors.js'

/** A read that a check can do without: `denied` says which action the caller lacks. */
export type Read<T> =
  | { readonly state: 'read'; readonly items: readonly T[] }
  | { readonly state: 'denied'; readonly action: string }

/** `what` of `subject` reads like this: subnets, the route tables of their VPC. Errors other than a denial are thrown. */
export async function readOrDenied<T>(
  subject: string,
  what: string,
  read: () => Promise<readonly T[]>
): Promise<Read<T>> {
  try {
    return { state: 'read', items: await read() }
  } catch (error) {
    const denial = accessDenied(error)
    if (denial !== undefined) return { state: 'denied', action: denial.action }
    throw awsProblem(subject, `${what} could not be read`, error)
  }
}
