import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTPayload, jwtVerify } from 'jose'

/** Where the public keys of an issuer come from; asked again for every token, as keys rotate. */
export type KeySource = () => Promise<JSONWebKeySet>

export type Verified =
  | { readonly kind: 'valid'; readonly claims: JWTPayload }
  | { readonly kind: 'expired'; readonly expiredAt: number }
  | { readonly kind: 'no-keys' }
  | { readonly kind: 'invalid'; readonly reason: string }

/** The issuers whose tokens this cloud can verify: GitHub's, and each cluster's. */
export class Issuers {
  readonly #now: () => number
  readonly #sources = new Map<string, KeySource>()

  constructor(now: () => number) {
    this.#now = now
  }

  trust(issuer: string, keys: KeySource): void {
    this.#sources.set(issuer, keys)
  }

  /** Signature, issuer and times. Audience and subject are for the caller to judge. */
  async verify(token: string, issuer: string): Promise<Verified> {
    const keys = await this.#keys(issuer)
    if (keys === undefined) return { kind: 'no-keys' }
    try {
      const { payload } = await jwtVerify(token, createLocalJWKSet(keys), {
        issuer,
        currentDate: new Date(this.#now()),
        clockTolerance: 0
      })
      return { kind: 'valid', claims: payload }
    } catch (error) {
      if (error instanceof errors.JWTExpired) return { kind: 'expired', expiredAt: error.payload.exp ?? 0 }
      if (error instanceof errors.JWKSNoMatchingKey) return { kind: 'no-keys' }
      return { kind: 'invalid', reason: error instanceof Error ? error.message : String(error) }
    }
  }

  async #keys(issuer: string): Promise<JSONWebKeySet | undefined> {
    try {
      return await this.#sources.get(issuer)?.()
    } catch {
      return undefined
    }
  }
}
