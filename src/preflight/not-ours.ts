import { everyStatement } from '../aws/errors.js'
import { messageOf, type UserError } from '../engine/errors.js'
import type { Inspection } from '../engine/resource.js'
import type { Check, Finding } from './finding.js'

/** Resources that cannot be made as wanted: somebody else's, or not to be read. */
export function notOurs(inspections: () => Promise<ReadonlyMap<string, Inspection>>): Check {
  return { name: 'not-ours', run: async () => [...(await inspections()).values()].flatMap(findingOf) }
}

function findingOf({ resource, refusal, unreadable }: Inspection): Finding[] {
  if (unreadable === undefined) return refusal === undefined ? [] : [ofRefusal(refusal)]
  const permission = unreadable.missingPermission ?? 'the permission'
  return [
    {
      check: 'not-ours',
      level: 'error',
      subject: resource.title,
      problem: `could not be read: ${unreadable.reason}`,
      evidence: '',
      fix: ['kubernetes', 'helm', 'karpenter'].includes(resource.layer)
        ? `Let the caller ${permission}: it needs cluster-admin for the run.`
        : `Add ${permission} to the role's policy; ${everyStatement}`
    }
  ]
}

/** The message's first words are the input or resource at fault. */
function ofRefusal(refusal: UserError): Finding {
  const [subject = '', ...problem] = messageOf(refusal).split(': ')
  return {
    check: 'not-ours',
    level: 'error',
    subject,
    problem: problem.join(': '),
    evidence: '',
    fix: refusal.fix
  }
}
