import { requiredStatements } from '../../src/karpenter/required-statements.js'
import { renderTemplate, type RenderedStack } from '../../src/karpenter/rendered-stack.js'
import { builtInTemplateText } from '../../src/karpenter/template-built-in.js'
import { namesAndPolicySize } from '../../src/preflight/names-and-policy-size.js'
import { queue } from '../../src/preflight/controller/queue.js'
import { templatePolicies } from '../../src/preflight/template-policies.js'

const rendered = (version: string, edit: (text: string) => string = (text) => text): RenderedStack =>
  renderTemplate(edit(builtInTemplateText(version)), {
    clusterName: 'blue',
    stackName: 'Karpenter-blue',
    account: { id: '111122223333', partition: 'aws', region: 'eu-west-1', urlSuffix: 'amazonaws.com' }
  })

const containing = (part: string): unknown => expect.stringContaining(part)

describe('queue', () => {
  type QueueFacts = Parameters<typeof queue>[0]
  const asked: string[] = []
  const findingsOf = async (
    interruptionQueue: QueueFacts['interruptionQueue'],
    more: Partial<QueueFacts> = {}
  ): Promise<readonly { level: string; problem: string; fix: string }[]> =>
    queue({
      interruptionQueue,
      helmValues: {},
      region: 'eu-west-1',
      version: '1.14.1',
      adoptedQueue: undefined,
      stack: rendered('1.14.1'),
      queueUrl: async (name) => {
        asked.push(name)
        return name === 'there' ? 'https://sqs.eu-west-1.amazonaws.com/111122223333/there' : undefined
      },
      ...more
    })
  beforeEach(() => asked.splice(0))

  it("asks nothing for the stack's own queue, or none", async () => {
    expect(await findingsOf({ kind: 'stack' })).toEqual([])
    expect(await findingsOf({ kind: 'none' })).toEqual([])
    expect(await findingsOf({ kind: 'named', name: 'blue' })).toEqual([])
    expect(asked).toEqual([])
  })

  it('refuses a queue that is not there', async () => {
    expect(await findingsOf({ kind: 'named', name: 'gone' })).toEqual([
      expect.objectContaining({
        level: 'error',
        subject: 'interruption-queue',
        problem: 'there is no queue "gone" in eu-west-1',
        fix: containing('`interruption-queue: stack`')
      })
    ])
  })

  it.each(['arn:aws:sqs:eu-west-1:111122223333:q', 'https://sqs.eu-west-1.amazonaws.com/111122223333/q'])(
    'wants the name and not %s',
    async (name) => {
      expect(await findingsOf({ kind: 'named', name })).toEqual([
        expect.objectContaining({ level: 'error', fix: 'Pass the name alone: q.' })
      ])
      expect(asked).toEqual([])
    }
  )

  it('warns when the rules of the stack feed another queue, and no policy lets the controller read this one', async () => {
    expect(await findingsOf({ kind: 'named', name: 'there' })).toEqual([
      expect.objectContaining({
        level: 'warning',
        problem: containing('no rule of the stack leads to "there"'),
        evidence: 'they lead to blue',
        fix: containing('`interruption-queue: stack` for blue')
      }),
      expect.objectContaining({ level: 'warning', problem: containing('not "there"') })
    ])
    const wide = rendered('1.14.1', (text) =>
      text
        .replace('"${KarpenterInterruptionQueue.Arn}"', '"arn:aws:sqs:*:*:*"')
        .replace(/Arn:\n\s+Fn::GetAtt:\n\s+- KarpenterInterruptionQueue\n\s+- Arn\n/, (arn) =>
          arn.replace(/\n[^]*/, ' arn:aws:sqs:eu-west-1:111122223333:there\n')
        )
    )
    expect(await findingsOf({ kind: 'named', name: 'there' }, { stack: wide })).toEqual([])
  })

  it("warns when no rule leads to the stack's own queue", async () => {
    const stack = rendered('1.14.1')
    const without = {
      ...stack,
      resources: stack.resources.filter(({ type }) => type !== 'AWS::Events::Rule')
    }
    expect(await findingsOf({ kind: 'stack' }, { stack: without })).toEqual([
      expect.objectContaining({ level: 'warning', evidence: 'the template has no rule with a target' })
    ])
  })

  it.each([
    [{ kind: 'stack' }, 'green', 'interruption-queue: green'],
    [{ kind: 'none' }, 'blue', 'interruption-queue: stack'],
    [{ kind: 'named', name: 'blue' }, '', 'interruption-queue: none']
  ] as const)(
    'refuses another queue in helm-values than the input says: %j and "%s"',
    async (input, interruptionQueue, fix) => {
      const helmValues = { settings: { interruptionQueue } }
      expect(await findingsOf(input, { helmValues })).toEqual([
        expect.objectContaining({ level: 'error', subject: 'helm-values', fix: containing(fix) })
      ])
    }
  )

  it.each([
    [{ kind: 'stack' }, 'blue'],
    [{ kind: 'none' }, ''],
    [{ kind: 'none' }, null]
  ] as const)('takes the same queue in helm-values: %j and "%s"', async (input, interruptionQueue) => {
    expect(await findingsOf(input, { helmValues: { settings: { interruptionQueue } } })).toEqual([])
  })

  it('says so when the template makes none', async () => {
    const stack = { ...rendered('1.14.1'), queue: undefined }
    expect(await findingsOf({ kind: 'stack' }, { stack })).toEqual([
      expect.objectContaining({ level: 'error', problem: 'the template makes no queue' })
    ])
  })
})

