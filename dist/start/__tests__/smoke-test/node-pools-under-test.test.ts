import type { Manifest } from '../../src/kubernetes/manifest.js'
import { chooseNodePools, isWindows } from '../../src/smoke-test/node-pools-under-test.js'
import { smokeTestLabel } from '../../src/smoke-test/objects.js'

function pool(
  name: string,
  more: {
    readonly metadata?: Readonly<Record<string, unknown>>
    readonly spec?: Readonly<Record<string, unknown>>
    readonly resources?: Readonly<Record<string, string>>
    readonly group?: string
  } = {}
): Manifest {
  return {
    apiVersion: 'karpenter.sh/v1',
    kind: 'NodePool',
    metadata: { ...more.metadata, name },
    spec: {
      template: { spec: { nodeClassRef: { group: more.group ?? 'karpenter.k8s.aws' } } },
      ...more.spec
    },
    status: { resources: more.resources ?? {} }
  }
}

function thrownBy(work: () => unknown): unknown {
  try {
    return work()
  } catch (error) {
    return error
  }
}

const autoMode = pool('system', { group: 'eks.amazonaws.com' })
const leftover = pool('smoke-test-1', { metadata: { labels: { [smokeTestLabel]: '1' } } })
const full = pool('full', {
  spec: { limits: { cpu: 8, memory: '1Ti' } },
  resources: { cpu: '8', memory: '64Gi' }
})
const fixed = pool('fixed', { spec: { replicas: 3 } })
const ending = pool('ending', { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } })

describe('every NodePool', () => {
  it('is none of EKS Auto Mode and no leftover of a smoke test', () => {
    const chosen = chooseNodePools({ kind: 'every' }, [pool('a'), autoMode, leftover, pool('b')])
    expect(chosen).toEqual({ names: ['a', 'b'], warnings: [] })
  })

  it('leaves out, and says so, what makes no node for a new pod', () => {
    expect(chooseNodePools({ kind: 'every' }, [pool('a'), full, fixed, ending])).toEqual({
      names: ['a'],
      warnings: [
        'smoke test: NodePool full has used up its limits (cpu 8 of 8): it is left out',
        'smoke test: NodePool fixed is static: it keeps 3 nodes (spec.replicas), whatever pods need: it is left out',
        'smoke test: NodePool ending is being deleted: it is left out'
      ]
    })
  })

  it('is an error where there is none', () => {
    expect(() => chooseNodePools({ kind: 'every' }, [autoMode])).toThrow(
      'smoke-test-node-pools: the cluster has no NodePool of Karpenter, so nothing can make nodes'
    )
    expect(() => chooseNodePools({ kind: 'every' }, [full])).toThrow(
      'smoke-test-node-pools: no NodePool can be proved: NodePool full has used up its limits (cpu 8 of 8)'
    )
  })
})

describe('named NodePools', () => {
  it('are tested in the order in which they are named', () => {
    const chosen = chooseNodePools({ kind: 'named', names: ['b', 'a'] }, [pool('a'), pool('b'), pool('c')])
    expect(chosen).toEqual({ names: ['b', 'a'], warnings: [] })
  })

  it('that are not there are an error that lists those that are', () => {
    const choose = (): unknown =>
      chooseNodePools({ kind: 'named', names: ['gpu', 'a', 'arm'] }, [pool('a'), pool('b'), leftover])
    expect(thrownBy(choose)).toMatchObject({
      message: 'smoke-test-node-pools: gpu, arm: the cluster has no such NodePool',
      fix: 'It has these: a, b'
    })
  })

  it.each([
    ['full', 'NodePool full has used up its limits (cpu 8 of 8): there is nothing to prove'],
    ['fixed', 'NodePool fixed is static: it keeps 3 nodes (spec.replicas), whatever pods need'],
    ['ending', 'NodePool ending is being deleted'],
    ['system', 'NodePool system is not served by this Karpenter (its node class is of eks.amazonaws.com)']
  ])('that make no node for a new pod are refused: %s', (name, message) => {
    expect(() =>
      chooseNodePools({ kind: 'named', names: [name] }, [pool('a'), full, fixed, ending, autoMode])
    ).toThrow(`smoke-test-node-pools: ${message}`)
  })

  it('are not used up by what is below their limits', () => {
    const busy = pool('busy', {
      spec: { limits: { cpu: '1k', nodes: '10' } },
      resources: { cpu: '999', nodes: '3' }
    })
    expect(chooseNodePools({ kind: 'named', names: ['busy'] }, [busy]).names).toEqual(['busy'])
  })
})

