import { messageOf, type UserError } from '../engine/errors.js'
import type { Inspection } from '../engine/resource.js'
import { unreadableFix } from '../engine/unreadable.js'
import type { Facts } from './facts.js'
import type { Concern } from './finding.js'

/** Resources that cannot be made as wanted: somebody else's, or not to be read. */
export async function notOurs({ inspections }: Pick<Facts, 'inspections'>): Promise<readonly Concern[]> {
  return [...(await inspections()).values()].flatMap(concernOf)
}

function concernOf({ resource, refusal, unreadable }: Inspection): Concern[] {
  if (unreadable === undefined) return refusal === undefined ? [] : [ofRefusal(refusal)]
  return [
    {
      level: 'error',
      subject: resource.title,
      problem: `could not be read: ${unreadable.reason}`,
      evidence: '',
      fix: unreadableFix(unreadable)
    }
  ]
}

/** The message's first words are the input or resource at fault. */
function ofRefusal(refusal: UserError): Concern {
  const [subject = '', ...problem] = messageOf(refusal).split(': ')
  return {
    level: 'error',
    subject,
    problem: problem.join(': '),
    evidence: '',
    fix: refusal.fix
  }
}
