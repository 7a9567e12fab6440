import type { Aws } from '../../aws/clients.js'
import { accessDenied, awsProblem, isNotFound } from '../../aws/errors.js'
import { readManagedPolicy } from '../../aws/managed-policy.js'
import { isMap, type JsonMap } from '../../engine/json.js'
import type { Kubernetes } from '../../kubernetes/client.js'
import { conditionOf } from '../../kubernetes/conditions.js'
import { pods } from '../../kubernetes/kinds.js'

/** sqs:GetQueueUrl; undefined when this account has no queue of that name in this region. */
export function queueUrl(aws: Aws): (name: string) => Promise<string | undefined> {
  return async (name) => {
    const { GetQueueUrlCommand } = await import('../../aws/sdk/sqs.js')
    const sqs = await aws.sqs()
    try {
      return (await sqs.send(new GetQueueUrlCommand({ QueueName: name }))).QueueUrl
    } catch (error) {
      if (isNotFound(error)) return undefined
      throw awsProblem('interruption-queue', `${name} could not be read`, error)
    }
  }
}

/** Public parameters of SSM that are there, of at most ten; `denied` when the caller may not read them. */
export function publishedParameters(
  aws: Aws
): (names: readonly string[]) => Promise<readonly string[] | 'denied'> {
  return async (names) => {
    const { GetParametersCommand } = await import('../../aws/sdk/ssm.js')
    const ssm = await aws.ssm()
    try {
      const { Parameters = [] } = await ssm.send(new GetParametersCommand({ Names: [...names] }))
      return Parameters.flatMap(({ Name }) => Name ?? [])
    } catch (error) {
      if (accessDenied(error) !== undefined) return 'denied'
      throw awsProblem('node-pools', 'SSM parameters of images could not be read', error)
    }
  }
}

/** Nodes on which a pod of the Pod Identity agent is Ready. */
export function podIdentityAgentNodes(kubernetes: Kubernetes): () => Promise<readonly string[]> {
  return async () => {
    const labelSelector = 'app.kubernetes.io/name=eks-pod-identity-agent'
    const of = { namespace: 'kube-system', labelSelector }
    const { items } = await kubernetes.pick(
      pods,
      (pod) => (conditionOf(pod, 'Ready')?.status === 'True' ? pod.spec?.nodeName : undefined),
      of
    )
    return items.filter((name) => name !== undefined)
  }
}

/** Documents in force of managed policies; those that are gone are left out. */
export function policyDocuments(aws: Aws): (arns: readonly string[]) => Promise<readonly JsonMap[]> {
  return async (arns) => {
    const documents = await Promise.all(
      arns.map(async (arn): Promise<unknown> => {
        try {
          return JSON.parse((await readManagedPolicy(aws, arn)).document ?? '{}')
        } catch (error) {
          if (isNotFound(error)) return undefined
          throw awsProblem('adopt', `policy ${arn} could not be read`, error)
        }
      })
    )
    return documents.filter(isMap)
  }
}
