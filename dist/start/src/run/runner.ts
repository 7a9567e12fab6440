import type { LogOutput } from '../report/journal.js'
import type { StateStore } from './state.js'

/** What of `@actions/core` a run uses. */
export interface Runner extends LogOutput, StateStore {
  getInput(name: string): string
  setOutput(name: string, value: string): void
  setSecret(secret: string): void
  setFailed(message: string): void
  debug(line: string): void
  getIDToken(audience: string): Promise<string>
}
