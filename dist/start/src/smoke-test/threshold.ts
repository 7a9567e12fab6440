import { UserError } from '../engine/errors.js'
import type { NodePoolResult, StageSeconds } from './result.js'

/** The error of a test whose slowest node took longer than it may; undefined when none did. */
export function tooSlow(result: NodePoolResult, thresholdSeconds: number): UserError | undefined {
  if (result.nodeReadySeconds <= thresholdSeconds) return undefined
  const longest = longestStage(result.stages)
  return new UserError(
    'node-ready-threshold-seconds',
    `the slowest new node of NodePool ${result.nodePool} was ready after ${result.nodeReadySeconds} s, which is more than ${thresholdSeconds} s` +
      (longest === undefined
        ? ''
        : `; most of it, ${longest.seconds} s, went by ${longest.what} (${timesOf(result.stages)})`),
    longest === undefined ? 'Raise the threshold.' : `${longest.fix} Or raise the threshold.`,
    { state: "The smoke test's own objects are removed; the installation stays as it was." }
  )
}

interface Stage {
  readonly what: string
  readonly seconds: number
  readonly fix: string
}

/** Each stage counts from the end of the one before it. */
function longestStage({ launched, registered, initialized }: StageSeconds): Stage | undefined {
  if (launched === undefined || registered === undefined || initialized === undefined) return undefined
  const stages: readonly Stage[] = [
    {
      what: 'until EC2 had launched it',
      seconds: launched,
      fix: "Allow more instance types and zones in the NodePool, and look at the controller's log for throttled calls."
    },
    {
      what: 'until it had registered as a node',
      seconds: registered - launched,
      fix: 'Booting, user data and the way to the API endpoint are what takes this time: look at the AMI, the user data and the volumes of the EC2NodeClass.'
    },
    {
      what: 'until it was initialized',
      seconds: initialized - registered,
      fix: 'The network plugin, other DaemonSets, startup taints and device plugins are what takes this time: look at how long their images are pulled.'
    }
  ]
  return stages.reduce((longest, stage) => (stage.seconds > longest.seconds ? stage : longest))
}

function timesOf({ launched, registered, initialized }: StageSeconds): string {
  return Object.entries({ launched, registered, initialized })
    .map(([stage, seconds]) => `${stage} ${String(seconds)} s`)
    .join(', ')
}
