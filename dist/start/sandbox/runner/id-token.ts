import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { exportJWK, generateKeyPair, SignJWT, type JWK } from 'jose'
import { listen } from '../listen.js'

const GITHUB_ISSUER = 'https://token.actions.githubusercontent.com'

/** The workflow run that a token speaks of. */
export interface WorkflowRun {
  /** owner/name */
  readonly repository: string
  readonly repositoryId: string
  readonly repositoryOwnerId: string
  /** refs/heads/main; of a pull request refs/pull/1/merge, and `sub` says no more than `pull_request` then. */
  readonly ref: string
  /** Deployment environment of the job; replaces the ref in `sub`. */
  readonly environment?: string
  /** `immutable` carries the ids: repo:org@1/name@2:ref:... (repositories made after 15 July 2026). */
  readonly subject: 'legacy' | 'immutable'
  readonly runId: string
  readonly runAttempt: string
  readonly serverUrl: string
}

export type IdTokenFault =
  | { readonly kind: 'status'; readonly status: number; readonly times?: number }
  | { readonly kind: 'drop'; readonly times?: number }

/** What a job with `id-token: write` gets in its environment. */
export interface IdTokenGrant {
  readonly url: string
  readonly requestToken: string
}

export interface IdTokenServer {
  readonly issuer: string
  /** Public keys, to be given to whoever verifies. */
  readonly jwks: { readonly keys: readonly JWK[] }
  /** Opens the endpoint for one job. */
  grant(run: WorkflowRun): IdTokenGrant
  /** Answers that go wrong from now on; `undefined` ends it. */
  fault(fault: IdTokenFault | undefined): void
  /** Every token given so far: secrets that must be in no log. */
  readonly issued: readonly string[]
  /** Requests received, refused ones too. */
  readonly requests: number
  stop(): Promise<void>
}

/** `sub` as GitHub forms it; see "OpenID Connect reference" in GitHub's documentation. */
function subjectOf(run: WorkflowRun): string {
  const [owner = '', name = ''] = run.repository.split('/')
  const repository =
    run.subject === 'legacy'
      ? run.repository
      : `${owner}@${run.repositoryOwnerId}/${name}@${run.repositoryId}`
  const of = run.ref.startsWith('refs/pull/') ? 'pull_request' : `ref:${run.ref}`
  return `repo:${repository}:${run.environment === undefined ? of : `environment:${run.environment}`}`
}

/** Starts GitHub's token endpoint with keys of its own. Tokens are good for five minutes, as GitHub's. */
export async function startIdTokenServer(options: { readonly now: () => number }): Promise<IdTokenServer> {
  const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true })
  const kid = randomUUID()
  const jwk: JWK = { ...(await exportJWK(publicKey)), kid, alg: 'RS256', use: 'sig' }
  const runs = new Map<string, WorkflowRun>()
  const issued: string[] = []
  let requests = 0
  let pending: IdTokenFault | undefined
  let hits = 0

  const sign = async (run: WorkflowRun, audience: string): Promise<string> => {
    const now = Math.floor(options.now() / 1000)
    return new SignJWT(claimsOf(run))
      .setProtectedHeader({ alg: 'RS256', kid, typ: 'JWT' })
      .setIssuer(GITHUB_ISSUER)
      .setSubject(subjectOf(run))
      .setAudience(audience)
      .setIssuedAt(now)
      .setNotBefore(now - 300)
      .setExpirationTime(now + 300)
      .setJti(randomUUID())
      .sign(privateKey)
  }

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    requests++
    request.resume()
    if (pending !== undefined && hits < (pending.times ?? Infinity)) {
      hits++
      if (pending.kind === 'drop') {
        request.socket.destroy()
        return
      }
      reply(response, pending.status, { message: `The endpoint was told to answer ${pending.status}` })
      return
    }
    const run = runs.get((request.headers.authorization ?? '').replace(/^bearer /i, ''))
    if (run === undefined) {
      reply(response, 401, { message: 'The request token is not one of this server' })
      return
    }
    const url = new URL(request.url ?? '/', 'http://localhost')
    const owner = run.repository.split('/')[0] ?? ''
    const token = await sign(run, url.searchParams.get('audience') ?? `https://github.com/${owner}`)
    issued.push(token)
    reply(response, 200, { count: token.length, value: token })
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      reply(response, 500, { message: String(error) })
    })
  })
  const listening = await listen(server)
  return {
    issuer: GITHUB_ISSUER,
    jwks: { keys: [jwk] },
    issued,
    get requests() {
      return requests
    },
    grant: (run) => {
      const requestToken = randomUUID()
      runs.set(requestToken, run)
      return {
        url: `http://127.0.0.1:${listening.port}/idtoken/${run.runId}?api-version=2.0`,
        requestToken
      }
    },
    fault: (fault) => {
      pending = fault
      hits = 0
    },
    stop: listening.close
  }
}

function claimsOf(run: WorkflowRun): Record<string, string> {
  const workflowRef = `${run.repository}/.github/workflows/karpenter.yml@${run.ref}`
  return {
    ref: run.ref,
    ref_type: 'branch',
    ref_protected: 'true',
    sha: '0123456789abcdef0123456789abcdef01234567',
    repository: run.repository,
    repository_owner: run.repository.split('/')[0] ?? '',
    repository_id: run.repositoryId,
    repository_owner_id: run.repositoryOwnerId,
    repository_visibility: 'private',
    run_id: run.runId,
    run_number: '1',
    run_attempt: run.runAttempt,
    actor: 'octocat',
    actor_id: '583231',
    workflow: 'karpenter',
    workflow_ref: workflowRef,
    workflow_sha: '0123456789abcdef0123456789abcdef01234567',
    job_workflow_ref: workflowRef,
    job_workflow_sha: '0123456789abcdef0123456789abcdef01234567',
    event_name: 'push',
    head_ref: '',
    base_ref: '',
    runner_environment: 'github-hosted',
    ...(run.environment === undefined ? {} : { environment: run.environment })
  }
}

function reply(response: ServerResponse, status: number, body: Readonly<Record<string, unknown>>): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' })
  response.end(JSON.stringify(body))
}
