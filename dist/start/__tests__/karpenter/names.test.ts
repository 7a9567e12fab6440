import { checkNames } from '../../src/karpenter/names.js'
import { renderTemplate, type StackSettings } from '../../src/karpenter/rendered-stack.js'
import { builtInTemplateText } from '../../src/karpenter/template-built-in.js'
import type { Manifest } from '../../src/kubernetes/manifest.js'

const regions = {
  'us-west-2': { partition: 'aws', urlSuffix: 'amazonaws.com' },
  'ap-southeast-1': { partition: 'aws', urlSuffix: 'amazonaws.com' },
  'cn-northwest-1': { partition: 'aws-cn', urlSuffix: 'amazonaws.com.cn' },
  'us-gov-west-1': { partition: 'aws-us-gov', urlSuffix: 'amazonaws.com' }
} as const

const problemsOf = (
  karpenterVersion: string,
  clusterName: string,
  region: keyof typeof regions = 'us-west-2',
  names: { controllerRoleName?: string; stackName?: string } = {},
  nodeClasses: readonly Manifest[] = []
): readonly string[] => {
  const account: StackSettings['account'] = { id: '111122223333', region, ...regions[region] }
  const stackName = names.stackName ?? `Karpenter-${clusterName}`
  const stack = renderTemplate(builtInTemplateText(karpenterVersion), { clusterName, stackName, account })
  return checkNames({
    clusterName,
    controllerRoleName: names.controllerRoleName ?? 'controller',
    stackName,
    karpenterVersion,
    stack,
    nodeClasses
  }).map(({ input, problem }) => `${input}: ${problem}`)
}
const name = (length: number): string => 'c'.repeat(length)

test('role and instance profile of an EC2NodeClass are names, not ARNs, and not too long', () => {
  const nodeClass = (name: string, spec: Readonly<Record<string, string>>): Manifest => ({
    apiVersion: 'karpenter.k8s.aws/v1',
    kind: 'EC2NodeClass',
    metadata: { name },
    spec
  })
  expect(
    problemsOf('1.14.1', 'blue', 'us-west-2', {}, [
      nodeClass('right', { role: 'KarpenterNodeRole-blue' }),
      nodeClass('arn', { role: 'arn:aws:iam::111122223333:role/nodes' }),
      nodeClass('long', { instanceProfile: 'p'.repeat(129) })
    ])
  ).toEqual([
    expect.stringMatching(/^node-pools: EC2NodeClass arn: spec\.role "arn:.*" is no name for an IAM role/),
    expect.stringMatching(
      /^node-pools: EC2NodeClass long: spec\.instanceProfile "p+" has 129 characters, and an instance profile may have 128$/
    )
  ])
})

// Upstream's own text of 1.2.1 is four characters longer, and takes a name one shorter in two of these regions.
describe('the size of policies', () => {
  it.each([
    ['1.2.1', 'us-west-2', 50],
    ['1.2.1', 'ap-southeast-1', 42],
    ['1.2.1', 'cn-northwest-1', 37],
    ['1.2.1', 'us-gov-west-1', 32],
    ['1.8.6', 'us-west-2', 35],
    ['1.8.6', 'ap-southeast-1', 26],
    ['1.8.6', 'cn-northwest-1', 21],
    ['1.8.6', 'us-gov-west-1', 16]
  ] as const)(
    'of %s in %s allows a cluster name of %i characters and no more',
    (version, region, longest) => {
      const large = (length: number): readonly string[] =>
        problemsOf(version, name(length), region).filter((problem) => problem.includes('IAM takes 6144'))
      expect(large(longest)).toEqual([])
      expect(large(longest + 1)).toEqual([
        expect.stringMatching(
          new RegExp(`^cluster-name: policy .* and ${longest} characters is the longest name`)
        )
      ])
    }
  )

  it.each(['us-west-2', 'us-gov-west-1'] as const)('of 1.9.0 allows any cluster name in %s', (region) => {
    expect(problemsOf('1.9.0', name(100), region).filter((problem) => problem.includes('IAM takes'))).toEqual(
      []
    )
  })
})

describe('names', () => {
  it('are all right for a usual cluster', () => {
    expect(problemsOf('1.14.1', 'blue')).toEqual([])
  })

  it('of roles are at most 64 characters', () => {
    expect(problemsOf('1.14.1', name(46))).toEqual([])
    expect(problemsOf('1.14.1', name(47))).toEqual([
      expect.stringMatching(/^node-role-name: .* has 65 characters/)
    ])
    expect(problemsOf('1.14.1', 'blue', 'us-west-2', { controllerRoleName: name(65) })).toEqual([
      expect.stringMatching(/^controller-role-name: .*an IAM role may have 64/)
    ])
  })

  it('of queues are at most 80 characters', () => {
    expect(problemsOf('1.14.1', name(81))).toContainEqual(expect.stringContaining('an SQS queue may have 80'))
  })

  it('of stacks have no underscore', () => {
    expect(problemsOf('1.14.1', 'blue', 'us-west-2', { stackName: 'Karpenter-a_b' })).toEqual([
      expect.stringMatching(/^stack-name: "Karpenter-a_b" is no name for a CloudFormation stack/)
    ])
  })
})
