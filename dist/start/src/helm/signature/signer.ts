import type { SignatureRequest, Signer } from './request.js'

const gitHubActions = 'https://token.actions.githubusercontent.com'

/** Who has to have signed a chart of that version. */
export function wantedSigner({ signer }: SignatureRequest, version: string): Signer {
  return signer === undefined
    ? releaseWorkflow(version)
    : { identity: signer.identity, issuer: signer.issuer ?? gitHubActions }
}

/**
 * Karpenter's release workflow at the version's tag. Of every release since 1.0.0, read at each tag of
 * aws/karpenter-provider-aws up to 1.14.1: `hack/release/common.sh` calls `cosign sign` for the chart, and
 * `.github/workflows/release.yaml`, named Release, runs on the push of the tag. `charts/karpenter/README.md` asks for this
 * repository, workflow, ref and issuer; the identity has all of them but the workflow's name, which follows from its file.
 */
export function releaseWorkflow(version: string): Signer {
  return {
    identity: `https://github.com/aws/karpenter-provider-aws/.github/workflows/release.yaml@refs/tags/v${version}`,
    issuer: gitHubActions
  }
}

/** For a person: `aws/karpenter-provider-aws/.github/workflows/release.yaml@refs/tags/v1.14.0`, else identity and issuer. */
export function signerText({ identity, issuer }: Signer): string {
  const path = /^https:\/\/github\.com\/(.+)$/.exec(identity)?.[1]
  return issuer === gitHubActions && path !== undefined ? path : `${identity} (${issuer})`
}
