import { RawReply } from '../../service.js'
import { escapeXml } from '../../wire/xml.js'
import type { InstanceProfile } from './questions.js'
import type { Records } from './records.js'

/** EC2 shows an instance for about this long after it was terminated, milliseconds. */
const terminatedShows = 3_600_000

/**
 * DescribeInstances as EC2 answers it: moto's with each instance's profile, with why EC2 ended those that it ended by
 * itself, and without those that were terminated long ago.
 */
export function shownInstances(
  reply: RawReply,
  known: {
    readonly records: Records
    readonly now: number
    readonly instanceProfile: (nameOrArn: string) => InstanceProfile | undefined
  }
): RawReply {
  const { records, now } = known
  if (reply.status >= 400) return reply
  const withProfiles = reply.body.replace(/<instanceId>(i-[0-9a-f]+)<\/instanceId>/g, (whole, id: string) => {
    const nameOrArn = records.launched.get(id)?.profile
    const profile = nameOrArn === undefined ? undefined : known.instanceProfile(nameOrArn)
    if (profile === undefined) return whole
    return `${whole}<iamInstanceProfile><arn>${profile.arn}</arn><id>AIPA${id.slice(2).toUpperCase()}</id></iamInstanceProfile>`
  })
  const gone = [...records.terminatedAt].filter(([, at]) => now - at > terminatedShows).map(([id]) => id)
  const body = withProfiles.replace(
    /<item>\s*<reservationId>[\s\S]*?(?=<item>\s*<reservationId>|<\/reservationSet>)/g,
    (reservation) => (gone.some((id) => reservation.includes(`<instanceId>${id}<`)) ? '' : reservation)
  )
  return new RawReply(reply.status, reply.headers, withEnds(body, records))
}

/** A StateReason stands in place of moto's own, which knows ends by users only; moto orders an instance's members at random. */
function withEnds(body: string, { endedByEc2 }: Records): string {
  let text = body
  for (const [id, end] of endedByEc2) {
    const tag = `<instanceId>${id}</instanceId>`
    const at = text.indexOf(tag)
    if (at < 0) continue
    const [start, stop] = itemAround(text, at)
    const reason = `<stateReason><code>${escapeXml(end.code)}</code><message>${escapeXml(end.message)}</message></stateReason>`
    const instance = text
      .slice(start, stop)
      .replace(/<stateReason\s*\/>|<stateReason>[\s\S]*?<\/stateReason>/, '')
      .replace(tag, () => tag + reason)
    text = text.slice(0, start) + instance + text.slice(stop)
  }
  return text
}

/** Where the innermost <item> with this position begins and ends. */
function itemAround(text: string, at: number): readonly [number, number] {
  const open: number[] = []
  for (const { 0: tag, index } of text.matchAll(/<\/?item>/g)) {
    if (tag === '<item>') open.push(index)
    else {
      const start = open.pop() ?? 0
      if (start < at && index > at) return [start, index]
    }
  }
  return [0, text.length]
}
