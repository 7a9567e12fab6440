import { images } from '../../../sandbox/cloud/moto/images.js'
import type { Manifest } from '../../../src/kubernetes/manifest.js'
import { amiAlias, parametersOf } from '../../../src/preflight/nodes/ami-alias.js'

const containing = (part: string): unknown => expect.stringContaining(part)

const nodeClass = (...aliases: string[]): Manifest => ({
  apiVersion: 'karpenter.k8s.aws/v1',
  kind: 'EC2NodeClass',
  metadata: { name: 'default' },
  spec: { amiSelectorTerms: aliases.map((alias) => ({ alias })) }
})
const unasked = async (): Promise<never> => Promise.reject(new Error('not asked for'))

describe('amiAlias', () => {
  it('refuses AL2 from Kubernetes 1.33 on', async () => {
    const run = async (kubernetes: string) =>
      amiAlias({ nodeClasses: [nodeClass('al2@latest')], kubernetes, published: unasked })
    expect(await run('1.32')).toEqual([])
    expect(await run('1.33')).toEqual([
      expect.objectContaining({
        level: 'error',
        problem: 'EC2NodeClass default: alias al2@latest: AWS publishes no AL2 images for Kubernetes 1.33'
      })
    ])
  })

  it('asks nothing for newest releases', async () => {
    const nodeClasses = [nodeClass('al2023@latest'), nodeClass('bottlerocket@latest')]
    expect(await amiAlias({ nodeClasses, kubernetes: '1.35', published: unasked })).toEqual([])
  })

  it('asks once for an alias that several have, and is content with one image of it', async () => {
    const asked: (readonly string[])[] = []
    const published = async (names: readonly string[]) => {
      asked.push(names)
      return names.slice(0, 1)
    }
    const nodeClasses = [nodeClass('al2023@v20260915'), nodeClass('al2023@v20260915')]
    expect(await amiAlias({ nodeClasses, kubernetes: '1.35', published })).toEqual([])
    expect(asked).toHaveLength(1)
  })

  it('refuses a release that is not there, with the parameters and where to look', async () => {
    const [finding] = await amiAlias({
      nodeClasses: [nodeClass('al2023@v20991231')],
      kubernetes: '1.35',
      published: async () => []
    })
    expect(finding).toMatchObject({ level: 'error', subject: 'node-pools' })
    expect(finding?.evidence).toContain(
      '/aws/service/eks/optimized-ami/1.35/amazon-linux-2023/x86_64/standard/amazon-eks-node-al2023-x86_64-standard-1.35-v20991231/image_id'
    )
    expect(finding?.fix).toContain(
      '--path /aws/service/eks/optimized-ami/1.35/amazon-linux-2023/x86_64/standard'
    )
  })

  it('notes what it may not read', async () => {
    const nodeClasses = [nodeClass('windows2022@latest')]
    expect(await amiAlias({ nodeClasses, kubernetes: '1.35', published: async () => 'denied' })).toEqual([
      expect.objectContaining({ level: 'note', evidence: containing('ssm:GetParameters') })
    ])
  })
})

describe('parametersOf', () => {
  const published = new Set(images.flatMap(({ parameters }) => parameters))
  it.each([
    ['al2023', 'latest', '1.35', 5],
    ['al2023', 'v20260915', '1.35', 5],
    ['al2', 'v20260915', '1.32', 3],
    ['al2', 'latest', '1.32', 3],
    ['bottlerocket', 'v1.52.0', '1.35', 4],
    ['bottlerocket', 'latest', '1.35', 4]
  ])('has for %s@%s on %s the names that the cloud has', (family, release, kubernetes, count) => {
    const names = parametersOf({ family, release }, kubernetes)
    expect(names).toHaveLength(count)
    expect(names.filter((name) => !published.has(name))).toEqual([])
  })

  it('has the one name that Windows has', () => {
    expect(parametersOf({ family: 'windows2022', release: 'latest' }, '1.35')).toEqual([
      '/aws/service/ami-windows-latest/Windows_Server-2022-English-Core-EKS_Optimized-1.35/image_id'
    ])
  })
})
