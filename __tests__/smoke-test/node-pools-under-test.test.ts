import type { Manifest } from '../../src/kubernetes/manifest.js'
import { chooseNodePools } from '../../src/smoke-test/node-pools-under-test.js'
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
