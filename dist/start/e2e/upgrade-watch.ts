import { setTimeout as delay } from 'node:timers/promises'
import type { RecordedCall } from '../sandbox/cloud/service.js'
import type { Sandbox } from '../sandbox/index.js'
import { list, record, text } from '../sandbox/values.js'
import { at, conditions, denied, find, listed, paths, until, type KubernetesObject } from './scenario.js'

/** The installation at one moment. */
export interface Moment {
  /** Milliseconds since the epoch. */
  readonly at: number
  /** Version of each of the controller's pods that are Ready and stay. */
  readonly ready: readonly string[]
  /** Version of each of the controller's pods, Ready or not. */
  readonly pods: readonly string[]
  /** Names of the policies on the controller's role. */
  readonly policies: readonly string[]
  /** The chart's version as its Deployment says it. */
  readonly chart: string
  /** Counts the changes of the CRD of NodePools. */
  readonly crd: number
}

/** Looks at the installation again and again until it is told to stop. */
export class UpgradeWatch {
  readonly moments: Moment[] = []
  readonly #sandbox: Sandbox
  readonly #since: number
  #stopped = false
  readonly #watching: Promise<void>

  constructor(sandbox: Sandbox) {
    this.#sandbox = sandbox
    this.#since = sandbox.cloud.calls().length
    this.#watching = this.#watch()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#watching
  }

  /** Resolves when the thing is seen. */
  async seen(what: string, is: (moment: Moment) => boolean): Promise<void> {
    const from = this.moments.length
    await until(what, () => (this.moments.slice(from).some(is) ? true : undefined), 300)
  }

  /** Resolves when the call has been answered. */
  async answered(action: string): Promise<void> {
    const from = this.#sandbox.cloud.calls().length
    const answers = (): boolean =>
      this.#sandbox.cloud
        .calls()
        .slice(from)
        .some((call) => call.action === action)
    await until(action, () => (answers() ? true : undefined), 300)
  }

  /** Calls of everybody while it was watched. */
  calls(): readonly RecordedCall[] {
    return this.#sandbox.cloud.calls().slice(this.#since)
  }

  /** What the controller, old or new, was refused for want of a permission. */
  refused(): readonly string[] {
    const role = `:assumed-role/${this.#sandbox.name}-karpenter/`
    return denied(this.calls().filter(({ callerArn }) => callerArn.includes(role)))
  }

  /** When the given thing was seen first. */
  first(what: string, is: (moment: Moment) => boolean): number {
    const found = this.moments.find(is)
    if (found === undefined) throw new Error(`${what}: never seen`)
    return found.at
  }

  /** When the given thing was seen last. */
  last(what: string, is: (moment: Moment) => boolean): number {
    const found = this.moments.findLast(is)
    if (found === undefined) throw new Error(`${what}: never seen`)
    return found.at
  }

  /** When a call was made first and last. */
  called(action: string, policy: string): { readonly first: number; readonly last: number } {
    const all = this.calls().filter(
      (call) => call.action === action && call.outcome === 'ok' && JSON.stringify(call.input).includes(policy)
    )
    const [first, last] = [all[0], all.at(-1)]
    if (first === undefined || last === undefined) throw new Error(`${action} ${policy}: never called`)
    return { first: first.at, last: last.at }
  }

  async #watch(): Promise<void> {
    while (!this.#stopped) {
      this.moments.push(await momentOf(this.#sandbox))
      await delay(30)
    }
  }
}

async function momentOf(sandbox: Sandbox): Promise<Moment> {
  const [deployment, pods, crd] = await Promise.all([
    find(sandbox, `${paths.deployments}/karpenter`),
    listed(
      sandbox,
      '/api/v1/namespaces/karpenter/pods?labelSelector=app.kubernetes.io%2Finstance%3Dkarpenter'
    ),
    find(sandbox, `${paths.crds}/nodepools.karpenter.sh`)
  ])
  const stays = pods.filter((pod) => at(pod, 'metadata', 'deletionTimestamp') === undefined)
  return {
    at: Date.now(),
    ready: stays.filter((pod) => conditions(pod)['Ready'] === 'True').map(versionOf),
    pods: pods.map(versionOf),
    policies: sandbox.cloud.iam
      .role(`${sandbox.name}-karpenter`)
      .attached.map((arn) => arn.split('/').at(-1) ?? ''),
    chart: text(at(deployment, 'metadata', 'labels', 'app.kubernetes.io/version')) ?? '',
    crd: Number(at(crd, 'metadata', 'generation') ?? 0)
  }
}

/** 1.2.1 */
function versionOf(pod: KubernetesObject): string {
  const image = list(at(pod, 'spec', 'containers')).map(
    (container) => text(record(container)['image']) ?? ''
  )[0]
  return /:v?([\d.]+)/.exec(image ?? '')?.[1] ?? ''
}
