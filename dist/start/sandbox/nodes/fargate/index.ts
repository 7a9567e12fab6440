import type { LiveNode } from '../pods.js'
import { removePods } from './profile-pods.js'
import { FargateScheduler, type FargateOptions } from './scheduler.js'
import { startFargateWebhook } from './webhook.js'

export type { FargateCloud } from './scheduler.js'

export interface Fargate {
  /** Names of the nodes that are there. */
  names(): readonly string[]
  node(name: string): LiveNode | undefined
  /** One event of the watch on all pods. */
  take(type: 'ADDED' | 'MODIFIED' | 'DELETED', pod: Readonly<Record<string, unknown>>): void
  /** Ends the pods of a profile; resolves when they are gone. */
  removePods(profileName: string): Promise<void>
  stop(): Promise<void>
}

/** EKS's part of a cluster that has Fargate: it takes pods in at admission, and gives each a node of its own. */
export async function startFargate(options: FargateOptions): Promise<Fargate> {
  const { api, authority, cloud, log } = options
  const webhook = await startFargateWebhook({ api, authority, profiles: cloud.profiles })
  const scheduler = new FargateScheduler(options)
  return {
    names: () => scheduler.names(),
    node: (name) => scheduler.node(name),
    take: (type, pod) => scheduler.take(type, pod),
    removePods: async (profileName) => removePods(api, profileName),
    stop: async () => {
      scheduler.stop()
      await webhook.stop().catch((error: unknown) => log(`fargate: ${String(error)}`))
    }
  }
}
