import type { WriteGate } from '../../sandbox/cloud/service.js'
import { type FaultyRelay, startFaultyRelay } from '../../sandbox/control-plane/faulty-relay.js'
import type { ActionResult, Sandbox } from '../../sandbox/index.js'

type Inputs = Readonly<Record<string, string>>

/** One write of a run, and how the run dies there. */
export interface Point {
  /** Which write, from 1. */
  readonly write: number
  /** Before it is sent on, or when it is answered and the run has not heard. */
  readonly moment: 'before' | 'after'
  /** `alone`: helm survives its parent. */
  readonly lost: 'whole' | 'alone'
}

/** A run, and what it wrote. */
export interface Counted {
  readonly result: ActionResult
  /** `PATCH /api/v1/...`, `iam CreateRole`, in order. */
  readonly writes: readonly string[]
  /** Milliseconds from the first look at the lock until it was had; undefined when it was not asked for. */
  readonly lockWait: number | undefined
}

/** Stands between the action and all that it writes to, and loses the machine that it runs on. */
export interface Killer {
  run(inputs: Inputs): Promise<Counted>
  /** What was written by then ends with the point; `reached`: there are as many writes. */
  killedAt(point: Point, inputs: Inputs): Promise<Counted & { readonly reached: boolean }>
  stop(): Promise<void>
}

const lock = '/leases/setup-karpenter'

/** The cluster's endpoint leads through it from then on: `inputsFor` keeps the controller on the API server's own. */
export async function startKiller(sandbox: Sandbox): Promise<Killer> {
  const { endpoint, caCertificate, authority } = sandbox.controlPlane
  const certificate = await authority.issue({
    commonName: 'kube-apiserver',
    ipAddresses: ['127.0.0.1'],
    usage: 'server'
  })
  const relay: FaultyRelay = await startFaultyRelay({ endpoint, caCertificate, certificate })
  sandbox.cloud.eks.setEndpoint(sandbox.name, relay.endpoint, caCertificate)
  const role = `assumed-role/${sandbox.deployerRoleArn.split('/').at(-1) ?? ''}/`

  async function counted(
    inputs: Inputs,
    point: Point | undefined
  ): Promise<Counted & { readonly reached: boolean }> {
    const writes: string[] = []
    const asked: { first?: number; had?: number } = {}
    let reached = false
    let lose: (how: Point['lost']) => void = () => undefined
    const lostAt = new Promise<Point['lost']>((resolve) => (lose = resolve))
    let over: () => void = () => undefined
    const ended = new Promise<void>((resolve) => (over = resolve))

    /** Counts before a write, and remembers which one it was for the moment after. */
    const die = async (): Promise<'cut'> => {
      reached = true
      if (point !== undefined) lose(point.lost)
      await ended
      return 'cut'
    }
    const before = async (write: string): Promise<'pass' | 'cut'> => {
      if (reached) return 'pass'
      writes.push(write)
      return point?.moment === 'before' && writes.length === point.write ? die() : 'pass'
    }
    const after = async (write: string): Promise<'pass' | 'cut'> =>
      !reached && point?.moment === 'after' && writes[point.write - 1] === write ? die() : 'pass'

    relay.fault = ({ path }) => {
      if (path.includes(lock)) asked.first ??= Date.now()
      return undefined
    }
    relay.gate = async ({ method, path, userAgent }, moment) => {
      const plain = path.replace(/\?.*/, '')
      if (plain.endsWith(lock) || plain.endsWith('/kube-system/leases')) {
        if (moment === 'after') asked.had ??= Date.now()
        // The lock is renewed by the clock, so that its writes have no number.
        if (method !== 'POST' && method !== 'DELETE') return 'pass'
      }
      if (userAgent.startsWith('karpenter')) return 'pass'
      return moment === 'before' ? before(`${method} ${plain}`) : after(`${method} ${plain}`)
    }
    const gate: WriteGate = async ({ service, action, caller }, moment) => {
      if (!caller.arn.includes(role)) return 'pass'
      return moment === 'before' ? before(`${service} ${action}`) : after(`${service} ${action}`)
    }
    sandbox.cloud.setGate(gate)
    try {
      const result = await sandbox.run(inputs, point === undefined ? {} : { lostAt })
      const { first, had } = asked
      return {
        result,
        reached,
        writes,
        lockWait: first === undefined || had === undefined ? undefined : Math.max(0, had - first)
      }
    } finally {
      over()
      sandbox.cloud.setGate(undefined)
      relay.fault = () => undefined
      relay.gate = async () => 'pass'
    }
  }

  return {
    run: async (inputs) => counted(inputs, undefined),
    killedAt: async (point, inputs) => counted(inputs, point),
    stop: async () => relay.stop()
  }
}
