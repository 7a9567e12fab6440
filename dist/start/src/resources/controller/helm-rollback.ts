import { sameValue } from '../../engine/compare.js'
import { messageOf, UserError } from '../../engine/errors.js'
import type { Step } from '../../engine/resource.js'
import { readRelease, readRevisions, type Release } from '../../helm/release.js'
import type { Helm } from '../../helm/run-helm.js'
import { throughTrouble } from '../../helm/through-trouble.js'
import type { Kubernetes } from '../../kubernetes/client.js'
import { KubernetesError, UnreachableError } from '../../kubernetes/errors.js'
import { awaitRollout, RolloutError } from './controller-rollout.js'

/** A release and its controller as they were before this run wrote anything. */
export interface ReleaseBefore {
  readonly release: Release
  /** All replicas of its Deployment were available. */
  readonly available: boolean
}

/** What the record has of the last install that ended well. */
export interface RecordedRelease {
  readonly version: string
  readonly values: Readonly<Record<string, unknown>>
}

export interface FailedUpgrade {
  readonly name: string
  readonly namespace: string
  /** That did not come up. */
  readonly version: string
  readonly before: ReleaseBefore
  readonly recorded: RecordedRelease | undefined
  /** What stays beside the release, as sentences: CRDs, permissions. */
  readonly stays: (running: string) => string
  readonly kubernetes: Kubernetes
  readonly helm: () => Promise<Helm>
}

/**
 * Puts the release back to the revision that worked, waits until its controller is available, and hands back the error to
 * be thrown, which says how things stand then. The error itself comes back where there is nothing to go back to. What
 * ended the run (a cancel, its time) ends this too: a rollback that is broken off leaves more to mend than a rollout that
 * Kubernetes goes on with, and the runner gives a cancelled job ten seconds in all.
 */
export async function rolledBack(error: unknown, failed: FailedUpgrade, step: Step): Promise<unknown> {
  const over = (): boolean => step.signal.aborted
  if (over()) return interrupted(step.signal.reason, failed)
  // A cluster that cannot be asked has not said that the controller does not work.
  const unanswered = error instanceof KubernetesError || error instanceof UnreachableError
  if (unanswered || !(error instanceof UserError)) return error
  const { name, namespace, kubernetes } = failed
  const revisions = await readRevisions(kubernetes.within(step.signal), name, namespace)
  const [newest] = revisions
  const target = revisionToGoBackTo(revisions, failed)
  // helm may have refused the upgrade before it made a revision of it.
  if (newest === undefined || target === undefined || target.revision === newest.revision) return error
  if (target.manifest === newest.manifest) return error
  step.note(`${messageOf(error)}\nHelm release ${name} goes back to revision ${target.revision}`)
  try {
    await rollBack(failed, target, error instanceof RolloutError ? error.template : undefined, step)
  } catch (second) {
    if (over()) return interrupted(step.signal.reason, failed)
    return notBack(error, second, target, failed)
  }
  return back(error, target, newest.revision + 1, failed)
}

async function rollBack(
  { name, namespace, kubernetes, helm }: FailedUpgrade,
  target: Release,
  abandoned: string | undefined,
  step: Step
): Promise<void> {
  const running = await helm()
  step.waiting(`helm to roll ${name} back to revision ${target.revision}`)
  try {
    await throughTrouble(
      async () =>
        running.run(
          ['rollback', name, String(target.revision), '--namespace', namespace, '--history-max', '10'],
          { subject: `Helm release ${name}` }
        ),
      async () => {
        const now = await readRelease(kubernetes.within(step.signal), name, namespace)
        return now?.status === 'deployed' && now.manifest === target.manifest
      },
      step
    )
  } finally {
    step.waiting(undefined)
  }
  step.changed(
    `rolled Helm release ${name} back to revision ${target.revision} (chart ${target.chartVersion})`
  )
  await awaitRollout(
    kubernetes,
    { release: name, namespace, values: target.values },
    undefined,
    step,
    abandoned
  )
}

/**
 * The revision whose controller was seen to work: the one that was deployed and available before this run, or else what the
 * record says an install ended well with. That helm calls a revision deployed says nothing of its pods.
 */
function revisionToGoBackTo(
  revisions: readonly Release[],
  { before, recorded }: FailedUpgrade
): Release | undefined {
  const older = revisions
    .slice(1)
    .filter((one) => one.revision <= before.release.revision)
    .filter(({ status }) => status === 'deployed' || status === 'superseded')
  if (before.available) {
    const own = older.find(({ revision }) => revision === before.release.revision)
    return own ?? older.find(({ status }) => status === 'deployed') ?? older[0]
  }
  if (recorded === undefined) return undefined
  return older.find(
    ({ chartVersion, values }) => chartVersion === recorded.version && sameValue(values, recorded.values)
  )
}

function back(error: UserError, target: Release, revision: number, failed: FailedUpgrade): UserError {
  const { name, version, stays } = failed
  const what = version === target.chartVersion ? 'the values that were tried' : `Karpenter ${version}`
  return new UserError(
    `Helm release ${name}`,
    `${what} did not come up, and ${target.chartVersion} runs again: ${error.message}`,
    `${error.fix}\nThen run again: it goes on from here.`,
    {
      state: [
        `Karpenter ${target.chartVersion} runs and all its pods are available: the release is at revision ${revision}, which is revision ${target.revision} again.`,
        stays(target.chartVersion)
      ].join('\n'),
      cause: error
    }
  )
}

function notBack(error: UserError, second: unknown, target: Release, failed: FailedUpgrade): UserError {
  const { name, namespace, version, stays } = failed
  const fix = second instanceof UserError ? second.fix : ''
  return new UserError(
    `Helm release ${name}`,
    `Karpenter ${version} did not come up, and neither does ${target.chartVersion} again: ${error.message}\nAfter the rollback to revision ${target.revision}: ${messageOf(second)}`,
    [
      fix === '' || fix === error.fix ? error.fix : `${error.fix}\nFor the rollback: ${fix}`,
      `Then run again, or go back by hand: helm rollback ${name} ${target.revision} -n ${namespace} && helm history ${name} -n ${namespace}`
    ].join('\n'),
    {
      state: `No controller is known to be available: nodes and their pods run on, and nothing is scaled until one is.\n${stays(target.chartVersion)}`,
      cause: error
    }
  )
}

function interrupted(reason: unknown, { name, namespace, version, before }: FailedUpgrade): UserError {
  const { chartVersion, revision } = before.release
  return new UserError(
    `Helm release ${name}`,
    `${messageOf(reason)}, and Karpenter ${version} was not available by then`,
    `Run again: it waits for the rollout, or puts right what keeps it. To go back by hand: helm rollback ${name} ${revision} -n ${namespace}`,
    {
      state: `The release was upgraded from ${chartVersion} and not rolled back: Kubernetes goes on with the rollout.`,
      cause: reason
    }
  )
}
