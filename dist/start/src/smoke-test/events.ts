import { byText } from '../engine/order.js'
import type { Event } from 'kubernetes-types/core/v1.js'
import { textField } from '../kubernetes/manifest.js'
import type { KarpenterEvent } from './result.js'

/** Events that Karpenter wrote about the test's objects, in the order of their time. */
export class EventLog {
  readonly #seen = new Map<string, KarpenterEvent>()

  get all(): readonly KarpenterEvent[] {
    return [...this.#seen.values()].sort(byText(({ time }) => time))
  }

  /** `about` says whether an object is the test's. */
  add(event: Event, about: (kind: string, name: string) => boolean): void {
    const { kind, name } = event.involvedObject
    if (kind === undefined || name === undefined || !about(kind, name)) return
    this.#seen.set(event.metadata.uid ?? '', {
      time: timeOf(event),
      reason: event.reason ?? '',
      object: `${kind}/${name}`,
      message: event.message ?? ''
    })
  }
}

/** Events that say why something does not happen; most only repeat a condition that turned. */
export function telling(events: readonly KarpenterEvent[]): readonly KarpenterEvent[] {
  return events.filter((event) => !event.message.startsWith('Status condition transitioned'))
}

function timeOf(event: Event): string {
  return (
    textField(event, 'lastTimestamp') ??
    textField(event, 'eventTime') ??
    textField(event, 'metadata', 'creationTimestamp') ??
    ''
  )
}
