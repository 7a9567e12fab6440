import type { InstallRecord } from '../../src/engine/record.js'
import { renderTemplate } from '../../src/karpenter/rendered-stack.js'
import { builtInTemplateText } from '../../src/karpenter/template-built-in.js'
import { tableFacts } from '../../src/karpenter/version-facts.js'
import { type DecidedTemplate, decideTemplate, type TemplateFacts } from '../../src/plan/stack-template.js'
import { awsWith, type Handlers, Refusal } from '../aws/stand-in.js'
import { inputsOf } from '../given-inputs.js'

const account = {
  id: '111122223333',
  partition: 'aws',
  region: 'eu-west-1',
  urlSuffix: 'amazonaws.com'
} as const
const settings = { clusterName: 'blue', stackName: 'Karpenter-blue', account }
const builtIn = builtInTemplateText('1.14.1')
/** As a version that the table does not have may publish it. */
const published = builtIn.replaceAll('ec2:DescribeSubnets', 'ec2:NewInNinetyNine')
const policiesOf = (text: string): DecidedTemplate['own'] => renderTemplate(text, settings).policies

interface Asked {
  readonly version: string
  readonly given?: Readonly<Record<string, string>>
  readonly record?: InstallRecord
  /** The version's own template, where it was read. */
  readonly own?: string
  /** Without it upstream cannot be reached. */
  readonly upstream?: string
  readonly cloud?: Handlers
}

async function decided({ version, given, record, own, upstream, cloud }: Asked): Promise<DecidedTemplate> {
  const { aws, close } = await awsWith(cloud ?? {})
  const now: TemplateFacts = {
    inputs: inputsOf({ 'cluster-name': 'blue', ...given }),
    facts: { ...tableFacts(version), template: { value: own, origin: 'tag' } },
    templateVersion: undefined,
    record,
    aws,
    settings,
    adaptation: {
      clusterName: 'blue',
      nodeRoleName: 'KarpenterNodeRole-blue',
      nodeRolePolicies: [],
      permissionsBoundary: undefined
    },
    fetchText: async () =>
      upstream === undefined ? Promise.reject(new Error('ECONNREFUSED')) : Promise.resolve(upstream),
    readFile: () => builtIn
  }
  try {
    return await decideTemplate(now)
  } finally {
    await close()
  }
}

const recordOf = (template: string | undefined): InstallRecord => ({
  schema: 1,
  karpenterVersion: '1.99.0',
  run: 'run',
  time: '2026-11-24T10:00:00.000Z',
  resources: { stack: { before: [], wanted: { name: 'Karpenter-blue', template } } }
})
const check = { mode: 'check' }
const file = { template: 'own.yaml' }
const unknowable = `Resources:
  Unnamed:
    Type: AWS::IAM::ManagedPolicy
    Properties: { PolicyDocument: { Version: '2012-10-17', Statement: [] } }
`

test.each<[string, Asked, Pick<DecidedTemplate, 'statements' | 'own'>]>([
  [
    'the table, of a version that it has',
    { version: '1.14.1', upstream: published },
    { statements: 'table', own: undefined }
  ],
  [
    "upstream's template of another",
    { version: '1.99.0', upstream: published },
    { statements: 'tag', own: policiesOf(published) }
  ],
  [
    'the record, in a check that cannot have that',
    { version: '1.99.0', given: check, record: recordOf(published) },
    { statements: 'record', own: policiesOf(published) }
  ],
  [
    "upstream's template, beside a template of one's own",
    { version: '1.99.0', given: file, own: published },
    { statements: 'tag', own: policiesOf(published) }
  ],
  [
    'the newest row, where that could not be read',
    { version: '1.99.0', given: file },
    { statements: 'newest row', own: undefined }
  ],
  [
    'the newest row, where only CloudFormation can work it out',
    { version: '1.99.0', given: file, own: unknowable },
    { statements: 'newest row', own: undefined }
  ]
])('what the version needs is known by %s', async (_by, asked, wanted) => {
  const { statements, own, standing, text, stack, origin } = await decided(asked)
  expect({ statements, own }).toEqual(wanted)
  expect(stack.policies).toEqual(policiesOf(text))
  expect(origin).toMatch(asked.given === check ? /^as recorded, because .*ECONNREFUSED/ : /1\.\d+|own\.yaml/)
  expect(standing).toBeUndefined()
})

