import { record } from '../../../sandbox/values.js'
import { defaultNodeClass, defaultNodePools } from '../../../src/karpenter/default-node-pools.js'
import { renderTemplate } from '../../../src/karpenter/rendered-stack.js'
import { builtInTemplateText } from '../../../src/karpenter/template-built-in.js'
import type { AmiSelectorTerm } from '../../../src/karpenter/types.js'
import { nodeClassImages } from '../../../src/preflight/nodes/node-class-images.js'
import { nodeClassReference } from '../../../src/preflight/nodes/node-class-reference.js'
import { nodeClassRole } from '../../../src/preflight/nodes/node-class-role.js'
import type { ImageTerm, InstanceProfile } from '../../../src/preflight/reads/node-class-reads.js'

const account = {
  id: '111122223333',
  partition: 'aws',
  region: 'eu-west-1',
  urlSuffix: 'amazonaws.com'
} as const
const stack = renderTemplate(builtInTemplateText('1.14.1'), {
  clusterName: 'blue',
  stackName: 'Karpenter-blue',
  account
})
const own = defaultNodeClass('a', { clusterName: 'blue', nodeRoleName: stack.nodeRole.name })

describe('nodeClassRole', () => {
  const arn = 'arn:aws:iam::111122223333:role/team/batch'

  async function findings(
    spec: Readonly<Record<string, unknown>>,
    more: Partial<Parameters<typeof nodeClassRole>[0]> = {}
  ): Promise<readonly string[]> {
    const { role, ...rest } = own.spec
    const found = await nodeClassRole({
      nodeClasses: [{ ...own, spec: { ...rest, ...('instanceProfile' in spec ? {} : { role }), ...spec } }],
      stack,
      othersDocuments: async () => [],
      usesOthersRole: false,
      nodeRole: async () => ({ arn, ofEc2: true, ofCloudFormation: false }),
      instanceProfile: async () => ({ roleArn: stack.nodeRole.arn }),
      ...more
    })
    return found.map(
      ({ level, problem, override }) => `${level} ${problem}${override === undefined ? '' : ` [${override}]`}`
    )
  }

  it("asks nothing of the stack's own role, nor of what is no name", async () => {
    const asked: string[] = []
    const nodeRole = async (name: string) => (asked.push(name), 'absent' as const)
    expect(await findings({}, { nodeRole })).toEqual([])
    expect(await findings({ role: arn }, { nodeRole })).toEqual([])
    expect(asked).toEqual([])
  })

  it('refuses a role that is not there, that the controller may not pass, or that EC2 may not take', async () => {
    expect(await findings({ role: 'batch' }, { nodeRole: async () => 'absent' })).toEqual([
      'error EC2NodeClass a: there is no role "batch"'
    ])
    expect(
      await findings(
        { role: 'batch' },
        { nodeRole: async () => ({ arn, ofEc2: false, ofCloudFormation: false }) }
      )
    ).toEqual([
      'error EC2NodeClass a: the controller may not pass role batch to its nodes [pass-role]',
      'error EC2NodeClass a: EC2 may not take role batch, so its nodes would have no credentials'
    ])
  })

  it('takes a role that a policy of the stack lets be passed, and one that none of them speaks of', async () => {
    const wide = stack.policies.map((policy) => ({
      ...policy,
      document: record(JSON.parse(JSON.stringify(policy.document).replaceAll(stack.nodeRole.arn, `${arn}*`)))
    }))
    expect(await findings({ role: 'batch' }, { stack: { ...stack, policies: wide } })).toEqual([])
    expect(await findings({ role: 'batch' }, { stack: { ...stack, policies: [] } })).toEqual([])
  })

  it('refuses an instance profile that is not there, has no role, or another one', async () => {
    const of = async (answer: InstanceProfile | 'absent') =>
      findings({ instanceProfile: 'p' }, { instanceProfile: async () => answer })
    expect(await of('absent')).toEqual(['error EC2NodeClass a: there is no instance profile "p"'])
    expect(await of({ roleArn: undefined })).toEqual(['error EC2NodeClass a: instance profile p has no role'])
    expect(await of({ roleArn: arn })).toEqual([
      'error EC2NodeClass a: the controller may not pass role batch of instance profile p to its nodes [pass-role]'
    ])
    expect(await of({ roleArn: stack.nodeRole.arn })).toEqual([])
  })

  it('notes what may not be read', async () => {
    expect(await findings({ role: 'batch' }, { nodeRole: async () => 'denied' })).toEqual([
      'note EC2NodeClass a: role batch could not be read'
    ])
    expect(await findings({ instanceProfile: 'p' }, { instanceProfile: async () => 'denied' })).toEqual([
      'note EC2NodeClass a: instance profile p could not be read'
    ])
  })
})

describe('nodeClassImages', () => {
  async function run(
    amiSelectorTerms: readonly AmiSelectorTerm[],
    answer: boolean | 'denied'
  ): Promise<{ readonly asked: readonly ImageTerm[]; readonly problems: readonly string[] }> {
    const asked: ImageTerm[] = []
    const found = await nodeClassImages({
      nodeClasses: [{ ...own, spec: { ...own.spec, amiSelectorTerms } }],
      anyImage: async (term) => (asked.push(term), answer)
    })
    return {
      asked,
      problems: found.map(({ level, problem, evidence }) => `${level} ${problem} (${evidence})`)
    }
  }

  it('leaves aliases and parameters to others', async () => {
    expect(await run([{ alias: 'al2023@latest' }], false)).toEqual({ asked: [], problems: [] })
    expect(await run([{ ssmParameter: '/mine' }, { id: 'ami-1' }], false)).toEqual({
      asked: [],
      problems: []
    })
  })

  it('asks for each term, and is content when one finds an image', async () => {
    const terms = [{ name: 'golden-*', owner: 'self' }, { tags: { team: 'data' } }]
    expect(await run(terms, true)).toEqual({ asked: terms, problems: [] })
  })

  it('refuses terms that find none, and notes what may not be read', async () => {
    const terms = [{ id: 'ami-1' }, { name: 'golden-*', owner: 'self', tags: { team: 'data' } }]
    expect((await run(terms, false)).problems).toEqual([
      'error EC2NodeClass a: no image matches its amiSelectorTerms, so no node could start (ami-1; name golden-* and team=data and owner self)'
    ])
    expect((await run(terms, 'denied')).problems).toEqual([
      "note EC2NodeClass a: whether its amiSelectorTerms find an image could not be read (the run's role may not call ec2:DescribeImages)"
    ])
  })
})

describe('nodeClassReference', () => {
  it('refuses a NodePool whose EC2NodeClass is nowhere', async () => {
    const { nodePools } = defaultNodePools({ clusterName: 'blue', nodeRoleName: 'nodes' })
    const of = async (there: boolean) =>
      (await nodeClassReference({ nodePools, nodeClass: async () => (there ? own : undefined) })).map(
        ({ level, problem }) => `${level} ${problem}`
      )
    expect(await of(true)).toEqual([])
    expect(await of(false)).toEqual(['error NodePool default: there is no EC2NodeClass "default"'])
  })
})
