import {
  DeleteOpenIDConnectProviderCommand,
  RemoveClientIDFromOpenIDConnectProviderCommand
} from '@aws-sdk/client-iam'
import { dump, load } from 'js-yaml'
import { list, record } from '../../sandbox/values.js'
import { dataOf, get, paths } from '../scenario.js'
import { account, inStatement, kubectlEdit, type AnotherHand } from '../another-hand.js'
import type { Drift, Expected } from './drift.js'

const providerArn = ({ sandbox, cluster }: AnotherHand): string =>
  `arn:aws:iam::${account}:oidc-provider/${sandbox.cloud.eks.cluster(cluster).issuer.replace('https://', '')}`

/** The lines of aws-auth as somebody saves them who edits it. */
async function editMapRoles(
  hand: AnotherHand,
  edit: (lines: readonly Readonly<Record<string, unknown>>[]) => readonly unknown[]
): Promise<void> {
  const { mapRoles = '' } = dataOf(await get(hand.sandbox, paths.awsAuth))
  const lines = list(load(mapRoles)).map(record)
  await hand.edit(paths.awsAuth, { data: { mapRoles: dump(edit(lines)) } })
}

const isOfKarpenter = ({ rolearn }: Readonly<Record<string, unknown>>): boolean =>
  String(rolearn).includes('KarpenterNodeRole')

const trust = (severity: Expected['severity']): Drift['finds'] => {
  return () => [{ id: 'controller-role', path: 'trust', severity }]
}

const line: Drift['finds'] = () => [
  { id: 'node-access', path: 'mapRoles', severity: 'breaks scaling', by: kubectlEdit }
]

/** Of IRSA, aws-auth and the one policy that the controller had up to 1.8. */
export const guideDrifts: readonly Drift[] = [
  {
    name: "the audience is taken out of the cluster's OIDC provider",
    plant: async (hand) =>
      hand.iam.send(
        new RemoveClientIDFromOpenIDConnectProviderCommand({
          OpenIDConnectProviderArn: providerArn(hand),
          ClientID: 'sts.amazonaws.com'
        })
      ),
    finds: () => [{ id: 'oidc-provider', path: 'audiences', severity: 'breaks scaling' }]
  },
  {
    name: "the cluster's OIDC provider is deleted",
    hides: true,
    plant: async (hand) =>
      hand.iam.send(new DeleteOpenIDConnectProviderCommand({ OpenIDConnectProviderArn: providerArn(hand) })),
    finds: () => [{ id: 'oidc-provider', path: '', severity: 'breaks scaling' }]
  },
  {
    name: "the controller's role trusts another service account",
    hides: true,
    plant: async (hand) =>
      hand.editTrust(`${hand.cluster}-karpenter`, (statements) =>
        statements.map((one) => reworded(one, 'StringEquals', 'system:serviceaccount:default:default'))
      ),
    finds: trust('breaks scaling')
  },
  {
    name: "the controller's role trusts every service account of the cluster as well",
    plant: async (hand) =>
      hand.editTrust(`${hand.cluster}-karpenter`, (statements) => [
        ...statements,
        ...statements.map((one) => reworded(one, 'StringLike', 'system:serviceaccount:*:*'))
      ]),
    finds: trust('weakens security')
  },
  {
    name: "the nodes' role trusts another service",
    plant: async (hand) =>
      hand.editTrust(`KarpenterNodeRole-${hand.cluster}`, (statements) => [
        ...statements,
        {
          Sid: 'Lambda',
          Effect: 'Allow',
          Principal: { Service: 'lambda.amazonaws.com' },
          Action: 'sts:AssumeRole'
        }
      ]),
    finds: ({ cluster }) => [
      { id: `role/KarpenterNodeRole-${cluster}`, path: 'trust.Lambda', severity: 'weakens security' }
    ]
  },
  {
    name: 'the one policy of the controller may do more',
    plant: async (hand) =>
      hand.editPolicy(
        `KarpenterControllerPolicy-${hand.cluster}`,
        inStatement('AllowPricingReadActions', (one) => ({ ...one, Action: '*' }))
      ),
    finds: ({ cluster }) => [
      {
        id: `policy/KarpenterControllerPolicy-${cluster}`,
        path: 'AllowPricingReadActions',
        severity: 'weakens security'
      }
    ]
  },
  {
    name: "the nodes' line is taken out of aws-auth",
    hides: true,
    plant: async (hand) => editMapRoles(hand, (lines) => lines.filter((one) => !isOfKarpenter(one))),
    finds: line
  },
  {
    name: "the nodes' line in aws-auth has other groups",
    plant: async (hand) =>
      editMapRoles(hand, (lines) =>
        lines.map((one) => (isOfKarpenter(one) ? { ...one, groups: ['system:nodes'] } : one))
      ),
    finds: line
  },
  {
    name: "the nodes' line in aws-auth has the masters' group besides",
    plant: async (hand) =>
      editMapRoles(hand, (lines) =>
        lines.map((one) =>
          isOfKarpenter(one) ? { ...one, groups: [...list(one['groups']), 'system:masters'] } : one
        )
      ),
    finds: () => [
      {
        id: 'node-access',
        path: 'mapRoles.groups.system:masters',
        severity: 'weakens security',
        by: kubectlEdit
      }
    ]
  }
]

/** A trust statement for a service account with another one, compared in another way. */
function reworded(
  statement: Readonly<Record<string, unknown>>,
  operator: 'StringEquals' | 'StringLike',
  subject: string
): Readonly<Record<string, unknown>> {
  const issuer = Object.keys(record(record(statement['Condition'])['StringEquals']))[0]?.split(':aud')[0]
  const key = (issuer ?? '').replace(/:sub$/, '')
  return {
    ...statement,
    Condition: {
      StringEquals: { [`${key}:aud`]: 'sts.amazonaws.com' },
      ...(operator === 'StringLike'
        ? { StringLike: { [`${key}:sub`]: subject } }
        : { StringEquals: { [`${key}:aud`]: 'sts.amazonaws.com', [`${key}:sub`]: subject } })
    }
  }
}
