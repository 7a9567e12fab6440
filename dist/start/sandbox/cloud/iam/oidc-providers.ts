import { tagList, text, texts } from '../input.js'
import { type Context, type Operations, requestTags, resourceTags } from '../operations.js'
import { iamArn } from '../partition.js'
import { AwsError, type AwsCall } from '../service.js'
import { checkTags, mergedTags, withoutTags } from './names.js'
import { page } from './pages.js'
import type { IamState, OidcProvider } from './state.js'

const mostAudiences = 100

/** OpenID Connect providers: which issuers, and which of their audiences, the account trusts. */
export function oidcProviderOperations(state: IamState): Operations {
  const onProvider = (action: string, context?: (call: AwsCall) => Context) => (call: AwsCall) => {
    const arn = text(call.input, 'OpenIDConnectProviderArn')
    const tags = state.oidcProviders.get(arn)?.tags ?? []
    return [
      {
        action: `iam:${action}`,
        resource: arn,
        context: { ...resourceTags('iam', tags), ...context?.(call) }
      }
    ]
  }
  const provider = (call: AwsCall) => state.oidcProvider(text(call.input, 'OpenIDConnectProviderArn'))
  const replace = (changed: OidcProvider) => {
    state.oidcProviders.set(changed.arn, changed)
    return {}
  }
  return {
    ListOpenIDConnectProviders: {
      questions: () => [
        { action: 'iam:ListOpenIDConnectProviders', resource: iamArn(state.home, 'oidc-provider/*') }
      ],
      answer: () => ({
        OpenIDConnectProviderList: state.oidcProviders.values().map(({ arn }) => ({ Arn: arn }))
      })
    },
    GetOpenIDConnectProvider: {
      questions: onProvider('GetOpenIDConnectProvider'),
      answer: (call) => {
        const { url, clientIds, thumbprints, createdAt, tags } = provider(call)
        return {
          Url: url,
          ClientIDList: clientIds,
          ThumbprintList: thumbprints,
          CreateDate: createdAt,
          Tags: tags
        }
      }
    },
    CreateOpenIDConnectProvider: {
      questions: ({ input }) => {
        const tags = tagList(input)
        const resource = iamArn(state.home, `oidc-provider/${nameOf(text(input, 'Url'))}`)
        const create = { action: 'iam:CreateOpenIDConnectProvider', resource, context: requestTags(tags) }
        return tags.length === 0 ? [create] : [create, { ...create, action: 'iam:TagOpenIDConnectProvider' }]
      },
      answer: ({ input }) => {
        const made = createProvider(state, input)
        state.oidcProviders.set(made.arn, made)
        return { OpenIDConnectProviderArn: made.arn, Tags: made.tags }
      }
    },
    DeleteOpenIDConnectProvider: {
      questions: onProvider('DeleteOpenIDConnectProvider'),
      answer: (call) => {
        state.oidcProviders.delete(provider(call).arn)
        return {}
      }
    },
    AddClientIDToOpenIDConnectProvider: {
      questions: onProvider('AddClientIDToOpenIDConnectProvider'),
      answer: (call) => {
        const found = provider(call)
        const clientIds = [...new Set([...found.clientIds, text(call.input, 'ClientID')])]
        checkAudiences(clientIds)
        return replace({ ...found, clientIds })
      }
    },
    RemoveClientIDFromOpenIDConnectProvider: {
      questions: onProvider('RemoveClientIDFromOpenIDConnectProvider'),
      answer: (call) => {
        const found = provider(call)
        const gone = text(call.input, 'ClientID')
        return replace({ ...found, clientIds: found.clientIds.filter((item) => item !== gone) })
      }
    },
    UpdateOpenIDConnectProviderThumbprint: {
      questions: onProvider('UpdateOpenIDConnectProviderThumbprint'),
      answer: (call) =>
        replace({ ...provider(call), thumbprints: checkThumbprints(texts(call.input, 'ThumbprintList')) })
    },
    TagOpenIDConnectProvider: {
      questions: onProvider('TagOpenIDConnectProvider', ({ input }) => requestTags(tagList(input))),
      answer: (call) => {
        const found = provider(call)
        return replace({ ...found, tags: mergedTags(found.tags, tagList(call.input)) })
      }
    },
    UntagOpenIDConnectProvider: {
      questions: onProvider('UntagOpenIDConnectProvider', ({ input }) => ({
        'aws:TagKeys': texts(input, 'TagKeys')
      })),
      answer: (call) => {
        const found = provider(call)
        return replace({ ...found, tags: withoutTags(found.tags, texts(call.input, 'TagKeys')) })
      }
    },
    ListOpenIDConnectProviderTags: {
      questions: onProvider('ListOpenIDConnectProviderTags'),
      answer: (call) => page(call.input, 'Tags', provider(call).tags)
    }
  }
}

function createProvider(state: IamState, input: AwsCall['input']): OidcProvider {
  const url = text(input, 'Url')
  if (!url.startsWith('https://') || !URL.canParse(url) || new URL(url).search !== '') {
    throw new AwsError('ValidationError', 'Invalid Open ID Connect Provider URL')
  }
  const bare = nameOf(url)
  const arn = iamArn(state.home, `oidc-provider/${bare}`)
  const clientIds = [...new Set(texts(input, 'ClientIDList'))]
  checkAudiences(clientIds)
  const thumbprints = checkThumbprints(texts(input, 'ThumbprintList'))
  const tags = checkTags(tagList(input))
  if (state.oidcProviders.has(arn)) {
    throw new AwsError('EntityAlreadyExists', `Provider with url ${url} already exists.`, 409)
  }
  return { arn, url: bare, clientIds, thumbprints, createdAt: new Date(state.now()), tags }
}

/**
 * What a provider is called by its URL. HTTPS's own port is no part of it: eksctl makes providers with `:443` in the URL
 * and finds them by host and path (eksctl, pkg/iam/oidc/api.go).
 */
function nameOf(url: string): string {
  return url
    .replace(/^https:\/\//, '')
    .replace(/^([^/]*):443(?=\/|$)/, '$1')
    .replace(/\/$/, '')
}

function checkAudiences(clientIds: readonly string[]): void {
  if (clientIds.length > mostAudiences) {
    throw new AwsError(
      'LimitExceeded',
      `Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: ${mostAudiences}`,
      409
    )
  }
}

function checkThumbprints(thumbprints: readonly string[]): readonly string[] {
  const wrong = thumbprints.find((thumbprint) => !/^[0-9a-fA-F]{40}$/.test(thumbprint))
  if (wrong !== undefined)
    throw new AwsError('ValidationError', `Thumbprint ${wrong} is not 40 hexadecimal digits.`)
  if (thumbprints.length > 5)
    throw new AwsError('InvalidInput', 'Thumbprint list must contain fewer than 5 entries.')
  return thumbprints
}
