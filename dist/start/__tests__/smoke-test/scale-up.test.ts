import type { Deployment } from 'kubernetes-types/apps/v1.js'
import type { Node, Pod } from 'kubernetes-types/core/v1.js'
import type { Manifest } from '../../src/kubernetes/manifest.js'
import type { Decision } from '../../src/kubernetes/view.js'
import { awaitScaleUp, type ScaleUp } from '../../src/smoke-test/scale-up.js'
import { Turns } from '../../src/smoke-test/took.js'
import { recordedStep } from '../resources/step.js'

function failing(message: string): Deployment {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {},
    status: { conditions: [{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message }] }
  }
}

function claim(uid: string, ...conditions: readonly Readonly<Record<string, string>>[]): Manifest {
  return {
    apiVersion: 'karpenter.sh/v1',
    kind: 'NodeClaim',
    metadata: { name: uid, uid },
    status: { providerID: `aws:///eu-west-1a/i-${uid}`, conditions }
  }
}

const unlaunched = (message: string) => ({
  type: 'Launched',
  status: 'Unknown',
  reason: 'LaunchFailed',
  message
})

/** How many milliseconds it waits, each look a second after the one before, and what it ends with. */
async function waited(
  given: Partial<Pick<ScaleUp, 'instanceEnds' | 'instanceGroups' | 'events'>> & {
    readonly deployment?: Deployment
    readonly claims?: readonly Manifest[]
    readonly gone?: readonly Manifest[]
    readonly pods?: readonly Pod[]
    readonly nodes?: readonly Node[]
  }
): Promise<{ readonly seconds: number; readonly message: string }> {
  let now = 0
  const claims = given.claims ?? []
  const view = {
    until: async <R>(decide: () => Decision<R>): Promise<R> => {
      while (true) {
        const decision = decide()
        if (decision !== undefined) return decision.value
        now += 1_000
        await Promise.resolve()
      }
    }
  }
  const test: ScaleUp = {
    subject: 'smoke test of NodePool default',
    id: 'run-1',
    replicas: 2,
    timeoutSeconds: 900,
    namespace: 'karpenter',
    before: new Set(),
    deployments: { objects: given.deployment === undefined ? [] : [given.deployment] },
    pods: { objects: given.pods ?? [] },
    nodes: { objects: given.nodes ?? [] },
    claims: { objects: claims },
    turns: new Turns(() => now),
    pools: { objects: [] },
    seen: new Map([...claims, ...(given.gone ?? [])].map((one) => [one.metadata.uid ?? '', one])),
    instanceEnds: given.instanceEnds ?? (async () => new Map()),
    instanceGroups: given.instanceGroups ?? (async () => new Map()),
    otherInstances: async () => ['i-old'],
    events: given.events ?? (() => [])
  }
  const failure = await awaitScaleUp(
    view,
    test,
    recordedStep(() => now)
  ).then(
    () => new Error('it came up'),
    (error: unknown) => error
  )
  return { seconds: now / 1000, message: failure instanceof Error ? failure.message : '' }
}

