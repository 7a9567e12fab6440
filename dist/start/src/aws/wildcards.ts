import { matches } from '../engine/wildcards.js'

export { matches }

/** `matches` for actions, which IAM compares without regard to case. */
export function matchesAction(pattern: string, action: string): boolean {
  return matches(pattern.toLowerCase(), action.toLowerCase())
}
