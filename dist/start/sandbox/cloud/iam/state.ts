import { History } from '../history.js'
import type { Tag } from '../input.js'
import { awsId, type Home, iamArn } from '../partition.js'
import { AwsError } from '../service.js'
import { awsManagedPolicies } from './aws-policies.js'
import type { ManagedPolicy } from './managed-policy.js'

export interface Role {
  readonly name: string
  readonly id: string
  readonly arn: string
  readonly path: string
  readonly createdAt: Date
  /** JSON text, as it was given. */
  readonly trust: string
  readonly description?: string
  /** Seconds. */
  readonly maxSessionDuration: number
  readonly tags: readonly Tag[]
  /** ARN of a managed policy. */
  readonly boundary?: string | undefined
  /** JSON text by policy name. */
  readonly inline: Readonly<Record<string, string>>
  /** ARNs of managed policies. */
  readonly attached: readonly string[]
}

export interface InstanceProfile {
  readonly name: string
  readonly id: string
  readonly arn: string
  readonly path: string
  readonly createdAt: Date
  readonly roleName?: string | undefined
  readonly tags: readonly Tag[]
}

export interface OidcProvider {
  readonly arn: string
  /** Without https://, as IAM keeps it. */
  readonly url: string
  readonly clientIds: readonly string[]
  readonly thumbprints: readonly string[]
  readonly createdAt: Date
  readonly tags: readonly Tag[]
}

/** What is asked of a role that a test puts there without asking for permission. */
export interface RoleSpec {
  readonly name: string
  readonly path?: string
  readonly trust: unknown
  /** Inline policies by name. */
  readonly inline?: Readonly<Record<string, unknown>>
  readonly attached?: readonly string[]
  readonly boundary?: string
  readonly tags?: Readonly<Record<string, string>>
  readonly maxSessionDuration?: number
}

/** Everything IAM holds for one account. Reads lag where a fault asks for it; see History. */
export class IamState {
  readonly home: Home
  readonly now: () => number
  readonly roles: History<Role>
  readonly policies: History<ManagedPolicy>
  readonly instanceProfiles: History<InstanceProfile>
  readonly oidcProviders: History<OidcProvider>

  constructor(home: Home, now: () => number) {
    this.home = home
    this.now = now
    this.roles = new History(now)
    this.policies = new History(now)
    this.instanceProfiles = new History(now)
    this.oidcProviders = new History(now)
    for (const policy of awsManagedPolicies(home)) this.policies.set(policy.arn, policy)
  }

  role(name: string): Role {
    return this.roles.get(name) ?? missing(`The role with name ${name} cannot be found.`)
  }

  roleByArn(arn: string): Role | undefined {
    return this.roles.values().find((role) => role.arn === arn)
  }

  policy(arn: string): ManagedPolicy {
    return this.policies.get(arn) ?? missing(`Policy ${arn} was not found.`)
  }

  instanceProfile(name: string): InstanceProfile {
    return this.instanceProfiles.get(name) ?? missing(`Instance Profile ${name} cannot be found.`)
  }

  oidcProvider(arn: string): OidcProvider {
    return this.oidcProviders.get(arn) ?? missing(`OpenIDConnect Provider not found for arn ${arn}`)
  }

  profilesOf(roleName: string): readonly InstanceProfile[] {
    return this.instanceProfiles.values().filter((profile) => profile.roleName === roleName)
  }

  rolesWith(policyArn: string): readonly Role[] {
    return this.roles.values().filter((role) => role.attached.includes(policyArn))
  }

  /** Puts a role there, or in the place of the one that bears its name. */
  putRole(spec: RoleSpec): Role {
    const path = spec.path ?? '/'
    const role: Role = {
      name: spec.name,
      id: awsId('AROA'),
      arn: iamArn(this.home, `role${path}${spec.name}`),
      path,
      createdAt: new Date(this.now()),
      trust: JSON.stringify(spec.trust),
      maxSessionDuration: spec.maxSessionDuration ?? 3600,
      tags: Object.entries(spec.tags ?? {}).map(([Key, Value]) => ({ Key, Value })),
      ...(spec.boundary === undefined ? {} : { boundary: spec.boundary }),
      inline: Object.fromEntries(
        Object.entries(spec.inline ?? {}).map(([name, document]) => [name, JSON.stringify(document)])
      ),
      attached: (spec.attached ?? []).map((arn) => this.policy(arn).arn)
    }
    this.roles.set(role.name, role)
    return role
  }

  /** Puts an OpenID Connect provider there. `url` begins with https://. */
  putOidcProvider(url: string, clientIds: readonly string[]): OidcProvider {
    const bare = url.replace(/^https:\/\//, '')
    const provider: OidcProvider = {
      arn: iamArn(this.home, `oidc-provider/${bare}`),
      url: bare,
      clientIds,
      thumbprints: [],
      createdAt: new Date(this.now()),
      tags: []
    }
    this.oidcProviders.set(provider.arn, provider)
    return provider
  }
}

export function missing(message: string): never {
  throw new AwsError('NoSuchEntity', message, 404)
}

export function defaultDocument(policy: ManagedPolicy): string {
  return policy.versions.find((version) => version.isDefault)?.document ?? '{}'
}
