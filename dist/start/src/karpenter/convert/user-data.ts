/** What shells, cloud-init and PowerShell set themselves. */
const environment =
  /^(HOME|PATH|PWD|OLDPWD|USER|LOGNAME|HOSTNAME|SHELL|IFS|RANDOM|SECONDS|LINENO|LANG|LC_\w+|E?UID|PPID|TERM|TMPDIR|OSTYPE|HOSTTYPE|MACHTYPE|FUNCNAME|PIPESTATUS|REPLY|OPT(ARG|IND)|BASH\w*|true|false|null|env|error|args|host|input|psitem|profile|pshome|psscriptroot|lastexitcode)$/i

const variable =
  /(\\?)\$\{([A-Za-z_]\w*)((?::?[-=?+])[^{}]*)?\}|(\\?)\$([A-Za-z_]\w*)(?!\w|:)|<<([A-Z][A-Z_0-9]+)>>|\$\{[a-z][^{}]*[.(][^{}]*\}/g

export interface ReadScript {
  readonly text: string
  readonly replaced: readonly { readonly placeholder: string; readonly value: string }[]
  /** Placeholders that the script does not set itself. */
  readonly unknown: readonly string[]
}

/**
 * A node's userData as the guide's unquoted heredoc would have left it: known names replaced, unless they are escaped or
 * the script sets them itself. Everything else stays, as scripts have variables of their own.
 */
export function replaceInScript(script: string, known: Readonly<Record<string, string>>): ReadScript {
  const replaced = new Map<string, string>()
  const own = (name: string): boolean => setsItself(script, name)
  const text = script.replaceAll(variable, (all: string, ...found: readonly (string | undefined)[]) => {
    const [escaped, braced, , escapedBare, bare, sample] = found
    const name = braced ?? bare ?? sample ?? ''
    const value = known[name]
    if (value === undefined || escaped === '\\' || escapedBare === '\\' || own(name)) return all
    replaced.set(all, value)
    return value
  })
  const unknown = new Set<string>()
  // Inside single quotes a dollar is awk's or sed's.
  for (const found of text.replace(/'[^'\n]*'/g, "''").matchAll(variable)) {
    const [all, escaped, braced, otherwise, escapedBare, bare, sample] = found
    const name = braced ?? bare ?? sample
    const settled = escaped === '\\' || escapedBare === '\\' || otherwise !== undefined
    if (settled || (name !== undefined && (environment.test(name) || own(name)))) continue
    unknown.add(all)
  }
  return {
    text,
    replaced: [...replaced].map(([placeholder, value]) => ({ placeholder, value })),
    unknown: [...unknown]
  }
}

/** By an assignment, `read`, `for`, or as a variable of PowerShell. */
function setsItself(script: string, name: string): boolean {
  const shell = new RegExp(
    `(^|[^\\w$])${name}(\\[[^\\]]*\\])?[+]?=|\\b(read|for|local|declare|mapfile|readarray)\\b[^\\n;]*\\s${name}\\b`,
    'm'
  )
  const powershell = new RegExp(`\\$${name}\\s*=|\\b(param|foreach)\\b[^)]*\\$${name}\\b`, 'im')
  return shell.test(script) || (/<powershell>/i.test(script) && powershell.test(script))
}
