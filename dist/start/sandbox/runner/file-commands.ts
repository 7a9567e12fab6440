/**
 * The files that a step writes for its runner (GITHUB_OUTPUT, GITHUB_STATE, GITHUB_ENV, GITHUB_PATH), parsed as the
 * runner's FileCommandManager parses them: `name=value` lines and heredocs `name<<DELIMITER`.
 */

/** Every name with its last value. Throws the runner's own message when the file is not well formed. */
export function parsePairs(content: string): Record<string, string> {
  const pairs: Record<string, string> = {}
  const lines = content.split(/\r?\n/)
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] ?? ''
    if (line === '') {
      continue
    }
    const equals = line.indexOf('=')
    const heredoc = line.indexOf('<<')
    if (equals >= 0 && (heredoc < 0 || equals < heredoc)) {
      const name = line.slice(0, equals)
      if (name === '') {
        throw new Error(`Invalid format '${line}'. Name must not be empty`)
      }
      pairs[name] = line.slice(equals + 1)
      continue
    }
    if (heredoc < 0) {
      throw new Error(`Invalid format '${line}'`)
    }
    const name = line.slice(0, heredoc)
    const delimiter = line.slice(heredoc + 2)
    if (name === '' || delimiter === '') {
      throw new Error(`Invalid format '${line}'. Name must not be empty and delimiter must not be empty`)
    }
    const end = lines.indexOf(delimiter, index + 1)
    if (end < 0) {
      throw new Error(`Invalid value. Matching delimiter not found '${delimiter}'`)
    }
    pairs[name] = lines.slice(index + 1, end).join('\n')
    index = end
  }
  return pairs
}

/** Folders that the step puts in front of PATH, the newest first. */
export function parsePath(content: string): readonly string[] {
  return content
    .split(/\r?\n/)
    .filter((line) => line !== '')
    .reverse()
}

/** Variables that the runner refuses to take from GITHUB_ENV. */
export function isBlockedVariable(name: string): boolean {
  return name.toUpperCase() === 'NODE_OPTIONS'
}
