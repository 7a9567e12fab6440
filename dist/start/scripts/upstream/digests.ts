import { createHash } from 'node:crypto'
import { parsePolicy } from '../../src/aws/policy/document.js'
import { canonical, isMap } from '../../src/engine/json.js'
import {
  renderTemplate,
  type RenderedResource,
  type StackSettings
} from '../../src/karpenter/rendered-stack.js'

/** Where a template is worked out: its text is one, and what it comes to is not. */
const accounts = {
  aws: { id: '111122223333', partition: 'aws', region: 'eu-west-1', urlSuffix: 'amazonaws.com' },
  'aws-cn': { id: '111122223333', partition: 'aws-cn', region: 'cn-north-1', urlSuffix: 'amazonaws.com.cn' },
  'aws-us-gov': {
    id: '111122223333',
    partition: 'aws-us-gov',
    region: 'us-gov-west-1',
    urlSuffix: 'amazonaws.com'
  }
} as const satisfies Record<string, StackSettings['account']>

export type Partition = keyof typeof accounts
export const partitions: readonly Partition[] = ['aws', 'aws-cn', 'aws-us-gov']

/**
 * One digest for each part of a template, by what it comes to in a partition: `NodeLifecyclePolicy` for the resource with its
 * type and name, and without the statements where it is a managed policy; `NodeLifecyclePolicy AllowScopedDeletion` for each of
 * those. Order and spelling that make no difference to AWS make none here.
 */
export type Digests = Readonly<Record<string, string>>

export function digestsOf(template: string, partition: Partition): Digests {
  const stack = renderTemplate(template, {
    clusterName: 'blue',
    stackName: 'Karpenter-blue',
    account: accounts[partition]
  })
  return Object.fromEntries(stack.resources.flatMap(partsOf).map(([part, value]) => [part, digest(value)]))
}

function partsOf(resource: RenderedResource): readonly (readonly [string, unknown])[] {
  const { logicalId, type, name, properties } = resource
  const { PolicyDocument: declared, ...others } = properties
  if (type !== 'AWS::IAM::ManagedPolicy') return [[logicalId, { type, name, properties }]]
  const document: unknown = typeof declared === 'string' ? JSON.parse(declared) : declared
  const { version, statements } = parsePolicy(document)
  const extra = isMap(document)
    ? Object.keys(document).filter((key) => key !== 'Version' && key !== 'Statement')
    : []
  return [
    [logicalId, { type, name, others, version, extra }],
    ...statements.map(
      ({ sid, effect, elements, conditions }, index) =>
        [`${logicalId} ${sid ?? `statement ${index + 1}`}`, { effect, elements, conditions }] as const
    )
  ]
}

function digest(value: unknown): string {
  return createHash('sha256').update(canonical(value)).digest('hex').slice(0, 20)
}

/** What a version changes in the version before it: parts that are new or other, and null for those that are gone. */
export interface DigestRow {
  readonly from: string
  /** `v1.15.0`, or what was read in its place. */
  readonly source: string
  readonly changes: Readonly<Record<string, Readonly<Record<Partition, string>> | null>>
}
