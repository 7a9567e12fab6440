/** Who may have signed a chart: the identity in the certificate, and who vouched for it; both exact. */
export interface Signer {
  /** `https://github.com/<owner>/<repository>/.github/workflows/<file>@<ref>`, or a mail address. */
  readonly identity: string
  /** `https://token.actions.githubusercontent.com` */
  readonly issuer: string
}

/** Who is asked for, as an input says it; undefined: GitHub Actions vouches. */
export type AskedSigner = Pick<Signer, 'identity'> & { readonly issuer: string | undefined }

/** What a run asks of the chart's signature. */
export interface SignatureRequest {
  /** What becomes of a chart without one. `off`: a mirror is not even asked. */
  readonly wanted: 'warn' | 'require' | 'off'
  /** Text of the trusted_root.json of a Sigstore instance of one's own; undefined: the public instance. */
  readonly trustRoot: string | undefined
  /** Undefined: Karpenter's release workflow at the version's tag. */
  readonly signer: AskedSigner | undefined
}
