import type { Facts } from './facts.js'
import type { Concern } from './finding.js'

type AdmissionFacts = Pick<Facts, 'admissionRefusals'>

/** Objects that policies, Pod Security, quotas or rights would keep the install from making, after all of AWS is written. */
export async function admission(facts: AdmissionFacts): Promise<readonly Concern[]> {
  return (await facts.admissionRefusals()).map(
    ({ titles: [first = '', ...others], message, fix, askedIn }) => ({
      level: askedIn === undefined ? 'error' : 'warning',
      subject: first,
      problem:
        askedIn === undefined
          ? `the cluster will not let it be made: ${message}`
          : `the cluster may not let it be made: ${message}`,
      evidence: [
        askedIn === undefined
          ? 'dry run of the API server'
          : `dry run of the API server in namespace ${askedIn}, as the controller's is not there yet`,
        ...(others.length === 0 ? [] : [`so are ${others.join(', ')}`])
      ].join('; '),
      fix,
      ...(askedIn === undefined && { override: 'admission' })
    })
  )
}
