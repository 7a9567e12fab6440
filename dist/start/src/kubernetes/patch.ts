/** `json` operations keep their `test`s: how a write is refused when another writer was faster. */
export type Patch =
  | { readonly type: 'merge'; readonly value: unknown }
  | { readonly type: 'json'; readonly operations: readonly JsonPatchOperation[] }

export type JsonPatchOperation =
  | { readonly op: 'add' | 'replace' | 'test'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string }
