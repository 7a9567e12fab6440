import type { GetOpenIDConnectProviderResponse } from '@aws-sdk/client-iam'
import type { Aws } from '../../aws/clients.js'
import { tagsOf } from '../../aws/discover.js'
import { awsProblem, codeOf, isAlreadyExists, isNotFound, liveOf, wasRepeated } from '../../aws/errors.js'
import { whenIamFollows } from '../../aws/iam-late.js'
import { creationTags, tagList } from '../../aws/ownership-tags.js'
import { iamArn } from '../../aws/partition.js'
import { poll, untilShown } from '../../aws/poll.js'
import { missing, type Difference } from '../../engine/difference.js'
import { isMap } from '../../engine/json.js'
import { resource, type AnyResource, type Removal, type Step } from '../../engine/resource.js'
import type { Ownership } from '../../aws/environment.js'
import { ownerByTags } from '../../adoption/owners/tag-owner.js'
import { idOf } from '../ids.js'

export interface OidcProviderWanted {
  readonly clusterName: string
  readonly arn: string
  /** https://oidc.eks... */
  readonly issuer: string
  readonly audience: string
  readonly tags: Readonly<Record<string, string>>
}

interface Live {
  readonly audiences: readonly string[]
  readonly tags: Readonly<Record<string, string>>
}

/** A service account's token names it whatever the partition: EKS's webhook projects this audience everywhere. */
export const serviceAccountAudience = 'sts.amazonaws.com'

/** An IAM OIDC provider's ARN is made of the account and the issuer without its scheme, so it need not be looked for. */
export function oidcProviderArn(account: Aws['account'], issuer: string): string {
  return iamArn(account, `oidc-provider/${issuer.replace(/^https:\/\//, '')}`)
}

/** Lets IAM trust the cluster's service-account tokens. */
export function oidcProvider(
  wanted: OidcProviderWanted,
  ports: {
    readonly aws: Aws
    readonly ownership: Ownership
    /** Service accounts of others may have come to rely on it: only when asked for. */
    readonly removable?: boolean
  }
): AnyResource {
  const title = 'IAM OIDC provider'

  async function get(): Promise<Live> {
    const { GetOpenIDConnectProviderCommand } = await import('../../aws/sdk/iam.js')
    const iam = await ports.aws.iam()
    const found: GetOpenIDConnectProviderResponse = await iam.send(
      new GetOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: wanted.arn })
    )
    return { audiences: found.ClientIDList ?? [], tags: tagsOf(found.Tags) }
  }

  async function create(step: Step): Promise<'created' | 'was there'> {
    const { CreateOpenIDConnectProviderCommand } = await import('../../aws/sdk/iam.js')
    const iam = await ports.aws.iam()
    try {
      // No thumbprint: IAM gets the certificate's itself, and trusts EKS's issuers by its own list of authorities.
      const command = new CreateOpenIDConnectProviderCommand({
        Url: wanted.issuer,
        ClientIDList: [wanted.audience],
        Tags: tagList(creationTags(wanted.tags, ports.ownership))
      })
      const inTime = async (): Promise<unknown> =>
        whenIamFollows({ title, name: wanted.arn, creation: true }, step, async () => iam.send(command))
      await whenIssuerAnswers(inTime, step)
      return 'created'
    } catch (error) {
      if (isAlreadyExists(error)) return wasRepeated(error) ? 'created' : 'was there'
      throw awsProblem(title, `could not be created for ${wanted.issuer}`, error)
    }
  }

  /**
   * IAM asks the issuer for its certificate, and may not reach it at once: OpenIdIdpCommunicationErrorException
   * (@aws-sdk/client-iam, CreateOpenIDConnectProvider). Three tries, seconds apart.
   */
  async function whenIssuerAnswers(write: () => Promise<unknown>, step: Step, tries = 3): Promise<void> {
    try {
      await write()
    } catch (error) {
      if (tries === 1 || codeOf(error)?.startsWith('OpenIdIdpCommunication') !== true) throw error
      step.waiting(`IAM to reach ${wanted.issuer}`)
      await step.pause(3_000)
      step.waiting(undefined)
      await whenIssuerAnswers(write, step, tries - 1)
    }
  }

  async function addAudience(step: Step): Promise<void> {
    const { AddClientIDToOpenIDConnectProviderCommand } = await import('../../aws/sdk/iam.js')
    const iam = await ports.aws.iam()
    await whenIamFollows({ title, name: wanted.arn }, step, async () =>
      iam.send(
        new AddClientIDToOpenIDConnectProviderCommand({
          OpenIDConnectProviderArn: wanted.arn,
          ClientID: wanted.audience
        })
      )
    ).catch((error: unknown) => {
      throw awsProblem(title, `audience ${wanted.audience} could not be added`, error)
    })
  }

  return resource<OidcProviderWanted, Live>(
    {
      id: idOf.oidcProvider,
      layer: 'iam',
      title,
      dependsOn: [],
      wanted,
      read: async () => liveOf(title, get),
      compare: (want, live): readonly Difference[] =>
        live.audiences.includes(want.audience)
          ? []
          : [
              {
                path: 'audiences',
                wanted: want.audience,
                live: live.audiences,
                reason: `the provider lacks the audience ${want.audience}, so no service account can assume a role`,
                severity: 'breaks scaling'
              }
            ],
      absent: (want) => [missing(`IAM OIDC provider for ${want.issuer}`, want.arn)],
      apply: async (live, _differences, step) => {
        if (live.state === 'absent' && (await create(step)) === 'created') {
          step.changed(`created IAM OIDC provider ${wanted.arn} with audience ${wanted.audience}`)
        } else {
          const now =
            live.state === 'present'
              ? live.value
              : await whenIamFollows({ title, name: wanted.arn }, step, get)
          if (!now.audiences.includes(wanted.audience)) {
            await addAudience(step)
            step.changed(`added audience ${wanted.audience} to IAM OIDC provider ${wanted.arn}`)
          }
        }
        await poll(
          step,
          untilShown(
            `IAM OIDC provider ${wanted.arn} to be visible`,
            title,
            `${wanted.arn} does not show two minutes after it was written`
          ),
          async () => {
            try {
              return (await get()).audiences.includes(wanted.audience) ? true : undefined
            } catch (error) {
              if (isNotFound(error)) return undefined
              throw awsProblem(title, 'could not be read back', error)
            }
          }
        )
      },
      sign: { by: 'mark', mark: ({ tags }) => ownerByTags({ tags }, wanted.clusterName), shared: true },
      remove: async (_live, step): Promise<Removal> => {
        if (ports.removable !== true) {
          const reason =
            'other service accounts may have come to use it; it goes when asked for (`remove-oidc-provider: true`)'
          return { outcome: 'kept', reason }
        }
        const { DeleteOpenIDConnectProviderCommand } = await import('../../aws/sdk/iam.js')
        const iam = await ports.aws.iam()
        const command = new DeleteOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: wanted.arn })
        await whenIamFollows({ title, name: wanted.arn, removal: true }, step, async () =>
          iam.send(command)
        ).catch((error: unknown) => {
          if (!isNotFound(error)) throw awsProblem(title, 'could not be deleted', error)
        })
        step.changed(`deleted IAM OIDC provider ${wanted.arn}`)
        return { outcome: 'removed' }
      }
    },
    // That of another issuer is another provider.
    (value): value is OidcProviderWanted => isWanted(value) && value.arn === wanted.arn
  )
}

function isWanted(value: unknown): value is OidcProviderWanted {
  return isMap(value) && typeof value['arn'] === 'string' && typeof value['audience'] === 'string'
}
