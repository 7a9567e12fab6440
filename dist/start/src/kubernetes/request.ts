import { pathOf, resourceName, type Kind, type ObjectName } from './kinds.js'

export interface Request {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  readonly path: string
  /** `get nodepools.karpenter.sh default`: verb, resource and name for messages. */
  readonly verb: string
  readonly resource: string
  readonly name: string | undefined
  readonly namespace: string | undefined
}

export function requestFor<T>(
  method: Request['method'],
  verb: string,
  kind: Kind<T>,
  at: Partial<ObjectName>
): Request {
  const namespace = kind.namespaced ? at.namespace : undefined
  return {
    method,
    verb,
    path: pathOf(kind, { namespace, name: at.name }),
    resource: resourceName(kind),
    name: at.name,
    namespace
  }
}

export function plainGet(path: string): Request {
  return { method: 'GET', path, verb: 'get', resource: path, name: undefined, namespace: undefined }
}

export function queryText(query: Readonly<Record<string, string | undefined>>): string {
  const given = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) if (value !== undefined) given.set(name, value)
  return given.size === 0 ? '' : `?${given.toString()}`
}
