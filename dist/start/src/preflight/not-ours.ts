import { messageOf, type UserError } from '../engine/errors.js'
import type { Inspection } from '../engine/resource.js'
import { type Unreadable, unreadableFix } from '../engine/unreadable.js'
import type { Facts } from './facts.js'
import type { Concern } from './finding.js'
import { idOf } from '../resources/ids.js'

/** What subnet-tags-conflict says of each thing in them. */
const saidBefore: readonly string[] = [idOf.subnetTags, idOf.securityGroupTags]

/** Resources that cannot be made as wanted: somebody else's, or not to be read. */
export async function notOurs({
  inspections,
  denied
}: Pick<Facts, 'inspections' | 'denied'>): Promise<readonly Concern[]> {
  const all = [...(await inspections()).values()]
  const said = new Set(all.map(({ unreadable }) => unreadable?.missingPermission))
  return [
    ...all.flatMap(concernOf),
    // Without the record an install goes by marks and by what is there.
    ...denied
      .filter(({ what, missingPermission }) => what !== 'record' && !said.has(missingPermission))
      .map((one) => unread(one.what, one))
  ]
}

function concernOf({ resource, refusal, unreadable }: Inspection): Concern[] {
  if (unreadable !== undefined) return [unread(resource.title, unreadable)]
  return refusal === undefined || saidBefore.includes(resource.id) ? [] : [ofRefusal(refusal)]
}

function unread(subject: string, why: Unreadable): Concern {
  return {
    level: 'error',
    subject,
    problem: `could not be read: ${why.reason}`,
    evidence: '',
    fix: unreadableFix(why)
  }
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
