import { main } from '../../src/main.js'

/** The second runner asks an entry for `run`. The test cancels the process that this line names. */
export async function run(): Promise<void> {
  console.log(`process=${process.pid}`)
  await main()
}
