import type { Deployment } from 'kubernetes-types/apps/v1.js'
import type { Manifest } from '../../src/kubernetes/manifest.js'
import type { Decision } from '../../src/kubernetes/view.js'
import { awaitScaleUp, type ScaleUp } from '../../src/smoke-test/scale-up.js'
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
  given: Partial<Pick<ScaleUp, 'instanceEnds' | 'events'>> & {
    readonly deployment?: Deployment
    readonly claims?: readonly Manifest[]
    readonly gone?: readonly Manifest[]
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
    pods: { objects: [] },
    nodes: { objects: [] },
    claims: { objects: claims },
    pools: { objects: [] },
    seen: new Map([...claims, ...(given.gone ?? [])].map((one) => [one.metadata.uid ?? '', one])),
    instanceEnds: given.instanceEnds ?? (async () => new Map()),
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
})