describe('A scale-up', () => {
  it.each([
    'pods "x" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true',
    'pods "x" is forbidden: exceeded quota: compute, requested: cpu=1, used: cpu=0, limited: cpu=500m',
    'pods "x" is forbidden: maximum cpu usage per Container is 100m, but limit is 1',
    'admission webhook "w.example.com" denied the request: no'
  ])('ends at once where its pods are refused: %s', async (message) => {
    const ended = await waited({ deployment: failing(message) })
    expect(ended.seconds).toBe(0)
    expect(ended.message).toContain(message)
  })

  it('gives a webhook that does not answer half a minute', async () => {
    const ended = await waited({ deployment: failing('failed calling webhook "w.example.com": refused') })
    expect(ended.seconds).toBe(30)
    expect(ended.message).toContain('webhook "w.example.com", which does not answer')
  })

  it.each([
    'creating instance, with fleet error(s), VcpuLimitExceeded: You have requested more vCPU capacity',
    'creating instance, with fleet error(s), UnauthorizedOperation: You are not authorized to perform this operation',
    'AuthFailure.ServiceLinkedRoleCreationNotPermitted: The provided credentials do not have permission'
  ])('ends after two minutes where no launch can pass: %s', async (message) => {
    const ended = await waited({ claims: [claim('a', unlaunched(message))] })
    expect(ended.seconds).toBe(120)
    expect(ended.message).toContain(message)
  })

  it('waits for what may come: capacity that EC2 has none of now', async () => {
    const ended = await waited({
      claims: [claim('a', unlaunched('InsufficientInstanceCapacity: We currently do not have sufficient'))]
    })
    expect(ended.seconds).toBe(900)
  })

  it('says why EC2 ended an instance whose NodeClaim went before it joined', async () => {
    const asked: string[][] = []
    const ended = await waited({
      gone: [claim('a', { type: 'Launched', status: 'True' })],
      instanceEnds: async (ids) => {
        if (ids.length > 0) asked.push([...ids])
        return new Map(ids.map((id) => [id, 'Client.InvalidKMSKey.InvalidState: the key']))
      }
    })
    expect(asked).toEqual([['i-a']])
    expect(ended.seconds).toBeLessThan(10)
    expect(ended.message).toContain(
      'EC2 ended the instance at once: Client.InvalidKMSKey.InvalidState: the key'
    )
  })

  it('says the same where nobody has told Karpenter, so that its NodeClaim stands', async () => {
    const asked: string[] = []
    const ended = await waited({
      claims: [claim('a', { type: 'Launched', status: 'True' })],
      instanceEnds: async (ids) => {
        asked.push(ids.join())
        // It runs when it is first asked about.
        return new Map(asked.length < 2 ? [] : ids.map((id) => [id, 'Client.InternalError: at launch']))
      }
    })
    expect(asked).toEqual(['i-a', 'i-a'])
    expect(ended.seconds).toBeGreaterThanOrEqual(60)
    expect(ended.seconds).toBeLessThan(70)
    expect(ended.message).toContain('EC2 ended the instance at once: Client.InternalError: at launch')
  })

  describe('whose pods do not get through to the API server', () => {
    const node: Node = {
      metadata: { name: 'ip-1' },
      spec: { providerID: 'aws:///eu-west-1a/i-0aa' }
    }
    const pod = (restartCount: number): Pod => ({
      metadata: { name: 'smoke-test-x' },
      spec: { nodeName: 'ip-1', containers: [] },
      status: {
        initContainerStatuses: [
          {
            name: 'network',
            image: 'i',
            imageID: '',
            ready: false,
            restartCount,
            state: { terminated: { exitCode: 1, message: "nc: bad address 'kubernetes.default'" } }
          }
        ]
      }
    })
    const groups = new Map([
      ['i-0aa', ['sg-1 (a)']],
      ['i-old', ['sg-2 (b)']]
    ])
    const launched = ['Launched', 'Registered', 'Initialized'].map((type) => ({ type, status: 'True' }))
    const claims = [claim('a', ...launched)]

    it('ends when one has given up twice, with the groups of both sides', async () => {
      const asked: string[][] = []
      const ended = await waited({
        pods: [pod(1)],
        nodes: [node],
        claims,
        instanceGroups: async (ids) => {
          asked.push([...ids])
          return groups
        }
      })
      expect(ended.seconds).toBeLessThan(10)
      expect(asked).toEqual([['i-0aa', 'i-old']])
      expect(ended.message).toContain('pods on ip-1 (i-0aa, security groups sg-1 (a)) do not reach')
    })

    it('ends all the same where EC2 may not be asked', async () => {
      const instanceGroups = async () => Promise.reject(new Error('denied'))
      const ended = await waited({ pods: [pod(1)], nodes: [node], claims, instanceGroups })
      expect(ended.seconds).toBeLessThan(10)
      expect(ended.message).toContain('pods on ip-1 (i-0aa) do not reach')
    })

    it('waits where it has given up once: what a node gets may be late', async () => {
      const ended = await waited({ pods: [pod(0)], nodes: [node], claims })
      expect(ended.seconds).toBe(900)
    })
  })
})
