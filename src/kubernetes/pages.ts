import { isMap } from '../engine/json.js'
import { aProxyMayAnswer, isKubernetesError, KubernetesError } from './errors.js'
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
  /** The server sends nothing but the objects' metadata: all else of them is absent, and who wrote each field is left out. */
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

/** Of a Deployment with many variables ten times what all else of its metadata comes to. */
const writers = ['managedFields'] as const

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
  const { items, rest } = await allPages(async (at) => {
    const { labelSelector, fieldSelector, metadataOnly, without = metadataOnly && writers } = selection
    const reader = new ListReader((item) => of(itemOf(kind, item)), 'items', without)
    await send(requestFor('GET', 'list', kind, { namespace: selection.namespace }), {
      query: { ...at, labelSelector, fieldSelector },
      reader,
      ...(metadataOnly === true && { accept: metadataList })
    })
    return reader.end()
  }, selection.page ?? pageSize).catch((error: unknown) => {
    if (error instanceof KubernetesError && error.status === 404) return { items: [], rest: undefined }
    throw error
  })
  return { items, resourceVersion: textField(rest, 'metadata', 'resourceVersion') ?? '' }
}

/** Where a page begins, and how much of the list is asked for; without a limit all of it. */
type At = Readonly<Record<'limit' | 'continue', string | undefined>>

/**
 * Every page of a list, one after the other. Where a continuation outlives etcd's history the list is read anew, and in one
 * piece, as client-go's pager does it: pages that take that long would outlive it again.
 */
async function allPages<P>(
  read: (at: At) => Promise<{ readonly items: readonly P[]; readonly rest: unknown }>,
  limit: number
): Promise<{ readonly items: readonly P[]; readonly rest: unknown }> {
  const items: P[] = []
  let at: At = { limit: String(limit), continue: undefined }
  while (true) {
    try {
      const page = await read(at)
      items.push(...page.items)
      const next = textField(page.rest, 'metadata', 'continue') || undefined
      if (next === undefined) return { items, rest: page.rest }
      at = { ...at, continue: next }
    } catch (error) {
      if (!isKubernetesError(error, 410) || at.continue === undefined || at.limit === undefined) throw error
      items.length = 0
      at = { limit: undefined, continue: undefined }
    }
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
 * One column of the objects of a kind as kubectl prints them, wide ones too, so that no object is sent whole; of those alone
 * of which something is picked. Undefined where the server does not print them so.
 */
export async function readColumn<T, P>(
  send: SendForPage,
  kind: Kind<T>,
  column: string,
  of: (metadataOnly: T, cells: readonly unknown[]) => P | undefined
): Promise<readonly Row<P>[] | undefined> {
  const { items, rest } = await allPages(async (at) => {
    const query = { ...at, includeObject: 'Metadata' }
    const pickedOf = (row: unknown) => {
      const cells = listField(row, 'cells')
      const picked = of(itemOf(kind, field(row, 'object')), cells)
      return picked === undefined ? [] : [{ cells, picked }]
    }
    const reader = new ListReader(pickedOf, 'rows', writers)
    await send(requestFor('GET', 'list', kind, {}), { query, reader, accept: asTable })
    return reader.end()
  }, tablePage)
  const at = listField(rest, 'columnDefinitions').findIndex((one) => field(one, 'name') === column)
  if (at === -1) return undefined
  return items.flat().map(({ cells, picked }) => {
    const cell = cells[at]
    return { cell: typeof cell === 'string' ? cell : '', picked }
  })
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
    aProxyMayAnswer,
    { status: 200, reason: 'UnexpectedAnswer' }
  )
}
