import { visible } from '../engine/plain-text.js'
import type { Runner } from './runner.js'

/**
 * Lines of a log that GitHub's runner takes for text alone, whatever a cluster or an account has put into them. It carries
 * out `::command::` at the start of a line, white space before it or not, and `##[command]` wherever it stands
 * (ActionCommand.cs of actions/runner, 2026); a carriage return ends a line as well.
 */
export function harmlessLines(text: string): readonly string[] {
  return text.split(/\r\n|\r|\n/).map((line) =>
    visible(line)
      .replaceAll('##[', '## [')
      .replace(/^(\s*):(?=:)/u, '$1: ')
  )
}

/** The runner with a log that carries out nothing: the one place through which a run prints. */
export function withHarmlessLog(runner: Runner): Runner {
  const whole = (text: string): string => harmlessLines(text).join('\n')
  return {
    getInput: (name) => runner.getInput(name),
    getState: (name) => runner.getState(name),
    saveState: (name, value) => runner.saveState(name, value),
    setOutput: (name, value) => runner.setOutput(name, value),
    setSecret: (secret) => runner.setSecret(secret),
    getIDToken: async (audience) => runner.getIDToken(audience),
    info: (text) => {
      for (const line of harmlessLines(text)) runner.info(line)
    },
    debug: (text) => runner.debug(whole(text)),
    warning: (text) => runner.warning(whole(text)),
    error: (text) => runner.error(whole(text)),
    setFailed: (text) => runner.setFailed(whole(text)),
    startGroup: (name) => runner.startGroup(harmlessLines(name).join(' ')),
    endGroup: () => runner.endGroup()
  }
}
