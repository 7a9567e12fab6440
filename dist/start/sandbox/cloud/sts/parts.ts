import type { Issuers } from '../credentials/issuers.js'
import type { CredentialStore } from '../credentials/store.js'
import type { IamState } from '../iam/state.js'

/** What STS answers from. */
export interface StsParts {
  readonly iam: IamState
  readonly credentials: CredentialStore
  readonly issuers: Issuers
  /** Longest session of a pod, that is of a token of a cluster's issuer, seconds; as it is asked for when absent. */
  readonly podSessionSeconds?: number | undefined
}
