import { messageOf } from './engine/errors.js'
import { discoverCluster } from './aws/discover.js'
import { runSignal } from './run/cancel.js'
import { givenInputs } from './run/given-inputs.js'
import { releaseLock } from './kubernetes/lease.js'
import { type Ports, runnerPorts } from './run/ports.js'
import type { Session } from './run/session.js'
import { cleanUp } from './smoke-test/clean-up.js'
import { type PostState, readCleanup } from './run/state.js'

/** A cancelled job is ended by force five minutes after the cancel (GitHub docs, 2026). */
const postSeconds = 240

/**
 * The post step: after a failure or a cancel it removes what is left of this run's smoke test, and gives back the lock.
 * Nothing else: what main installed stays, and the next run goes on from there.
 */
export async function post(ports: Ports = runnerPorts()): Promise<void> {
  const left = readCleanup(ports.runner)
  if (left === undefined) return
  const { signal, close } = runSignal(ports.signals, ports.timer, postSeconds)
  const inputs = givenInputs(ports)
  const session = ports.session(inputs, signal, true)
  try {
    for (const line of await clear(left, session)) ports.runner.info(line)
  } catch (error) {
    ports.runner.warning(notCleared(left, error))
  } finally {
    await session.close()
    close()
  }
}

/** What stays, and what becomes of it. */
function notCleared({ smokeTestRun }: PostState, error: unknown): string {
  const lines = [
    ...(smokeTestRun === undefined
      ? []
      : [
          `smoke test: what is left of run ${smokeTestRun} could not be removed; the next run of this action removes it`
        ]),
    'lock: it could not be given back; the next run takes it over within a minute'
  ]
  return `${lines.join('. ')}: ${messageOf(error)}`
}

async function clear(left: PostState, session: Session): Promise<readonly string[]> {
  const aws = await session.aws()
  const cluster = await discoverCluster(aws, left.clusterName)
  const kubernetes = session.kubernetes(cluster, aws.account.callerArn, session.tokens(aws, cluster.name))
  const lines =
    left.smokeTestRun === undefined ? [] : await cleanUp(kubernetes, left.namespace, left.smokeTestRun)
  const lock = await releaseLock(kubernetes, left.lockHolder)
  return lock === 'released' ? [...lines, 'released the lock'] : lines
}
