/** One `::name key=value::data` line. */
export interface WorkflowCommand {
  readonly name: string
  readonly properties: Readonly<Record<string, string>>
  readonly data: string
}

/** The command on this line, or undefined when the line is plain output. */
export function parseWorkflowCommand(line: string): WorkflowCommand | undefined {
  const match = /^\s*::([A-Za-z-]+)(?: ([^:]*(?::(?!:)[^:]*)*))?::(.*)$/s.exec(line)
  const name = match?.[1]
  if (name === undefined) {
    return undefined
  }
  const properties: Record<string, string> = {}
  for (const pair of (match?.[2] ?? '').split(',')) {
    const equals = pair.indexOf('=')
    if (equals > 0) {
      properties[pair.slice(0, equals).trim()] = unescapeProperty(pair.slice(equals + 1))
    }
  }
  return { name: name.toLowerCase(), properties, data: unescapeData(match?.[3] ?? '') }
}

function unescapeData(value: string): string {
  return value.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%25', '%')
}

function unescapeProperty(value: string): string {
  return unescapeData(value.replaceAll('%3A', ':').replaceAll('%2C', ','))
}
