import type { Service, Surroundings } from '../service.js'
import { MotoClient } from './client.js'
import {
  listInstances,
  runNodegroupInstance,
  type Instance,
  type NodegroupInstanceOrder
} from './ec2/instances.js'
import { createVpc, type Vpc, type VpcOrder } from './ec2/network.js'
import { subnetFacts, type SubnetFacts } from './ec2/subnet-facts.js'
import type { InstanceProfile } from './ec2/questions.js'
import { type LaunchTrouble, Records } from './ec2/records.js'
import { ec2Service } from './ec2/service.js'
import { events } from './events.js'
import { pricing } from './pricing.js'
import { sqs } from './sqs.js'
import { ssm } from './ssm.js'

export { startMoto, type MotoOptions, type MotoServer } from './server.js'
export { images, type Image } from './images.js'
export type { Instance, NodegroupInstanceOrder } from './ec2/instances.js'
export type { Subnet, Vpc, VpcOrder } from './ec2/network.js'
export type { InstanceProfile } from './ec2/questions.js'

/** EC2, SQS, EventBridge, SSM and Pricing of one account, with doors for the sandbox itself that ask no permissions. */
export class MotoServices {
  readonly #moto: MotoClient
  readonly #records = new Records()
  readonly #region: string
  readonly #profiles: (nameOrArn: string) => InstanceProfile | undefined
  readonly #listeners = new Set<() => void>()

  /** `url` is moto's; `profiles` finds instance profiles in the sandbox's IAM, by name or ARN. */
  constructor(options: {
    readonly url: string
    readonly region: string
    readonly profiles: (nameOrArn: string) => InstanceProfile | undefined
  }) {
    this.#moto = new MotoClient(options.url)
    this.#region = options.region
    this.#profiles = options.profiles
  }

  /** What the cloud is to be started with. */
  services(around: Surroundings): readonly Service[] {
    return [
      ec2Service({
        moto: this.#moto,
        records: this.#records,
        partition: around.partition,
        urlSuffix: around.urlSuffix,
        now: around.now,
        instanceProfile: this.#profiles,
        changed: () => this.#changed(),
        ended: async (id) => {
          for (const state of ['shutting-down', 'terminated'])
            await this.sendEvent({
              source: 'aws.ec2',
              detailType: 'EC2 Instance State-change Notification',
              detail: { 'instance-id': id, state }
            })
        }
      }),
      sqs(this.#moto, around),
      events(this.#moto, around.partition),
      ssm(around.partition),
      pricing()
    ]
  }

  createVpc(order: Omit<VpcOrder, 'region'>): Promise<Vpc> {
    return createVpc(this.#moto, { ...order, region: this.#region })
  }

  async runNodegroupInstance(order: Omit<NodegroupInstanceOrder, 'region'>): Promise<Instance> {
    const instance = await runNodegroupInstance(this.#moto, this.#records, { ...order, region: this.#region })
    this.#changed()
    return instance
  }

  /** Every instance of the home region, terminated ones too. */
  instances(): Promise<readonly Instance[]> {
    return listInstances(this.#moto, this.#records, this.#region)
  }

  /** Calls back after every launch and termination. Returns the way to stop that. */
  onInstancesChanged(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** What happens to every launch from now on; undefined: what was asked for. */
  troubleLaunches(trouble: LaunchTrouble | undefined): void {
    this.#records.trouble = trouble
  }

  /** The subnet with its VPC, and whether it has a route to an internet gateway; undefined when there is none. */
  subnet(id: string): Promise<SubnetFacts | undefined> {
    return subnetFacts(this.#moto, this.#region, id)
  }

  /** Any call to moto's EC2, past all permissions: to set a scene that no door above sets. */
  ec2(action: string, input: object): Promise<Readonly<Record<string, unknown>>> {
    return this.#moto.ec2Object(this.#region, action, input)
  }

  /** An event of AWS's own, such as a spot interruption warning: it reaches the queues that rules lead it to. */
  async sendEvent(event: {
    readonly source: string
    readonly detailType: string
    readonly detail: object
  }): Promise<void> {
    const { source, detailType, detail } = event
    await this.#moto.json(this.#region, 'events', 'PutEvents', {
      Entries: [{ Source: source, DetailType: detailType, Detail: JSON.stringify(detail) }]
    })
  }

  stop(): void {
    this.#moto.close()
  }

  #changed(): void {
    for (const listener of this.#listeners) listener()
  }
}