test.each<[string, Asked]>([
  ['an install', { version: '1.99.0', record: recordOf(published) }],
  ['a check without a record', { version: '1.99.0', given: check }],
  ['a check of another version', { version: '1.98.0', given: check, record: recordOf(published) }],
  ['a check whose record has no template', { version: '1.99.0', given: check, record: recordOf(undefined) }]
])('%s ends where upstream cannot be reached', async (_what, asked) => {
  await expect(decided(asked)).rejects.toThrow('ECONNREFUSED')
})

const live = { StackId: 'arn:stack', StackName: 'Karpenter-blue', StackStatus: 'CREATE_COMPLETE' }
const stackWith = (template: string): Handlers => ({
  DescribeStacks: () => ({
    Stacks: [{ ...live, Parameters: [{ ParameterKey: 'ClusterName', ParameterValue: 'blue' }] }]
  }),
  GetTemplate: () => ({ TemplateBody: template })
})
const none: Handlers = {
  DescribeStacks: () => {
    throw new Refusal('ValidationError', 'Stack with id Karpenter-blue does not exist')
  },
  GetTemplate: () => {
    throw new Refusal('ValidationError', 'Stack with id Karpenter-blue does not exist')
  }
}
const failing = (code: string, message: string, status: number): Handlers => {
  const fail = (): never => {
    throw new Refusal(code, message, status)
  }
  return { DescribeStacks: fail, GetTemplate: fail }
}
const denied = failing(
  'AccessDenied',
  'User: x is not authorized to perform: cloudformation:DescribeStacks',
  403
)

describe('the built-in template for a version that the table does not have', () => {
  const asked = { version: '1.99.0', given: { template: 'built-in' } }

  test('is as it is where there is no stack, which need not be read again', async () => {
    const result = await decided({ ...asked, cloud: none })
    expect(result).toMatchObject({ statements: 'newest row', own: undefined, standing: { live: undefined } })
    expect(result.text).not.toContain('ec2:NewInNinetyNine')
    expect(result.origin).not.toContain('besides')
  })

  test('has what the stack has besides, as it was given to CloudFormation', async () => {
    const given = published.replace('Description: Roles', 'Description: für Knoten, Roles')
    const answered = given.replace('für', 'f?r')
    const result = await decided({ ...asked, record: recordOf(given), cloud: stackWith(answered) })
    expect(result.text).toContain('ec2:NewInNinetyNine')
    expect(result.origin).toMatch(/, with what the stack has besides$/)
    expect(result.standing?.live).toMatchObject({ stackId: 'arn:stack', template: given })
    expect(result.stack.policies).toEqual(policiesOf(result.text))
  })

  test('is as it is in a check that may not read the stack, and ends an install', async () => {
    const given = { ...asked.given, ...check }
    expect(await decided({ ...asked, given, cloud: denied })).toMatchObject({ standing: { live: undefined } })
    await expect(decided({ ...asked, cloud: denied })).rejects.toThrow(
      'template: built-in: CloudFormation stack Karpenter-blue could not be read'
    )
  })

  test('ends a check too where the stack cannot be read for another reason', async () => {
    const given = { ...asked.given, ...check }
    const cloud = failing('InternalFailure', 'out of order', 400)
    await expect(decided({ ...asked, given, cloud })).rejects.toThrow('could not be read')
  })

  test('ends an install, and a check, where what the stack has besides is not known beforehand', async () => {
    const cloud = stackWith(`${builtIn.trimEnd()}\n${unknowable.replace('Resources:\n', '')}`)
    for (const given of [asked.given, { ...asked.given, ...check }]) {
      const ended = decided({ ...asked, given, cloud })
      await expect(ended).rejects.toThrow(
        /^template: built-in: Karpenter 1\.99\.0 is newer than it, so what CloudFormation stack Karpenter-blue has besides would stay, but .*: managed policy Unnamed has no ManagedPolicyName$/
      )
      await expect(ended).rejects.toHaveProperty('fix', expect.stringContaining('`template: upstream`'))
      await expect(ended).rejects.toHaveProperty('state', 'Nothing was changed.')
    }
  })

  test('needs no look at the stack of a removal, nor for a version that the table has', async () => {
    const removal = { ...asked.given, mode: 'uninstall' }
    expect((await decided({ ...asked, given: removal, cloud: denied })).standing).toBeUndefined()
    expect((await decided({ ...asked, version: '1.14.1', cloud: denied })).standing).toBeUndefined()
  })
})
