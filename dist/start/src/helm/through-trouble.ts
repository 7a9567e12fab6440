import { messageOf } from '../engine/errors.js'
import type { Step } from '../engine/resource.js'
import { HelmError } from './run-helm.js'

/** Milliseconds for which helm is run again while the API server is in trouble. */
const longest = 75_000

/**
 * Runs helm. Where that ends because the API server was in trouble, `isDone` looks at what has become of the release, and
 * makes it ready for another try where it is not as it should be. Every other error of helm's is thrown.
 */
export async function throughTrouble(
  run: () => Promise<unknown>,
  isDone: () => Promise<boolean>,
  step: Step
): Promise<void> {
  const startedAt = step.now()
  for (let pause = 1_000; ; pause = Math.min(pause * 2, 8_000)) {
    try {
      await run()
      return
    } catch (error) {
      if (!(error instanceof HelmError) || !error.passing) throw error
      if (await isDone()) {
        step.note(
          `helm ended with an error of the API server's, and the release is as it should be: ${messageOf(error)}`
        )
        return
      }
      if (step.now() - startedAt >= longest) throw error
      step.note(`helm is run again: ${messageOf(error)}`)
    }
    await step.pause(pause)
  }
}