describe('templatePolicies', () => {
  const findingsOf = async (
    version: string,
    stack: RenderedStack,
    own?: RenderedStack['policies']
  ): Promise<readonly string[]> => {
    const required = requiredStatements(version, own)
    const findings = await templatePolicies({
      version,
      required,
      stack,
      templateOrigin: 'mine.yaml',
      othersDocuments: async () => []
    })
    return findings.map(({ level, subject, problem }) => `${level} ${subject}: ${problem}`)
  }

  it("holds the stack of an untested version to that version's own template", async () => {
    const own = rendered('1.15.2', (text) => text.replaceAll('ec2:DescribeSubnets', 'ec2:DescribeMoons'))
    expect(await findingsOf('1.99.0', own, own.policies)).toEqual([])
    expect(await findingsOf('1.99.0', rendered('1.15.2'), own.policies)).toEqual([
      containing('error template: no policy of the stack allows ec2:DescribeMoons')
    ])
    expect(await findingsOf('1.99.0', rendered('1.15.2'))).toEqual([])
  })

  it.each(['1.0.8', '1.2.1', '1.8.6', '1.9.3', '1.12.0', '1.14.1'])(
    'finds nothing wrong with the stack of %s for that version',
    async (version) => {
      expect(await findingsOf(version, rendered(version))).toEqual([])
    }
  )

  it('names what an older template lacks, what must be as an error and what may be as a warning', async () => {
    expect(await findingsOf('1.14.1', rendered('1.2.1'))).toEqual([
      expect.stringMatching(/^warning template: .*arc-zonal-shift:GetManagedResource/),
      expect.stringMatching(
        /^warning template: .*ec2:DescribeCapacityReservations, ec2:DescribeInstanceStatus, ec2:DescribePlacementGroups/
      ),
      expect.stringMatching(/^error template: .*iam:ListInstanceProfiles/)
    ])
  })

  it('names the actions of a policy that is missing', async () => {
    const stack = rendered('1.14.1')
    const without = {
      ...stack,
      policies: stack.policies.filter(({ logicalId }) => logicalId !== 'IAMIntegrationPolicy')
    }
    const findings = await findingsOf('1.14.1', without)
    expect(findings).toHaveLength(4)
    expect(findings[0]).toMatch(
      /^error template: no policy of the stack allows iam:PassRole.*\(AllowPassingInstanceRole/
    )
  })

  it('wants the role that is passed to be the node role', async () => {
    const stack = rendered('1.14.1', (text) =>
      text.replace('"${KarpenterNodeRole.Arn}"', '"arn:aws:iam::111122223333:role/other"')
    )
    expect(await findingsOf('1.14.1', stack)).toEqual([
      expect.stringMatching(/^error node-role-name: the controller may not pass .*KarpenterNodeRole-blue/)
    ])
  })
})

describe('namesAndPolicySize', () => {
  it('makes an error of every name that AWS would refuse', () => {
    const stack = rendered('1.14.1')
    const names = {
      clusterName: 'blue',
      stackName: 'a_b',
      version: '1.14.1',
      stack,
      nodeClasses: []
    }
    expect(namesAndPolicySize({ ...names, controllerRoleName: 'c'.repeat(65) })).toEqual([
      expect.objectContaining({ level: 'error', subject: 'controller-role-name' }),
      expect.objectContaining({ level: 'error', subject: 'stack-name' })
    ])
  })
})
