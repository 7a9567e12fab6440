import { isMap, type JsonMap } from '../engine/json.js'
import { canonicalPolicy } from './policy/document.js'
import { policyValue, statementsOf } from './policy/statements.js'

/** Whom the controller role trusts: one service account, by the cluster's OIDC provider or by EKS Pod Identity. */
export type Trust =
  | {
      readonly kind: 'irsa'
      readonly providerArn: string
      readonly namespace: string
      readonly serviceAccount: string
    }
  | { readonly kind: 'pod-identity' }

/** The same in every partition, as EKS documents it. */
const podIdentityPrincipal = 'pods.eks.amazonaws.com'

export function trustStatement(trust: Trust): JsonMap {
  if (trust.kind === 'pod-identity') {
    return {
      Effect: 'Allow',
      Principal: { Service: podIdentityPrincipal },
      Action: ['sts:AssumeRole', 'sts:TagSession']
    }
  }
  const issuer = trust.providerArn.slice(
    trust.providerArn.indexOf('oidc-provider/') + 'oidc-provider/'.length
  )
  return {
    Effect: 'Allow',
    Principal: { Federated: trust.providerArn },
    Action: 'sts:AssumeRoleWithWebIdentity',
    Condition: {
      StringEquals: {
        [`${issuer}:aud`]: 'sts.amazonaws.com',
        [`${issuer}:sub`]: `system:serviceaccount:${trust.namespace}:${trust.serviceAccount}`
      }
    }
  }
}

export function trustDocument(statements: readonly JsonMap[]): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: statements })
}

/** A live trust policy, taken apart by the statement that is wanted. */
export interface TrustReading {
  /** The wanted statement is there, whatever its Sid. */
  readonly trusted: boolean
  /** Every other statement: for the same principal with other words, or for somebody else. */
  readonly others: readonly JsonMap[]
}

/** Throws SyntaxError for what is no policy. `document` may be URL-encoded, as IAM answers. */
export function readTrust(document: string, trust: Trust): TrustReading {
  const value = policyValue(document)
  if (!isMap(value)) throw new SyntaxError('a trust policy must be a JSON object')
  const statements = statementsOf(value)
  const same = (statement: JsonMap): boolean => sameTrust(statement, trust)
  return {
    trusted: statements.some(same),
    others: statements.filter((statement) => !same(statement))
  }
}

/** Whether a statement is the one for it, whatever its Sid. */
export function sameTrust(statement: JsonMap, trust: Trust): boolean {
  const alone = (one: JsonMap): string => {
    const rest = Object.fromEntries(Object.entries(one).filter(([element]) => element !== 'Sid'))
    return canonicalPolicy({ Version: '2012-10-17', Statement: [rest] })
  }
  return alone(statement) === alone(trustStatement(trust))
}
