import ts from 'typescript'

/** Lines of a source, from 1, both included. */
export interface Lines {
  readonly first: number
  readonly last: number
}

/** Where each function, member of a class and constant of a file stands; what is of types alone has nothing to mutate. */
export function declarationsOf(path: string, text: string): readonly Lines[] {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest)
  const lineAt = (position: number): number => source.getLineAndCharacterOfPosition(position).line + 1
  return source.statements
    .flatMap((statement): readonly ts.Node[] =>
      ts.isClassDeclaration(statement) ? statement.members : isOfTypes(statement) ? [] : [statement]
    )
    .map((node) => ({ first: lineAt(node.getStart(source)), last: lineAt(node.getEnd()) }))
}

function isOfTypes(statement: ts.Statement): boolean {
  return (
    ts.isImportDeclaration(statement) ||
    ts.isExportDeclaration(statement) ||
    ts.isInterfaceDeclaration(statement) ||
    ts.isTypeAliasDeclaration(statement)
  )
}

/** Each declaration of the sources with the same chance, as Stryker's ranges: `src/a.ts:3-9`. */
export function drawnRanges(
  sources: readonly { readonly path: string; readonly text: string }[],
  share: number,
  random: () => number
): readonly string[] {
  return sources.flatMap(({ path, text }) =>
    declarationsOf(path, text)
      .filter(() => random() < share)
      .map(({ first, last }) => `${path}:${first}-${last}`)
  )
}
