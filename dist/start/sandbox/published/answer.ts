/** A request, as far as published files depend on it. */
export interface PublishedRequest {
  readonly method: string
  /** Without the query. */
  readonly path: string
  readonly query: URLSearchParams
  /** http://127.0.0.1:1234 or https://public.ecr.aws: where the client believes to be. */
  readonly origin: string
  readonly authorization: string | undefined
}

export interface PublishedAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** For HEAD too; it is left out when sent. */
  readonly body: Buffer
}

export function plainText(status: number, body: string): PublishedAnswer {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: Buffer.from(body) }
}

export function json(
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {}
): PublishedAnswer {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
    body: Buffer.from(JSON.stringify(body))
  }
}
