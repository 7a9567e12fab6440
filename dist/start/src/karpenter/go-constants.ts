/**
 * Text of a Go constant that is declared as a plain string, by itself or in a group: `const Name = "v5"`, `Name = "1.36"`.
 * Undefined where the file has no such declaration, has it more than once, or builds it from something else: a wrong value
 * would be worse than none.
 */
export function goConstant(source: string, name: string): string | undefined {
  const code = withoutComments(source)
  const groups = [...code.matchAll(/^const\s*\(\s*$([\s\S]*?)^\)/gm)].map(([, body]) => body ?? '')
  const single = code.split('\n').filter((line) => /^const\s+\w/.test(line))
  const lines = [
    ...groups.flatMap((body) => body.split('\n')),
    ...single.map((line) => line.replace(/^const\s+/, ''))
  ]
  const declared = lines.filter((line) => new RegExp(`^\\s*${name}\\b`).test(line))
  const [only] = declared
  if (only === undefined || declared.length > 1) return undefined
  return new RegExp(`^\\s*${name}(?:\\s+string)?\\s*=\\s*"([^"\\\\]*)"\\s*;?\\s*$`).exec(only)?.[1]
}

/** Strings are kept whole, so that `//` in one is no comment. */
function withoutComments(source: string): string {
  return source.replaceAll(
    /("(?:[^"\\\n]|\\.)*"|`[^`]*`|'(?:[^'\\\n]|\\.)*')|\/\/[^\n]*|\/\*[\s\S]*?\*\//g,
    (_all, text: string | undefined) => (text?.startsWith('`') === true ? '``' : (text ?? ' '))
  )
}
