import { EKSClient } from '@aws-sdk/client-eks'
import { IAMClient } from '@aws-sdk/client-iam'
import { STSClient } from '@aws-sdk/client-sts'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { exportJWK, generateKeyPair, type JSONWebKeySet, SignJWT } from 'jose'
import type { Cloud } from '../../../sandbox/cloud/index.js'
import type { Credentials } from '../../../sandbox/cloud/credentials/store.js'

export const accountId = '111122223333'
export const region = 'us-west-2'

/** Trust in a role that nobody assumes: credentials for it are minted. */
export const nobodyTrusted = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: 'ec2.amazonaws.com' } }]
}

/** A policy that allows one action. */
export function allow(Action: string, Resource = '*', Condition?: object) {
  return {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action, Resource, ...(Condition !== undefined && { Condition }) }]
  }
}

/** Settings of a client: one try, so that an error is the first answer. */
export function settings(cloud: Cloud, credentials: Credentials) {
  return {
    endpoint: cloud.url,
    region,
    credentials,
    maxAttempts: 1,
    requestHandler: new NodeHttpHandler({ connectionTimeout: 2000 })
  }
}

export function administrator(cloud: Cloud): Credentials {
  const role = cloud.iam.putRole({
    name: 'administrator',
    trust: nobodyTrusted,
    attached: [`arn:${cloud.iam.home.partition}:iam::aws:policy/AdministratorAccess`]
  })
  return cloud.credentialsFor(role.arn, 900)
}

export function iamClient(cloud: Cloud, credentials: Credentials): IAMClient {
  return new IAMClient(settings(cloud, credentials))
}

export function stsClient(cloud: Cloud, credentials: Credentials): STSClient {
  return new STSClient(settings(cloud, credentials))
}

export function eksClient(cloud: Cloud, credentials: Credentials): EKSClient {
  return new EKSClient(settings(cloud, credentials))
}

/** The error's name and message, or `no error`. */
export async function refusalOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'no error',
    (error: unknown) => (error instanceof Error ? `${error.name}: ${error.message}` : String(error))
  )
}

export interface Issuer {
  readonly url: string
  readonly keys: () => Promise<JSONWebKeySet>
  /** Seconds from now to the token's end; negative for one that has ended. */
  token(claims: { readonly sub: string; readonly aud: string | string[] }, seconds?: number): Promise<string>
}

export async function issuer(url: string): Promise<Issuer> {
  const { publicKey, privateKey } = await generateKeyPair('RS256')
  const jwk = { ...(await exportJWK(publicKey)), kid: 'one', alg: 'RS256', use: 'sig' }
  return {
    url,
    keys: async () => ({ keys: [jwk] }),
    token: (claims, seconds = 600) => {
      const now = Math.floor(Date.now() / 1000)
      return new SignJWT({ sub: claims.sub, aud: claims.aud })
        .setProtectedHeader({ alg: 'RS256', kid: 'one' })
        .setIssuer(url)
        .setIssuedAt(now - 1000)
        .setExpirationTime(now + seconds)
        .sign(privateKey)
    }
  }
}
