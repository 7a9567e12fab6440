import { openAws } from '../../../src/aws/clients.js'
import { openConnection } from '../../../src/aws/connection.js'
import type { Credentials } from '../../../src/aws/credentials.js'
import type { Graph } from '../../../src/engine/graph.js'
import type { Inspection } from '../../../src/engine/resource.js'
import type { Claim } from '../../../src/engine/standing.js'
import { applyAll, inspectAll, removeAll } from '../../../src/engine/walk.js'
import type { Cloud } from '../../../sandbox/cloud/index.js'
import { account, fixedCredentials, type RecordedStep, recordedStep } from '../../aws/stand-in.js'
import type { ApiServer } from '../../kubernetes/api-server.js'
import { PlayedAws, startPlayedCloud } from '../../modes/played-aws.js'
import { startPlayedCluster } from '../../modes/played-cluster.js'
import { PlayedHelm } from '../../modes/played-helm.js'
import { type LiveStack, readStack } from '../../../src/aws/stack-operation.js'
import { stack } from '../../../src/resources/stack/stack.js'
import { install } from '../../resources/walk-one.js'
import { administrator } from '../../sandbox/cloud/clients.js'
import { modelOf, networkOf, type Shape, type Surroundings } from './shapes.js'

/** Models of cluster blue whose AWS, API server and helm answer. */
export class PlayedModel {
  readonly cloud: Cloud
  readonly server: ApiServer
  readonly aws: PlayedAws
  readonly helm: PlayedHelm
  /** What was kept for the report, by name. */
  readonly kept = new Map<string, string>()
  readonly #surroundings: Surroundings

  private constructor(cloud: Cloud, server: ApiServer, aws: PlayedAws) {
    this.cloud = cloud
    this.server = server
    this.aws = aws
    this.helm = new PlayedHelm(server, () => ({ aws: this.writes(), cluster: [] }))
    process.env['AWS_ENDPOINT_URL'] = cloud.url
    const keys = administrator(cloud)
    const credentials: Credentials = { ...fixedCredentials, get: async () => keys }
    const connection = openConnection({ region: account.region, env: {}, now: Date.now })
    this.#surroundings = {
      aws: openAws(connection, credentials, account, new URL(cloud.url)),
      kubernetes: server.kubernetes,
      helm: this.helm,
      keep: (name, text) => this.kept.set(name, text)
    }
  }

  static async start(): Promise<PlayedModel> {
    const aws = new PlayedAws()
    const [cloud, server] = await Promise.all([startPlayedCloud(aws, {}), startPlayedCluster(aws)])
    return new PlayedModel(cloud, server, aws)
  }

  async stop(): Promise<void> {
    delete process.env['AWS_ENDPOINT_URL']
    this.#surroundings.aws.destroy()
    await Promise.all([this.cloud.stop(), this.server.stop()])
  }

  /** As a run finds it now. */
  async graph(shape: Shape = {}): Promise<Graph> {
    const tags = [...this.aws.tags].map(([id, all]) => [id, Object.fromEntries(all)] as const)
    const found = { ...networkOf(Object.fromEntries(tags)), ...shape.found }
    return modelOf({ ...shape, found }, this.#surroundings)
  }

  async liveStack(): Promise<LiveStack | undefined> {
    return readStack(this.#surroundings.aws, 'Karpenter-blue')
  }

  /** Somebody else gives the stack another template. */
  async changeStack(template: string): Promise<void> {
    const wanted = {
      name: 'Karpenter-blue',
      clusterName: 'blue',
      template,
      resources: {},
      parameters: { ClusterName: 'blue' },
      tags: { 'setup-karpenter:owner': 'blue' },
      capabilities: ['CAPABILITY_NAMED_IAM'] as const
    }
    const { aws } = this.#surroundings
    await install(stack(wanted, { aws, ownership: { owner: 'setup-karpenter', run: 'local' } }))
  }

  /** To AWS since its calls were last cleared, those of CloudFormation among them. */
  writes(): readonly string[] {
    return this.cloud
      .calls()
      .flatMap(({ write, service, action, outcome }) =>
        write && outcome === 'ok' ? [`${service}:${action}`] : []
      )
  }

  /** What each resource says that it has done in an install of this. */
  async installed(shape: Shape = {}): Promise<Readonly<Record<string, readonly string[]>>> {
    const steps = await this.install(await this.graph(shape))
    const changes = [...steps].map(([id, { lines }]) => [id, [...lines]] as const)
    return Object.fromEntries(changes.filter(([, lines]) => lines.length > 0))
  }

  /** Ids of what is not as this wants it. */
  async differing(shape: Shape = {}): Promise<readonly string[]> {
    const inspections = [...(await inspect(await this.graph(shape))).values()]
    return inspections.filter(({ state }) => state !== 'as wanted').map(({ resource }) => resource.id)
  }

  /** Reads all, and applies what differs; what each was told, by id. */
  async install(graph: Graph): Promise<ReadonlyMap<string, RecordedStep>> {
    const inspections = await inspect(graph)
    const { journal, steps } = stepsOf()
    const outcomes = await applyAll(graph, inspections, journal, Date.now)
    const errors = outcomes.flatMap(({ error }) => (error instanceof Error ? [error] : []))
    const [first] = errors
    if (first !== undefined) throw first
    return steps
  }

  /** Removes it backward; what became of each, by id. */
  async remove(graph: Graph, claim: (id: string) => Claim): Promise<Map<string, string>> {
    const claims = new Map(graph.resources.map(({ id }) => [id, claim(id)]))
    const outcomes = await removeAll(graph, claims, stepsOf().journal, Date.now)
    return new Map(
      outcomes.map(({ id, removal }) => [
        id,
        removal.outcome === 'kept'
          ? `kept: ${removal.reason}`
          : removal.outcome === 'failed'
            ? `failed: ${String(removal.error)}`
            : removal.outcome
      ])
    )
  }
}

export async function inspect(graph: Graph): Promise<ReadonlyMap<string, Inspection>> {
  return inspectAll(graph, new AbortController().signal)
}

function stepsOf() {
  const steps = new Map<string, RecordedStep>()
  const journal = {
    step: (id: string) => {
      const step = steps.get(id) ?? recordedStep()
      steps.set(id, step)
      return { step, changes: () => step.lines }
    },
    begin: () => undefined,
    end: () => undefined
  }
  return { journal, steps }
}
