import type { Pace } from '../../src/kubernetes/endurance.js'
import { textField } from '../../src/kubernetes/manifest.js'
import type { HelmSource } from '../../src/run/ports.js'
import { realPace } from '../kubernetes/pace.js'
import type { Ended, PlayedWorld } from './played-run.js'

type Given = Readonly<Record<string, string>>

/** One write of a run, and how its machine is lost there. */
export interface Point {
  /** Which write, from 1. */
  readonly write: number
  /** Before it is carried out, or when it is answered and the run has not heard. */
  readonly moment: 'before' | 'after'
}

export interface Killed {
  /** `iam CreateRole`, `PATCH /api/v1/...`, `helm upgrade`, in order, to the last. */
  readonly writes: readonly string[]
  /** Whether there are as many writes. */
  readonly reached: boolean
}

/** Of a machine that is lost nothing is heard any more: no write of it is carried out from then on. */
export async function killed(world: PlayedWorld, given: Given, point?: Point): Promise<Killed> {
  const writes: string[] = []
  let dead = false
  let cancel = (): void => undefined
  const dies = (): void => {
    dead = true
    cancel()
  }
  /** Numbers a write; what it comes to. */
  const at = (write: string): 'carried out' | 'lost' | 'answer lost' => {
    if (dead) return 'lost'
    writes.push(write)
    if (writes.length !== point?.write) return 'carried out'
    dies()
    return point.moment === 'before' ? 'lost' : 'answer lost'
  }
  let answerLost = false
  world.cloud.setGate(async ({ service, action }, moment) => {
    if (moment === 'after') return answerLost || dead ? 'cut' : 'pass'
    const fate = at(`${service} ${action}`)
    answerLost = fate === 'answer lost'
    return fate === 'lost' ? 'cut' : 'pass'
  })
  world.server.trouble = ({ method, path, query }) => {
    if (method === 'GET' || query.has('dryRun')) return undefined
    // How often a lock is renewed is the machine's speed.
    const fate = dead ? 'lost' : path.includes('/leases/') ? 'carried out' : at(`${method} ${path}`)
    return fate === 'carried out' ? undefined : { answer: 'reset', done: fate === 'answer lost' }
  }
  const helm = world.helm
  const mortal: HelmSource = {
    find: helm.find,
    chart: helm.chart,
    signature: helm.signature,
    versions: helm.versions,
    prepare: async (options) => {
      const prepared = await helm.prepare(options)
      return {
        ...prepared,
        run: async (args, more) => {
          const writing = args[0] === 'upgrade' || args[0] === 'uninstall'
          const fate = writing ? at(`helm ${args[0] ?? ''}`) : dead ? 'lost' : 'carried out'
          if (fate === 'lost') throw new Error('the machine is gone')
          const output = await prepared.run(args, more)
          if (fate === 'answer lost') throw new Error('the machine is gone')
          return output
        }
      }
    }
  }
  try {
    const ended = await world.main(given, {
      at: (_request, interference) => (cancel = interference.cancel),
      ports: (ports) => ({ ...ports, helm: mortal })
    })
    if (point === undefined && ended.failed !== undefined) throw new Error(ended.failed)
  } finally {
    world.cloud.setGate(undefined)
    world.server.trouble = () => undefined
  }
  return { writes, reached: dead }
}

/** The run after it, for which each look at the dead run's lock is ten seconds after the one before. */
export async function nextRun(world: PlayedWorld, given: Given): Promise<Ended> {
  const dead = world.lockHolder()
  const waits = (): boolean => dead !== undefined && dead !== '' && world.lockHolder() === dead
  let skipped = 0
  const pace: Pace = {
    monotonic: () => {
      if (waits()) skipped += 10_000
      return realPace.monotonic() + skipped
    },
    pause: async (milliseconds, signal) => realPace.pause(waits() ? 0 : milliseconds, signal)
  }
  return world.main(given, { ports: (ports) => ({ ...ports, lockPace: pace }) })
}

/** Names of all that stands in the account and the cluster, but for what Kubernetes itself writes down. */
export function standing({ cloud, aws, server }: PlayedWorld): readonly string[] {
  return [
    ...cloud.iam.roles.values().map(({ arn }) => arn),
    ...cloud.iam.policies.values().map(({ arn }) => arn),
    ...cloud.iam.oidcProviders.values().map(({ arn }) => arn),
    ...cloud.eks.accessEntries.values().map(({ principalArn }) => `access entry ${principalArn}`),
    ...cloud.eks.associations.values().map(({ serviceAccount }) => `association ${serviceAccount}`),
    ...[...aws.queues.keys()].map((name) => `queue ${name}`),
    ...[...aws.rules.keys()].map((name) => `rule ${name}`),
    ...[...aws.tags].flatMap(([id, tags]) => [...tags].map((tag) => `${id} ${tag.join('=')}`)),
    ...server.paths.filter((path) => !/\/(events|leases)\//.test(path))
  ].toSorted()
}

/** What stands is somebody else's from then on: no record, and no mark of ours on the release and the FlowSchemas. */
export function disown({ helm, server }: PlayedWorld): void {
  server.remove('/api/v1/namespaces/kube-system/configmaps/setup-karpenter')
  helm.disown({})
  const flowSchemas = '/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas/'
  for (const live of server.under(flowSchemas)) {
    const name = textField(live, 'metadata', 'name') ?? ''
    server.put(`${flowSchemas}${name}`, { ...live, metadata: { name } })
  }
}
