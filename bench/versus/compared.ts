import { type Figure, median } from '../figure.js'

/** Seconds of an install from nothing, and of the same run again. */
export interface Took {
  readonly install: number
  readonly unchanged: number
}

/** Both sides at one pace, each round in its turn. */
export interface Match {
  /** Milliseconds that a resource of a stack takes. */
  readonly pace: number
  readonly action: readonly Took[]
  readonly script: readonly Took[]
  /** What both had in common, and what the script ran. */
  readonly circumstances: string
}

/** How many times the script's seconds the action takes, from nothing and again; the seconds are in the detail. */
export function compared(match: Match): readonly Figure[] {
  const figure = (name: string, of: keyof Took): Figure => {
    const seconds = (took: readonly Took[]): number => median(took.map((one) => one[of]))
    const [action, script] = [seconds(match.action), seconds(match.script)]
    return {
      name: `${name} with ${match.pace / 1000} s a stack resource, times the guide's script`,
      value: action / script,
      limit: 1,
      unit: '',
      detail: `action ${action.toFixed(1)} s, script ${script.toFixed(1)} s; ${match.circumstances}`
    }
  }
  return [figure('Install', 'install'), figure('Unchanged second run', 'unchanged')]
}
