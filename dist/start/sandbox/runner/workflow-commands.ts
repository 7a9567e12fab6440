/** What a line of a step's output tells the runner to do. */
export interface WorkflowCommand {
  readonly name: string
  readonly properties: Readonly<Record<string, string>>
  readonly data: string
}

/** The commands of GitHub's runner (src/Runner.Worker/ActionCommandManager.cs, 2026); others are plain output. */
const registered: ReadonlySet<string> = new Set([
  'add-mask',
  'add-matcher',
  'add-path',
  'debug',
  'echo',
  'endgroup',
  'error',
  'group',
  'notice',
  'remove-matcher',
  'save-state',
  'set-env',
  'set-output',
  'stop-commands',
  'warning'
])

/**
 * The command on this line, or undefined when the line is plain output. As the runner's ActionCommand reads it, in both
 * of its forms: `::name key=value,...::data` at the start of a line, white space before it or not, else
 * `##[name key=value;...]data` wherever it stands in one. `token`: what ends a `stop-commands`, a command of its own.
 */
export function parseWorkflowCommand(line: string, token?: string): WorkflowCommand | undefined {
  const known = (name: string): boolean => registered.has(name) || name === token?.toLowerCase()
  return today(line, known) ?? ofOld(line, known)
}

function today(line: string, known: (name: string) => boolean): WorkflowCommand | undefined {
  const message = line.trimStart()
  if (!message.startsWith('::')) return undefined
  const end = message.indexOf('::', 2)
  if (end < 0) return undefined
  const escapes = [
    ['\r', '%0D'],
    ['\n', '%0A']
  ] as const
  return command(message.slice(2, end), known, {
    separator: ',',
    property: [...escapes, [':', '%3A'], [',', '%2C'], ['%', '%25']],
    data: unescaped(message.slice(end + 2), [...escapes, ['%', '%25']])
  })
}

function ofOld(line: string, known: (name: string) => boolean): WorkflowCommand | undefined {
  const start = line.indexOf('##[')
  const end = start < 0 ? -1 : line.indexOf(']', start)
  if (end < 0) return undefined
  const escapes = [
    [';', '%3B'],
    ['\r', '%0D'],
    ['\n', '%0A'],
    [']', '%5D'],
    ['%', '%25']
  ] as const
  return command(line.slice(start + 3, end), known, {
    separator: ';',
    property: escapes,
    data: unescaped(line.slice(end + 1), escapes)
  })
}

type Escapes = readonly (readonly [text: string, escaped: string])[]

function command(
  info: string,
  known: (name: string) => boolean,
  form: { readonly separator: string; readonly property: Escapes; readonly data: string }
): WorkflowCommand | undefined {
  const space = info.indexOf(' ')
  const name = (space < 0 ? info : info.slice(0, space)).toLowerCase()
  if (!known(name)) return undefined
  const properties: Record<string, string> = {}
  for (const pair of space < 0
    ? []
    : info
        .slice(space + 1)
        .trim()
        .split(form.separator)) {
    const equals = pair.indexOf('=')
    if (equals > 0 && equals < pair.length - 1)
      properties[pair.slice(0, equals)] = unescaped(pair.slice(equals + 1), form.property)
  }
  return { name, properties, data: form.data }
}

function unescaped(text: string, escapes: Escapes): string {
  return escapes.reduce((value, [plain, escaped]) => value.replaceAll(escaped, plain), text)
}
