import { getState } from '@actions/core'
import { post } from '../../src/post.js'

/** The second runner keeps the state in memory; the test reads it from this line. */
export async function run(): Promise<void> {
  console.log(`state cleanup=${getState('cleanup')}`)
  await post()
}
