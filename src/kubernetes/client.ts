import { kindOfAnswer } from './answer.js'
import { isCreated, isDeleted, isPatched } from './carried-out.js'
import { forwarding, type Forward } from './forward.js'
import { errorOf, KubernetesError, type Caller } from './errors.js'
import { knownKind, untyped, type Kind, type ObjectName } from './kinds.js'
import { field, listField, textField, type Manifest } from './manifest.js'
import { type Listing, objectOf, readColumn, readPages, type Row, type Selection } from './pages.js'
import type { Patch } from './patch.js'
import { plainGet, queryText, requestFor, type Request } from './request.js'
import { type BodyReader, transport, type Connection } from './transport.js'
import { watchEvents, type WatchEvent } from './watch.js'
import { ourName } from '../engine/owner.js'

export type { KubernetesRequest } from './transport.js'
export type { Listing, Selection } from './pages.js'

/** Every write is made under this name, so that server-side apply knows whose field it is. */
export const fieldManager = ourName

export interface WriteOptions {
  /** The server validates and defaults, and writes nothing. */
  readonly dryRun?: boolean
}

export interface ApplyOptions extends WriteOptions {
  /** Take fields that another manager owns. */
  readonly force?: boolean
  /** `Strict` refuses fields that the schema does not know. Default `Warn`. */
  readonly fieldValidation?: 'Strict' | 'Warn'
}

export interface DeleteOptions extends WriteOptions {
  readonly propagation?: 'Background' | 'Foreground' | 'Orphan'
  /** Delete exactly this object, not another one of its name. */
  readonly uid?: string
  /** Delete it only as it was read: 409 when it has changed since. */
  readonly resourceVersion?: string
  /** Of a pod, instead of its own; one that is ending already can only be given less. */
  readonly gracePeriodSeconds?: number
}

/**
 * The Kubernetes API as this action needs it. A server that is in trouble is asked again for a minute, and a write that was
 * carried out although its answer was lost is a write that succeeded. Errors are KubernetesError or UnreachableError.
 */
export interface Kubernetes {
  /** Undefined when it does not exist, or its kind is not served. */
  get<T>(kind: Kind<T>, name: string, namespace?: string): Promise<T | undefined>
  /** All of them, read in pages. A kind that is not served has none. */
  list<T>(kind: Kind<T>, selection?: Selection): Promise<Listing<T>>
  /** The same where there may be thousands: a page is forgotten before the next one is read, but for what is picked of it. */
  pick<T, P>(kind: Kind<T>, of: (object: T) => P, selection?: Selection): Promise<Listing<P>>
  /**
   * One column as the server prints it, of those of which something is picked by their metadata and all cells of their row,
   * and what that is; undefined: it prints none.
   */
  column<T, P>(
    kind: Kind<T>,
    column: string,
    of: (metadataOnly: T, cells: readonly unknown[]) => P | undefined
  ): Promise<readonly Row<P>[] | undefined>
  /** Whether there is one at all; no more than one is read. */
  any<T>(kind: Kind<T>, selection: Selection): Promise<boolean>
  create<T>(kind: Kind<T>, object: Manifest, options?: WriteOptions): Promise<T>
  patch<T>(kind: Kind<T>, at: ObjectName, patch: Patch, options?: WriteOptions): Promise<T>
  /** Server-side apply as `setup-karpenter`. */
  apply<T>(kind: Kind<T>, object: Manifest, options?: ApplyOptions): Promise<T>
  delete<T>(kind: Kind<T>, at: ObjectName, options?: DeleteOptions): Promise<'deleted' | 'absent'>
  /**
   * Changes from a resource version on; reconnects by itself. Throws KubernetesError 410 when the server no longer knows
   * that version: list again.
   */
  watch<T>(
    kind: Kind<T>,
    selection: Selection & { readonly resourceVersion: string },
    signal?: AbortSignal
  ): AsyncIterable<WatchEvent<T>>
  /** A container's log as text. `previous`: of the container that ran before the last restart. */
  log(pod: ObjectName & { readonly namespace: string }, options?: LogOptions): Promise<string>
  version(): Promise<{ readonly gitVersion: string; readonly major: string; readonly minor: string }>
  /** A kind by its name: from the table, else by discovery; undefined when the cluster does not serve it. */
  kindOf(apiVersion: string, kind: string): Promise<Kind<Manifest> | undefined>
  /**
   * Passes on what another program asks, as patiently as what is asked here, and under the same lock. The end of the run
   * does not end it, close() does: a helm that is at work finishes it.
   */
  readonly forward: Forward
  /** The same client, whose requests are also ended by this signal. */
  within(signal: AbortSignal): Kubernetes
  /** The same client for the lock's own requests: sent once, and without the check that comes before a write. */
  direct(): Kubernetes
  close(): void
}