describe('the first NodePool', () => {
  it('is the first of the given names that can make nodes', () => {
    expect(chooseNodePools({ kind: 'first', of: ['full', 'b'] }, [pool('a'), pool('b'), full])).toEqual({
      names: ['b'],
      warnings: []
    })
  })

  it("without names is the cluster's own", () => {
    expect(chooseNodePools({ kind: 'first', of: [] }, [autoMode, leftover, pool('a')]).names).toEqual(['a'])
  })

  it('that is used up is proved by its copy, with a warning', () => {
    expect(chooseNodePools({ kind: 'first', of: ['full'] }, [full])).toEqual({
      names: ['full'],
      warnings: ['smoke test: NodePool full has used up its limits (cpu 8 of 8): only a copy is proved']
    })
  })

  it('is an error where there is none', () => {
    expect(() => chooseNodePools({ kind: 'first', of: [] }, [])).toThrow(
      'smoke-test: the cluster has no NodePool, and node-pools is none'
    )
  })
})

describe('NodePools of Windows nodes', () => {
  const ofSystem = (name: string, operator: string, ...values: readonly string[]): Manifest =>
    pool(name, {
      spec: {
        template: {
          spec: {
            nodeClassRef: { group: 'karpenter.k8s.aws', name: 'default' },
            requirements: [{ key: 'kubernetes.io/os', operator, values }]
          }
        }
      }
    })
  const windows = ofSystem('win', 'In', 'windows')
  const why = "makes Windows nodes, on which the smoke test's pods do not run"

  it.each([
    ['In linux', ofSystem('a', 'In', 'linux')],
    ['In both', ofSystem('a', 'In', 'linux', 'windows')],
    ['NotIn windows', ofSystem('a', 'NotIn', 'windows')],
    ['Exists', ofSystem('a', 'Exists')],
    ['nothing', pool('a')]
  ])('are none of those that ask for %s', (_, other) => {
    expect(chooseNodePools({ kind: 'every' }, [other])).toEqual({ names: ['a'], warnings: [] })
  })

  it.each([
    ['their requirements', windows, new Set<string>()],
    ['their requirements', ofSystem('win', 'NotIn', 'linux'), new Set<string>()],
    ['their EC2NodeClass', ofSystem('win', 'Exists'), new Set(['default'])]
  ])('are left out by %s, with the reason', (_, left, classes) => {
    expect(chooseNodePools({ kind: 'every' }, [left, autoMode, pool('a')], classes)).toEqual({
      names: ['a'],
      warnings: [`smoke test: NodePool win ${why}: it is left out`]
    })
  })

  it('are passed over for the first one that can be proved; with no other nothing is', () => {
    expect(chooseNodePools({ kind: 'first', of: ['win', 'a'] }, [windows, pool('a')])).toEqual({
      names: ['a'],
      warnings: []
    })
    expect(chooseNodePools({ kind: 'first', of: ['win'] }, [windows])).toEqual({
      names: [],
      warnings: [`smoke test: NodePool win ${why}: nothing is proved`]
    })
  })

  it('cannot be asked for by name', () => {
    const error = thrownBy(() => chooseNodePools({ kind: 'named', names: ['win'] }, [windows]))
    expect(String(error)).toContain(`NodePool win ${why}: there is nothing to prove`)
  })

  it('are those whose EC2NodeClass has the family or an alias of it', () => {
    const nodeClass = (name: string, spec: Readonly<Record<string, unknown>>): Manifest => ({
      apiVersion: 'karpenter.k8s.aws/v1',
      kind: 'EC2NodeClass',
      metadata: { name },
      spec
    })
    const classes = [
      nodeClass('family', { amiFamily: 'Windows2022' }),
      nodeClass('alias', { amiSelectorTerms: [{ alias: 'windows2025@latest' }] }),
      nodeClass('bottlerocket', { amiSelectorTerms: [{ alias: 'bottlerocket@latest' }] }),
      nodeClass('custom', { amiFamily: 'Custom', amiSelectorTerms: [{ id: 'ami-1' }] })
    ]
    expect(classes.filter(isWindows).map(({ metadata }) => metadata.name)).toEqual(['family', 'alias'])
  })
})
