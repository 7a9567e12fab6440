import type { AnyResource, Inspection } from '../../engine/resource.js'

/**
 * A part of a stack that was not there and that the stack has made in this run: a stack that is CREATE_COMPLETE has made what
 * its template says, so nothing is read again. IAM may show it seconds later: whoever writes to it waits for that.
 */
export function madeByTheStack(part: AnyResource, isMade: () => boolean): AnyResource {
  const self: AnyResource = { ...part, inspect: async (signal) => trusting(await part.inspect(signal)) }
  return self

  function trusting(inspection: Inspection): Inspection {
    return {
      ...inspection,
      resource: self,
      leaving: (isLeft) => trusting(inspection.leaving(isLeft)),
      apply: async (step) => {
        if (inspection.state !== 'absent' || !isMade()) await inspection.apply(step)
      }
    }
  }
}
