import type { Deployment } from 'kubernetes-types/apps/v1.js'
import type { Event, Node, Pod } from 'kubernetes-types/core/v1.js'
import { once } from '../engine/once.js'
import type { Kubernetes } from '../kubernetes/client.js'
import { Grouped } from '../kubernetes/grouped.js'
import { deployments, events, nodeClaims, nodePools, nodes, pods } from '../kubernetes/kinds.js'
import type { Manifest } from '../kubernetes/manifest.js'
import { type Followed, View } from '../kubernetes/view.js'
import { objectNames, smokeTestLabel } from './objects.js'

/** What belongs to the test of one NodePool, current as of the last event. */
export interface TestObjects {
  readonly nodes: Followed<Node>
  readonly claims: Followed<Manifest>
  readonly pools: Followed<Manifest>
  readonly pods: Followed<Pod>
  readonly deployments: Followed<Deployment>
}

/** Told of a test's NodeClaims as they come and change, and of what Karpenter says of anything that its tests have. */
export interface Listener {
  claim(claim: Manifest): void
  event(event: Event): void
}

/**
 * The objects of all tests that go on side by side, by one list and one watch of each kind: what tells them apart is the
 * label of each. Close it when the last test is over.
 */
export class FollowedObjects {
  readonly view: View
  readonly #listeners = new Set<Listener>()
  readonly #begin: () => Promise<(id: string) => TestObjects>

  constructor(kubernetes: Kubernetes, namespace: string, signal: AbortSignal) {
    const view = new View(kubernetes, signal)
    this.view = view
    this.#begin = once(async () => {
      const byNode = new Grouped<Node>(testOf)
      const byPod = new Grouped<Pod>(testOf)
      const byPool = new Grouped<Manifest>(({ metadata }) => metadata.name)
      const byDeployment = new Grouped<Deployment>(({ metadata }) => metadata?.name ?? '')
      const byClaim = new Grouped<Manifest>(poolOf)
      const ofTests = { labelSelector: smokeTestLabel }
      await Promise.all([
        view.follow(nodes, ofTests, (one, change) => byNode.change(one, change)),
        view.follow(pods, { ...ofTests, namespace }, (one, change) => byPod.change(one, change)),
        view.follow(nodePools, ofTests, (one, change) => byPool.change(one, change)),
        view.follow(deployments, { ...ofTests, namespace }, (one, change) =>
          byDeployment.change(one, change)
        ),
        view.follow(nodeClaims, ofTests, (one, change) => {
          byClaim.change(one, change)
          for (const listener of this.#listeners) listener.claim(one)
        }),
        view.follow(
          events,
          { fieldSelector: 'source=karpenter' },
          (event, change) => {
            // An event that the server forgets was written all the same.
            if (change === 'here') for (const listener of this.#listeners) listener.event(event)
          },
          asRead
        )
      ])
      return (id) => {
        const names = objectNames(id)
        return {
          nodes: group(byNode, id),
          pods: group(byPod, id),
          pools: group(byPool, names.nodePool),
          deployments: group(byDeployment, names.deployment),
          claims: group(byClaim, names.nodePool)
        }
      }
    })
  }

  /** Those of a test from now on; what is there already is told to the listener of the first alone. */
  async of(id: string, listener: Listener): Promise<TestObjects> {
    this.#listeners.add(listener)
    return (await this.#begin())(id)
  }

  /** The test is over. */
  leave(listener: Listener): void {
    this.#listeners.delete(listener)
  }

  async close(): Promise<void> {
    await this.view.close()
  }
}

function group<T>(grouped: Grouped<T>, key: string): Followed<T> {
  return {
    get objects() {
      return grouped.of(key)
    }
  }
}

function testOf({ metadata }: Node | Pod): string {
  return metadata?.labels?.[smokeTestLabel] ?? ''
}

function poolOf({ metadata }: Manifest): string {
  return metadata.labels?.['karpenter.sh/nodepool'] ?? ''
}

/** Thousands may stand there of a busy cluster's own nodes, which are no test's: those of pods and NodePools are told by name. */
function asRead(event: Event): Event | undefined {
  const { kind, name = '' } = event.involvedObject
  return kind === 'Node' || name.startsWith('smoke-test-') ? event : undefined
}
