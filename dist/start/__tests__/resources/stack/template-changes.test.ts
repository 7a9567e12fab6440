import { stack } from '../../../src/resources/stack/stack.js'
import type { StackWanted } from '../../../src/resources/stack/stack-differences.js'
import { failure } from '../../aws/failure.js'
import { nobodyTrusted } from '../../sandbox/cloud/clients.js'
import { startAccount, type TestAccount } from '../account.js'
import { inspect, install, ownership } from '../walk-one.js'

let home: TestAccount
beforeEach(async () => {
  home = await startAccount()
})
afterEach(async () => home.close())

const body = (more: object = {}, description = 'nodes') => ({
  Resources: {
    Nodes: {
      Type: 'AWS::IAM::Role',
      Properties: { AssumeRolePolicyDocument: nobodyTrusted, RoleName: 'nodes', Description: description }
    }
  },
  ...more
})
const of = (template: object): StackWanted => ({
  clusterName: 'blue',
  name: 'Karpenter-blue',
  template: JSON.stringify(template),
  resources: {},
  parameters: {},
  tags: { 'setup-karpenter:owner': 'blue' },
  capabilities: ['CAPABILITY_NAMED_IAM']
})
const ours = (wanted: StackWanted) => stack(wanted, { aws: home.aws, ownership })
const writes = () => home.cloud.calls().flatMap(({ write, action }) => (write ? [action] : []))

describe('The template of a stack', () => {
  it('with characters beyond ASCII is as wanted once it stands', async () => {
    const wanted = of(body({ Metadata: { Team: 'Zürich' } }, 'für Knoten 🚀'))
    await install(ours(wanted))
    home.cloud.clearCalls()
    const { before, after } = await install(ours(wanted))
    expect([before.state, after.state]).toEqual(['as wanted', 'as wanted'])
    expect(writes()).toEqual([])
  })

  it('of which only an output changes is executed, and then as wanted', async () => {
    await install(ours(of(body())))
    const wanted = of(body({ Outputs: { Nodes: { Value: { Ref: 'Nodes' } } } }))
    const { before, after, step } = await install(ours(wanted))
    expect(before.differences.map(({ path }) => path)).toEqual(['template.Outputs'])
    expect(after.state).toBe('as wanted')
    expect(step.lines).toEqual(['updated CloudFormation stack Karpenter-blue (0 resources)'])
  })

  it.each([
    ['metadata', { Metadata: { Team: 'platform' } }],
    ['a description', { Description: 'what it is' }]
  ])(
    'of which only %s changes is as wanted: CloudFormation takes no update for that',
    async (_what, more) => {
      await install(ours(of(body())))
      expect((await inspect(ours(of(body(more))))).state).toBe('as wanted')
    }
  )

  it('of which only the text of a parameter changes is as wanted', async () => {
    const parameter = (Description: string) => ({
      Parameters: { Team: { Type: 'String', Default: 'x', Description } }
    })
    await install(ours(of(body(parameter('who')))))
    expect((await inspect(ours(of(body(parameter('who owns it')))))).state).toBe('as wanted')
    const other = { Parameters: { Team: { Type: 'Number', Default: '1' } } }
    expect((await inspect(ours(of(body(other))))).differences).toMatchObject([
      { path: 'template.Parameters' }
    ])
  })

  it('that would be too long with what the stack has besides is refused before anything is written', async () => {
    await install(ours(of(body())))
    const wanted = of(body({}, 'another'))
    const text = `${wanted.template}${' '.repeat(51_200)}`
    const grown = stack(wanted, { aws: home.aws, ownership, widen: () => ({ text, narrowed: [] }) })
    const { refusal } = await inspect(grown)
    expect(refusal?.message).toBe(
      `template: has ${Buffer.byteLength(text).toLocaleString('en-US')} bytes with what stack Karpenter-blue has besides, and CloudFormation takes 51,200 at most`
    )
    expect(refusal?.state).toBe('Nothing was changed.')
  })
})

test('the stand-in refuses a template that is too long, text and all, as CloudFormation does', async () => {
  const wanted = of(body({ Metadata: { Long: 'x'.repeat(51_200) } }))
  expect((await failure(install(ours(wanted)))).message).toMatch(/failed to satisfy constraint.*51200/s)
})
