import { CreateTagsCommand } from '@aws-sdk/client-ec2'
import { CreateAddonCommand, DescribeAddonCommand } from '@aws-sdk/client-eks'
import { CreateOpenIDConnectProviderCommand } from '@aws-sdk/client-iam'
import { dump, load } from 'js-yaml'
import { list } from '../../sandbox/values.js'
import type { AnotherHand } from '../another-hand.js'
import { dataOf, find, paths, until } from '../scenario.js'

const eksctlVersion = '0.231.0'

/** Tags that eksctl puts on each of its stacks: its own, and those of the ClusterConfig's metadata. */
export function stackTags(cluster: string, own: Readonly<Record<string, string>>): Record<string, string> {
  return {
    'alpha.eksctl.io/cluster-name': cluster,
    'eksctl.cluster.k8s.io/v1alpha1/cluster-name': cluster,
    'alpha.eksctl.io/eksctl-version': eksctlVersion,
    'karpenter.sh/discovery': cluster,
    ...own
  }
}

/** What the ClusterConfig's tag karpenter.sh/discovery comes to: on all subnets and on the cluster's security group. */
export async function tagForDiscovery(hand: AnotherHand): Promise<void> {
  const { vpc } = hand.sandbox
  await tag(
    hand,
    [...vpc.subnets.map(({ id }) => id), vpc.clusterSecurityGroupId],
    'karpenter.sh/discovery',
    hand.cluster
  )
}

export async function tag(
  hand: AnotherHand,
  ids: readonly string[],
  key: string,
  value: string
): Promise<void> {
  await hand.ec2.send(new CreateTagsCommand({ Resources: [...ids], Tags: [{ Key: key, Value: value }] }))
}

/** `iam.withOIDC: true`. Answers the provider's ARN. */
export async function createOidcProvider(hand: AnotherHand): Promise<string> {
  const { issuer } = hand.sandbox.cloud.eks.cluster(hand.cluster)
  const { OpenIDConnectProviderArn = '' } = await hand.iam.send(
    new CreateOpenIDConnectProviderCommand({
      Url: issuer,
      ClientIDList: ['sts.amazonaws.com'],
      ThumbprintList: ['9e99a48a9960b14926bb7f3b02e22da2b0ab7280'],
      Tags: Object.entries({
        'alpha.eksctl.io/cluster-name': hand.cluster,
        'alpha.eksctl.io/eksctl-version': eksctlVersion,
        'karpenter.sh/discovery': hand.cluster
      }).map(([Key, Value]) => ({ Key, Value }))
    })
  )
  return OpenIDConnectProviderArn
}

/** The add-on eks-pod-identity-agent; resolves when it is ACTIVE. */
export async function addPodIdentityAgent(
  hand: AnotherHand,
  tags: Record<string, string> = {}
): Promise<void> {
  const addon = { clusterName: hand.cluster, addonName: 'eks-pod-identity-agent' }
  await hand.eks.send(new CreateAddonCommand({ ...addon, tags }))
  await until('the Pod Identity agent', async () => {
    const { addon: found } = await hand.eks.send(new DescribeAddonCommand(addon))
    return found?.status === 'ACTIVE' ? true : undefined
  })
}

/** An identity mapping for nodes: eksctl writes aws-auth anew, and makes it where it is not there. */
export async function mapNodeRole(hand: AnotherHand, rolearn: string): Promise<void> {
  const found = await find(hand.sandbox, paths.awsAuth)
  const data = found === undefined ? {} : dataOf(found)
  const mapping = {
    groups: ['system:bootstrappers', 'system:nodes'],
    rolearn,
    username: 'system:node:{{EC2PrivateDNSName}}'
  }
  const body = {
    ...found,
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: found?.['metadata'] ?? { name: 'aws-auth', namespace: 'kube-system' },
    data: { ...data, mapRoles: dump([...list(load(data['mapRoles'] ?? '[]')), mapping]) }
  }
  const collection = paths.awsAuth.slice(0, paths.awsAuth.lastIndexOf('/'))
  const { status } =
    found === undefined
      ? await hand.sandbox.kubernetes('POST', `${collection}?fieldManager=eksctl`, body)
      : await hand.sandbox.kubernetes('PUT', `${paths.awsAuth}?fieldManager=eksctl`, body)
  if (status >= 300) throw new Error(`kube-system/aws-auth: the API server answered ${status}`)
}
