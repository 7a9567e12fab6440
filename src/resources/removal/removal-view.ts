import type { Deployment } from 'kubernetes-types/apps/v1.js'
import { isMap } from '../../engine/json.js'
import { once } from '../../engine/once.js'
import type { Step } from '../../engine/resource.js'
import type { Kubernetes } from '../../kubernetes/client.js'
import { Grouped } from '../../kubernetes/grouped.js'
import {
  deployments,
  disruptionBudgets,
  ec2NodeClasses,
  nodeClaims,
  nodePools,
  volumeAttachments
} from '../../kubernetes/kinds.js'
import { lean } from '../../kubernetes/lean.js'
import { textField, type Manifest } from '../../kubernetes/manifest.js'
import { SharedUse } from '../../kubernetes/shared-use.js'
import { type Decision, type Followed, View } from '../../kubernetes/view.js'
import { ControllerLog } from '../controller/controller-log.js'
import { DrainedPods } from './drained-pods.js'

/** NodeClaims of the cluster, whoever made them. */
export interface Claims {
  ofPool(name: string): readonly Manifest[]
  ofClass(name: string): readonly Manifest[]
}

/** NodePools of the cluster, whoever made them. */
export interface Pools {
  named(name: string): Manifest | undefined
  usersOf(nodeClass: string): readonly Manifest[]
}

/** What the waits of a removal look at; each is listed and watched when it is first asked for, and once for all. */
export class Watched {
  readonly #view: View
  readonly drainedPods: DrainedPods
  readonly controllerLog: ControllerLog
  readonly claims: () => Promise<Claims>
  readonly pools: () => Promise<Pools>
  readonly nodeClass: () => Promise<(name: string) => Manifest | undefined>
  /** Karpenter's Deployments, in whatever namespace. */
  readonly controllers: () => Promise<Followed<Deployment>>
  readonly budgets: () => Promise<Followed<Manifest>>
  readonly attachments: () => Promise<Followed<Manifest>>

  constructor(kubernetes: Kubernetes, controllerName: string, signal: AbortSignal) {
    const view = new View(kubernetes, signal)
    this.#view = view
    this.drainedPods = new DrainedPods(kubernetes, signal)
    this.controllerLog = new ControllerLog(kubernetes.within(signal))
    this.claims = once(async () => {
      const byPool = new Grouped<Manifest>(poolOf)
      const byClass = new Grouped<Manifest>((claim) => textField(claim, 'spec', 'nodeClassRef', 'name') ?? '')
      const each = (claim: Manifest, change: 'here' | 'gone'): void => {
        byPool.change(claim, change)
        byClass.change(claim, change)
      }
      await view.follow(nodeClaims, {}, each, leanClaim)
      return { ofPool: (name) => byPool.of(name), ofClass: (name) => byClass.of(name) }
    })
    this.pools = once(async () => {
      const byName = new Grouped<Manifest>(({ metadata }) => metadata.name)
      const byClass = new Grouped<Manifest>(classOf)
      const each = (pool: Manifest, change: 'here' | 'gone'): void => {
        byName.change(pool, change)
        byClass.change(pool, change)
      }
      await view.follow(nodePools, {}, each, lean)
      return { named: (name) => byName.of(name)[0], usersOf: (name) => byClass.of(name) }
    })
    this.nodeClass = once(async () => {
      const byName = new Grouped<Manifest>(({ metadata }) => metadata.name)
      await view.follow(ec2NodeClasses, {}, (object, change) => byName.change(object, change), lean)
      return (name: string) => byName.of(name)[0]
    })
    const labelSelector = `app.kubernetes.io/name=${controllerName}`
    this.controllers = once(async () => view.follow(deployments, { labelSelector }))
    this.budgets = once(async () => view.follow(disruptionBudgets, {}))
    this.attachments = once(async () => view.follow(volumeAttachments, {}))
  }

  async until<R>(decide: () => Decision<R>): Promise<R> {
    return this.#view.until(decide)
  }

  async close(): Promise<void> {
    await Promise.all([this.#view.close(), this.drainedPods.close()])
  }
}

/** One look at the cluster for all who wait in a removal at the same time: hundreds of NodePools take as many watches as one. */
export class RemovalView {
  readonly #shared: SharedUse<Watched>

  /** `controllerName`: value of app.kubernetes.io/name on the controller's Deployment. */
  constructor(kubernetes: Kubernetes, controllerName = 'karpenter') {
    this.#shared = new SharedUse((signal) => new Watched(kubernetes, controllerName, signal))
  }

  /** Nothing is followed any more when the last who waits is done. */
  async use<R>(step: Step, wait: (watched: Watched) => Promise<R>): Promise<R> {
    return this.#shared.use(step.signal, wait)
  }
}

function poolOf({ metadata }: Manifest): string {
  return metadata.labels?.['karpenter.sh/nodepool'] ?? ''
}

function classOf(pool: Manifest): string {
  return textField(pool, 'spec', 'template', 'spec', 'nodeClassRef', 'name') ?? ''
}

/** With the node and the instance that it stands for. */
function leanClaim(claim: Manifest): Manifest {
  const [nodeName, providerID] = ['nodeName', 'providerID'].map((name) => textField(claim, 'status', name))
  const { status, ...rest } = lean(claim)
  return {
    ...rest,
    ...(isMap(status) && {
      status: {
        ...status,
        ...(nodeName !== undefined && { nodeName }),
        ...(providerID !== undefined && { providerID })
      }
    })
  }
}
