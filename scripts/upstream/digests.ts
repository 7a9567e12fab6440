import { createHash } from 'node:crypto'
import { canonicalPolicy } from '../../src/aws/policy/document.js'
import { canonical, isMap } from '../../src/engine/json.js'
import { renderTemplate } from '../../src/karpenter/rendered-stack.js'

/** Where the three partitions of AWS differ in what a template comes to. */
export const partitions = {
  aws: { id: '111122223333', partition: 'aws', region: 'eu-west-1', urlSuffix: 'amazonaws.com' },
  'aws-cn': { id: '111122223333', partition: 'aws-cn', region: 'cn-north-1', urlSuffix: 'amazonaws.com.cn' },
  'aws-us-gov': {
    id: '111122223333',
    partition: 'aws-us-gov',
    region: 'us-gov-west-1',
    urlSuffix: 'amazonaws.com'
  }
} as const

export type Partition = keyof typeof partitions

/** Part of a template to its digest: `NodeLifecyclePolicy`, `NodeLifecyclePolicy/AllowScopedDeletion`, `KarpenterNodeRole`. */
export type Digests = Readonly<Record<string, string>>

/**
 * Digests of what a template comes to for the cluster blue: of each resource by its type, name and properties, of each
 * policy as a whole and of each of its statements, in a form in which order and upper case do not count.
 */
export function digestsOf(template: string, partition: Partition): Digests {
  const stack = renderTemplate(template, {
    clusterName: 'blue',
    stackName: 'Karpenter-blue',
    account: partitions[partition]
  })
  const parts = stack.resources.map(({ logicalId, type, name, properties }): readonly [string, string] => {
    const { PolicyDocument: document, ...others } = properties
    const isPolicy = type === 'AWS::IAM::ManagedPolicy'
    return [logicalId, canonical({ type, name, properties: isPolicy ? others : { ...others, document } })]
  })
  const statements = stack.policies.flatMap(({ logicalId, document }): readonly [string, string][] =>
    (Array.isArray(document['Statement']) ? document['Statement'] : []).map((statement: unknown) => [
      `${logicalId}/${isMap(statement) ? String(statement['Sid']) : ''}`,
      canonicalPolicy({ Version: document['Version'], Statement: [statement] })
    ])
  )
  return Object.fromEntries([...parts, ...statements].map(([part, text]) => [part, digest(text)]))
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}
