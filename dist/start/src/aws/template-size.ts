import { figure } from '../engine/figure.js'
import { UserError } from '../engine/errors.js'

/** Bytes of a template that is given with the call (CloudFormation quotas, "Template body size in a request"). */
const mostBytes = 51_200

/**
 * Why CloudFormation will not take this template; undefined when it will. Its own refusal shows the whole text. `because`
 * reads on from what is too long.
 */
export function tooLong(template: string, because = ''): UserError | undefined {
  const bytes = Buffer.byteLength(template)
  if (bytes <= mostBytes) return undefined
  return new UserError(
    'template',
    `has ${figure(bytes)} bytes${because}, and CloudFormation takes ${figure(mostBytes)} at most`,
    'Take comments and what Karpenter does not need out of the template, or pass `template: built-in`.',
    { state: 'Nothing was changed.' }
  )
}