export interface LogOptions {
  readonly container?: string
  readonly previous?: boolean
  readonly tailLines?: number
}

export interface KubernetesOptions extends Connection {
  readonly caller: Caller
  readonly signal: AbortSignal
}

export function createKubernetes(options: KubernetesOptions): Kubernetes {
  const wire = transport(options)
  const session: { accepted: boolean } = { accepted: false }

  function clientOf(signal: AbortSignal, direct: boolean): Kubernetes {
    async function send(
      request: Request,
      more: {
        query?: Readonly<Record<string, string | undefined>>
        body?: unknown
        contentType?: string
        repeatable?: boolean
        accept?: string
        dryRun?: boolean | undefined
        reader?: BodyReader
      } = {}
    ): Promise<string> {
      const answer = await wire.send({
        method: request.method,
        path: request.path + queryText({ ...more.query, ...(more.dryRun === true && { dryRun: 'All' }) }),
        repeatable: more.repeatable ?? true,
        dryRun: more.dryRun === true,
        direct,
        signal,
        ...(more.body !== undefined && { body: JSON.stringify(more.body) }),
        ...(more.contentType !== undefined && { contentType: more.contentType }),
        ...(more.accept !== undefined && { accept: more.accept }),
        anyVersion: !namesVersion(more.body),
        // A log is whatever its container writes.
        ...(more.reader !== undefined
          ? { reader: more.reader }
          : more.accept !== '*/*' && { proves: kindOfAnswer })
      })
      if (answer.status < 300) {
        session.accepted = true
        return answer.body
      }
      throw errorOf(request, answer, options.caller, session.accepted ? 'accepted' : 'new')
    }

    const pages = async <T, P>(
      kind: Kind<T>,
      of: (object: T) => P,
      selection?: Selection
    ): Promise<Listing<P>> => readPages(send, kind, of, selection)

    const self: Kubernetes = {
      get: async (kind, name, namespace) => {
        try {
          return read(kind, await send(requestFor('GET', 'get', kind, { name, namespace })))
        } catch (error) {
          if (error instanceof KubernetesError && error.status === 404) return undefined
          throw error
        }
      },
      list: async (kind, selection) => pages(kind, (object) => object, selection),
      pick: pages,
      column: async (kind, column, of) => readColumn(send, kind, column, of),
      any: async (kind, { namespace, labelSelector, fieldSelector }) => {
        const query = { limit: '1', labelSelector, fieldSelector }
        let page: unknown
        try {
          page = JSON.parse(await send(requestFor('GET', 'list', kind, { namespace }), { query }))
        } catch (error) {
          // As for a list: of a kind that the cluster does not have there is none.
          if (error instanceof KubernetesError && error.status === 404) return false
          throw error
        }
        return listField(page, 'items').length > 0
      },
      create: async (kind, object, { dryRun } = {}) => {
        const { name, namespace } = object.metadata
        const request = requestFor('POST', 'create', kind, { namespace })
        try {
          return read(
            kind,
            await send({ ...request, name }, { query: { fieldManager }, dryRun, body: object })
          )
        } catch (error) {
          if (!isRepeated(error, 409)) throw error
          const live = await self.get(kind, name, namespace)
          if (live === undefined || !isCreated(object, live)) throw error
          return live
        }
      },
      patch: async (kind, at, patch, { dryRun } = {}) => {
        const merge = patch.type === 'merge'
        try {
          return read(
            kind,
            await send(requestFor('PATCH', 'patch', kind, at), {
              query: { fieldManager },
              dryRun,
              body: merge ? patch.value : patch.operations,
              contentType: `application/${merge ? 'merge' : 'json'}-patch+json`,
              // Without a test, what adds to a list adds twice.
              repeatable: merge || dryRun === true || patch.operations.some(({ op }) => op === 'test')
            })
          )
        } catch (error) {
          if (!isRepeated(error, 409) && !isRepeated(error, 422)) throw error
          const live = await self.get(kind, at.name, at.namespace)
          if (live === undefined || !isPatched(patch, live)) throw error
          return live
        }
      },
      apply: async (kind, object, { dryRun, force, fieldValidation = 'Warn' } = {}) => {
        const { name, namespace } = object.metadata
        return read(
          kind,
          await send(requestFor('PATCH', 'patch', kind, { name, namespace }), {
            query: { fieldManager, force: force === true ? 'true' : undefined, fieldValidation },
            dryRun,
            body: object,
            contentType: 'application/apply-patch+yaml'
          })
        )
      },
      delete: async (kind, at, remove = {}) => {
        try {
          await send(requestFor('DELETE', 'delete', kind, at), {
            dryRun: remove.dryRun,
            body: {
              apiVersion: 'v1',
              kind: 'DeleteOptions',
              propagationPolicy: remove.propagation ?? 'Background',
              ...(remove.gracePeriodSeconds !== undefined && {
                gracePeriodSeconds: remove.gracePeriodSeconds
              }),
              ...((remove.uid !== undefined || remove.resourceVersion !== undefined) && {
                preconditions: { uid: remove.uid, resourceVersion: remove.resourceVersion }
              }),
              ...(remove.dryRun === true && { dryRun: ['All'] })
            }
          })
          return 'deleted'
        } catch (error) {
          if (isRepeated(error, 404)) return 'deleted'
          if (isRepeated(error, 409) && isDeleted(await self.get(kind, at.name, at.namespace)))
            return 'deleted'
          if (!(error instanceof KubernetesError)) throw error
          // A uid that is another's now means that ours is gone.
          if (error.status === 404 || (error.status === 409 && remove.uid !== undefined)) return 'absent'
          throw error
        }
      },
      watch: (kind, selection, until) =>
        watchEvents({
          kind,
          from: selection.resourceVersion,
          signal: until === undefined ? signal : AbortSignal.any([signal, until]),
          open: (resourceVersion, ends) => {
            const request = requestFor('GET', 'watch', kind, { namespace: selection.namespace })
            const query = queryText({
              watch: 'true',
              allowWatchBookmarks: 'true',
              labelSelector: selection.labelSelector,
              fieldSelector: selection.fieldSelector,
              resourceVersion
            })
            return wire.open({ method: 'GET', path: request.path + query, repeatable: true, signal: ends })
          },
          errorOf: (answer) =>
            errorOf(
              requestFor('GET', 'watch', kind, { namespace: selection.namespace }),
              answer,
              options.caller,
              session.accepted ? 'accepted' : 'new'
            ),
          endpoint: options.endpoint,
          pace: options.pace,
          answered: () => wire.answered,
          closed: () => wire.closed
        }),
      log: async (pod, wanted = {}) => {
        const path = `/api/v1/namespaces/${encodeURIComponent(pod.namespace)}/pods/${encodeURIComponent(pod.name)}/log`
        return send(
          {
            method: 'GET',
            path,
            verb: 'get',
            resource: 'pods/log',
            name: pod.name,
            namespace: pod.namespace
          },
          {
            accept: '*/*',
            query: {
              container: wanted.container,
              previous: wanted.previous === true ? 'true' : undefined,
              tailLines: wanted.tailLines === undefined ? undefined : String(wanted.tailLines)
            }
          }
        )
      },
      version: async () => {
        const found: unknown = JSON.parse(await send(plainGet('/version')))
        return {
          gitVersion: textField(found, 'gitVersion') ?? '',
          major: textField(found, 'major') ?? '',
          minor: textField(found, 'minor') ?? ''
        }
      },
      kindOf: async (apiVersion, kind) => {
        const known = knownKind(apiVersion, kind)
        if (known !== undefined) return known
        try {
          const path = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
          const served: unknown = JSON.parse(await send(plainGet(path)))
          const found = listField(served, 'resources').find(
            (one) => field(one, 'kind') === kind && textField(one, 'name')?.includes('/') === false
          )
          const name = textField(found, 'name')
          return name === undefined
            ? undefined
            : untyped(apiVersion, kind, name, field(found, 'namespaced') === true)
        } catch (error) {
          if (error instanceof KubernetesError && error.status === 404) return undefined
          throw error
        }
      },
      forward: forwarding(wire),
      within: (also) => clientOf(AbortSignal.any([signal, also]), direct),
      direct: () => clientOf(signal, true),
      close: () => wire.close()
    }
    return self
  }

  return clientOf(options.signal, false)
}

/** Refused, and perhaps because an earlier try of it was carried out. */
function isRepeated(error: unknown, status: number): boolean {
  return error instanceof KubernetesError && error.repeated && error.status === status
}

/** Whether a write is meant for one version of the object alone. */
function namesVersion(body: unknown): boolean {
  return ['metadata', 'preconditions'].some((part) => textField(body, part, 'resourceVersion') !== undefined)
}

function read<T>(kind: Kind<T>, body: string): T {
  return objectOf(kind, JSON.parse(body))
}
