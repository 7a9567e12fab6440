import { TagRoleCommand } from '@aws-sdk/client-iam'
import { CreateTagsCommand } from '@aws-sdk/client-ec2'
import { list, record } from '../../sandbox/values.js'
import { dataOf, find, paths } from '../scenario.js'
import { account, type AnotherHand } from '../another-hand.js'

const deployment = `${paths.deployments}/karpenter`
const serviceAccount = '/api/v1/namespaces/karpenter/serviceaccounts/karpenter'

/** What happens on every cluster and is no drift. */
export const noise: readonly ((hand: AnotherHand) => Promise<unknown>)[] = [
  // A mutating webhook's work is whoever's write it changed.
  async (hand) =>
    hand.merge(
      deployment,
      { spec: { template: { spec: { containers: [{ name: 'proxy', image: 'envoy', env: [] }] } } } },
      'helm'
    ),
  // Of an HorizontalPodAutoscaler.
  async (hand) => hand.edit(`${deployment}/scale`, { spec: { replicas: 1 } }, 'kube-controller-manager'),
  async (hand) =>
    hand.edit(
      deployment,
      {
        spec: {
          template: {
            metadata: { annotations: { 'kubectl.kubernetes.io/restartedAt': '2026-11-24T10:00:00Z' } }
          }
        }
      },
      'kubectl-rollout'
    ),
  async (hand) =>
    hand.edit(deployment, { metadata: { labels: { 'backup.example.com/plan': 'daily' } } }, 'backup'),
  async (hand) => hand.edit(serviceAccount, { imagePullSecrets: [{ name: 'registry' }] }, 'pull-secrets'),
  async (hand) =>
    hand.edit(`${paths.nodePools}/default`, { metadata: { annotations: { team: 'platform' } } }),
  async (hand) => hand.edit('/api/v1/namespaces/karpenter', { metadata: { labels: { team: 'platform' } } }),
  // The same quantities and durations in other words.
  async (hand) =>
    hand.edit(`${paths.nodePools}/default`, {
      spec: { limits: { cpu: '1000000m', memory: '1048576000Ki' } }
    }),
  async (hand) =>
    hand.ec2.send(
      new CreateTagsCommand({
        Resources: [hand.subnet, hand.securityGroup],
        Tags: [{ Key: 'kubernetes.io/role/internal-elb', Value: '1' }]
      })
    ),
  async (hand) =>
    hand.iam.send(
      new TagRoleCommand({
        RoleName: `${hand.cluster}-karpenter`,
        Tags: [{ Key: 'cost-centre', Value: '42' }]
      })
    ),
  rewordedPolicies,
  rewordedTrust,
  otherLines
]

/** Every policy of the controller as another tool would write it. */
async function rewordedPolicies(hand: AnotherHand): Promise<void> {
  const names = hand.sandbox.cloud.iam.policies
    .values()
    .filter(({ name }) => name.startsWith('KarpenterController'))
    .map(({ name }) => name)
  for (const name of names) {
    await hand.editPolicy(name, (statements) => statements.map(reworded).toReversed())
  }
}

async function rewordedTrust(hand: AnotherHand): Promise<void> {
  for (const name of [`${hand.cluster}-karpenter`, `KarpenterNodeRole-${hand.cluster}`]) {
    await hand.editTrust(name, (statements) => statements.map(reworded))
  }
}

/** Keys and lists in the opposite order, one-element lists as scalars and scalars as lists. */
function reworded(statement: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(statement)
      .toReversed()
      .map(([key, value]) => [key, ['Action', 'Resource'].includes(key) ? otherList(value) : value])
  )
}

function otherList(value: unknown): unknown {
  const values = list(value)
  if (!Array.isArray(value)) return [value]
  return values.length === 1 ? values[0] : values.toReversed()
}

/** Lines for others in aws-auth, where there is one. */
async function otherLines(hand: AnotherHand): Promise<void> {
  const awsAuth = await find(hand.sandbox, paths.awsAuth)
  if (awsAuth === undefined) return
  const { mapRoles = '' } = dataOf(record(awsAuth))
  const mapUsers = `- userarn: arn:aws:iam::${account}:user/ops\n  username: ops\n  groups: ['system:masters']\n`
  await hand.edit(paths.awsAuth, {
    data: {
      mapRoles: `# by hand\n${mapRoles}- rolearn: arn:aws:iam::${account}:role/ops\n  username: ops\n  groups: [ops]\n`,
      mapUsers
    }
  })
}
