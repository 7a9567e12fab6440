import { awsId } from '../partition.js'
import type { Caller } from '../service.js'

/** Temporary credentials as STS hands them out. */
export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string
  readonly expiration: Date
}

export interface Session {
  readonly credentials: Credentials
  readonly caller: Caller
  /** Session tags become aws:PrincipalTag/*. */
  readonly tags: Readonly<Record<string, string>>
  /** A session policy narrows what the role allows. */
  readonly policy?: string
}

/** Every pair of keys ever minted, by access key ID. Expired ones are kept: AWS tells expired from unknown, too. */
export class CredentialStore {
  readonly #sessions = new Map<string, Session>()

  mint(
    caller: Omit<Caller, 'expiresAt'>,
    expiresAt: number,
    more: { readonly tags?: Readonly<Record<string, string>>; readonly policy?: string } = {}
  ): Session {
    const session: Session = {
      credentials: {
        accessKeyId: awsId('ASIA', 16),
        secretAccessKey: randomText(30),
        sessionToken: randomText(180),
        expiration: new Date(expiresAt)
      },
      caller: { ...caller, expiresAt },
      tags: more.tags ?? {},
      ...(more.policy === undefined ? {} : { policy: more.policy })
    }
    this.#sessions.set(session.credentials.accessKeyId, session)
    return session
  }

  find(accessKeyId: string): Session | undefined {
    return this.#sessions.get(accessKeyId)
  }

  /** All that were minted, for whoever looks for leaks. */
  all(): readonly Session[] {
    return [...this.#sessions.values()]
  }
}

function randomText(bytes: number): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(bytes))).toString('base64')
}
