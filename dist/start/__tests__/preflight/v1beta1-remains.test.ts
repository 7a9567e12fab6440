import { nodePoolRemains, type NodePoolRemains } from '../../src/preflight/reads/older-karpenter-reads.js'
import { v1beta1Remains } from '../../src/preflight/v1beta1-remains.js'
import { ApiServer } from '../kubernetes/api-server.js'

const clean: NodePoolRemains = { name: 'default', annotated: false, incompleteRef: false }

async function found(
  installed: string | undefined,
  version: string,
  ...nodePools: readonly NodePoolRemains[]
): Promise<{ reads: number; findings: readonly (readonly [string, string])[] }> {
  let reads = 0
  const findings = await v1beta1Remains({
    installed,
    version,
    nodePoolRemains: async () => {
      reads++
      return nodePools
    }
  })
  return { reads, findings: findings.map(({ level, subject, problem }) => [level, `${subject}: ${problem}`]) }
}

describe('v1beta1Remains', () => {
  const annotated = { ...clean, annotated: true }

  it.each([
    [undefined, '1.14.0'],
    ['1.2.1', '1.14.0'],
    ['1.0.5', '1.0.8'],
    ['somewhat', '1.14.0']
  ])('reads nothing where 1.1 is not passed: %s to %s', async (installed, version) => {
    expect(await found(installed, version, annotated)).toEqual({ reads: 0, findings: [] })
  })

  it('finds nothing in NodePools that are all of v1', async () => {
    expect(await found('1.0.8', '1.14.0', clean)).toEqual({ reads: 1, findings: [] })
  })

  it('refuses where the controller would end at its start, and warns where it would forget settings', async () => {
    const [ends, forgets] = [
      await found('1.0.8', '1.2.1', annotated),
      await found('1.0.8', '1.6.0', annotated)
    ]
    expect(ends.findings).toEqual([
      ['error', expect.stringMatching(/NodePool default: .* ends at its start/)]
    ])
    expect(forgets.findings).toEqual([['warning', expect.stringMatching(/does not read/)]])
  })

  it('refuses a nodeClassRef that is not whole', async () => {
    const { findings } = await found('1.0.8', '1.14.0', { ...clean, incompleteRef: true })
    expect(findings).toEqual([['error', expect.stringMatching(/nodeClassRef lacks group or kind/)]])
  })
})

test('of the cluster: kubelet settings by the annotation in which 1.0 kept them, and each half of a nodeClassRef', async () => {
  const server = await ApiServer.start()
  const put = (name: string, nodeClassRef: object, annotations: object = {}): void =>
    void server.put(`/apis/karpenter.sh/v1/nodepools/${name}`, {
      apiVersion: 'karpenter.sh/v1',
      kind: 'NodePool',
      metadata: { annotations },
      spec: { template: { spec: { nodeClassRef } } }
    })
  const whole = { group: 'karpenter.k8s.aws', kind: 'EC2NodeClass', name: 'default' }
  put('clean', whole)
  put('kubelet', whole, { 'compatibility.karpenter.sh/v1beta1-kubelet-conversion': '{"maxPods":20}' })
  put('no-group', { ...whole, group: '' })
  put('no-kind', { group: whole.group, name: 'default' })
  try {
    expect(await nodePoolRemains(server.kubernetes)).toEqual([
      { ...clean, name: 'clean' },
      { name: 'kubelet', annotated: true, incompleteRef: false },
      { name: 'no-group', annotated: false, incompleteRef: true },
      { name: 'no-kind', annotated: false, incompleteRef: true }
    ])
    expect(server.writes()).toEqual([])
  } finally {
    await server.stop()
  }
})
