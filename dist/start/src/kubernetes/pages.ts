import { isMap } from '../engine/json.js'
import { KubernetesError } from './errors.js'
import { resourceName, type Kind } from './kinds.js'
import { ListReader } from './list-items.js'
import { field, isManifest, listField, textField } from './manifest.js'
import { requestFor, type Request } from './request.js'
import type { BodyReader } from './transport.js'

export interface Selection {
  /** Undefined: all namespaces, or a cluster-scoped kind. */
  readonly namespace?: string | undefined
  readonly labelSelector?: string
  readonly fieldSelector?: string
  /** Objects in a page; 500 when left out. More where few requests count for more than memory. */
  readonly page?: number
  /** The server sends nothing but the objects' metadata: all else of them is absent. */
  readonly metadataOnly?: true
  /** Names of lists and objects that are not looked at wherever they stand in an object: most of them are never made. */
  readonly without?: readonly string[]
}

export interface Listing<T> {
  readonly items: readonly T[]
  /** What a watch goes on from. */
  readonly resourceVersion: string
}

/** Sends a request for a page; the reader gets what is answered. */
export type SendForPage = (
  request: Request,
  more: {
    readonly query: Readonly<Record<string, string | undefined>>
    readonly reader: BodyReader
    readonly accept?: string
  }
) => Promise<string>

const pageSize = 500
/** Rows are small. */
const tablePage = 2_500
/** Kubernetes API concepts, "Metadata-only fetches"; a server that cannot sends the objects whole. */
const metadataList = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json'

/** What is picked of all objects of a kind, read in pages. A kind that is not served has none. */
export async function readPages<T, P>(
  send: SendForPage,
  kind: Kind<T>,
  of: (object: T) => P,
  selection: Selection = {}
): Promise<Listing<P>> {
  const items: P[] = []
  let next: string | undefined
  while (true) {
    const query = {
      limit: String(selection.page ?? pageSize),
      labelSelector: selection.labelSelector,
      fieldSelector: selection.fieldSelector,
      continue: next
    }
    const reader = new ListReader((item) => of(itemOf(kind, item)), 'items', selection.without)
    try {
      await send(requestFor('GET', 'list', kind, { namespace: selection.namespace }), {
        query,
        reader,
        ...(selection.metadataOnly === true && { accept: metadataList })
      })
    } catch (error) {
      if (error instanceof KubernetesError && error.status === 404) return { items: [], resourceVersion: '' }
      if (error instanceof KubernetesError && error.status === 410 && next !== undefined) {
        // The continuation outlived etcd's history: the list is read again from its start.
        items.length = 0
        next = undefined
        continue
      }
      throw error
    }
    const page = reader.end()
    items.push(...page.items)
    const resourceVersion = textField(page.rest, 'metadata', 'resourceVersion') ?? ''
    next = textField(page.rest, 'metadata', 'continue') || undefined
    if (next === undefined) return { items, resourceVersion }
  }
}

/** An object of a Table: what it is printed as, and what was picked of its metadata. */
export interface Row<P> {
  readonly cell: string
  readonly picked: P
}

/** Kubernetes API concepts, "Receiving resources as Tables"; `includeObject` is Metadata unless asked otherwise. */
const asTable = 'application/json;as=Table;g=meta.k8s.io;v=v1,application/json'

/**
 * One column of all objects of a kind as kubectl prints them, wide ones too, so that no object is sent whole. Undefined
 * where the server does not print them so.
 */
export async function readColumn<T, P>(
  send: SendForPage,
  kind: Kind<T>,
  column: string,
  of: (metadataOnly: T) => P
): Promise<readonly Row<P>[] | undefined> {
  const rows: Row<P>[] = []
  let next: string | undefined
  do {
    const query = { limit: String(tablePage), includeObject: 'Metadata', continue: next }
    const reader = new ListReader(
      (row) => ({ cells: listField(row, 'cells'), picked: of(itemOf(kind, field(row, 'object'))) }),
      'rows'
    )
    await send(requestFor('GET', 'list', kind, {}), { query, reader, accept: asTable })
    const page = reader.end()
    const at = listField(page.rest, 'columnDefinitions').findIndex((one) => field(one, 'name') === column)
    if (at === -1) return undefined
    rows.push(
      ...page.items.map(({ cells, picked }) => {
        const cell = cells[at]
        return { cell: typeof cell === 'string' ? cell : '', picked }
      })
    )
    next = textField(page.rest, 'metadata', 'continue') || undefined
  } while (next !== undefined)
  return rows
}

/** Items of a list carry no kind of their own for built-in types, and none of theirs where they are metadata alone. */
function itemOf<T>(kind: Kind<T>, item: unknown): T {
  const isItsOwn = isManifest(item) && item.kind !== 'PartialObjectMetadata'
  return objectOf(
    kind,
    isMap(item) && !isItsOwn ? { ...item, apiVersion: kind.apiVersion, kind: kind.kind } : item
  )
}

/** Throws KubernetesError where the answer is no such object. */
export function objectOf<T>(kind: Kind<T>, value: unknown): T {
  if (kind.is(value)) return value
  throw new KubernetesError(
    resourceName(kind),
    `the API server answered with something that is no ${kind.apiVersion} ${kind.kind}`,
    'A proxy between the runner and the cluster may answer in its place: check HTTPS_PROXY and NO_PROXY.',
    { status: 200, reason: 'UnexpectedAnswer' }
  )
}
