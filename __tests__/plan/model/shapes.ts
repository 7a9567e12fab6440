import { networkReads } from '../../../src/preflight/reads/network-reads.js'
import { type Aws, openAws } from '../../../src/aws/clients.js'
import { openConnection } from '../../../src/aws/connection.js'
import type { Cluster } from '../../../src/aws/environment.js'
import type { Graph } from '../../../src/engine/graph.js'
import type { InstallRecord } from '../../../src/engine/record.js'
import { createKubernetes, type Kubernetes } from '../../../src/kubernetes/client.js'
import { decide, type Decisions } from '../../../src/plan/decisions.js'
import type { Discovery } from '../../../src/plan/discovery.js'
import { model, type ModelParts } from '../../../src/plan/model/index.js'
import { adoptedInputs } from '../../../src/adoption/adoption.js'
import type { Installation } from '../../../src/adoption/installation.js'
import { termsOf } from '../../../src/adoption/terms.js'
import type { Manifest } from '../../../src/kubernetes/manifest.js'
import { factsOf, nodeClass } from '../../adoption/found.js'
import { account, fixedCredentials, recordedStep } from '../../aws/stand-in.js'
import { inputsOf } from '../../given-inputs.js'
import { swiftPace } from '../../kubernetes/pace.js'
import { localRun } from '../../local-run.js'
import { PlayedHelm } from '../../modes/played-helm.js'

export interface Shape {
  readonly inputs?: Readonly<Record<string, string>>
  readonly authenticationMode?: Cluster['authenticationMode']
  /** The version that runs. */
  readonly installed?: string
  readonly record?: InstallRecord
  readonly adopted?: boolean
  /** What of the installation that was taken over is otherwise than the guide's. */
  readonly installation?: Partial<Installation>
  /** By which the EC2NodeClass of what was taken over finds its subnets and security groups. */
  readonly selectors?: readonly unknown[]
  readonly removal?: ModelParts['removal']
  /** Text of the template file that the inputs name. */
  readonly template?: string
  /** The stack, where it has been read for the decisions. */
  readonly standing?: Decisions['standing']
  /** What of the cluster is otherwise. */
  readonly cluster?: Partial<Cluster>
  /** What of the discovery is otherwise. */
  readonly found?: Partial<Discovery>
}

/** What answers a model that is read, applied or removed. */
export interface Surroundings {
  readonly aws: Aws
  readonly kubernetes: Kubernetes
  readonly helm: PlayedHelm
  readonly keep: ModelParts['keep']
}

export const removal: NonNullable<ModelParts['removal']> = {
  forceDrain: false,
  removeCrds: true,
  removeOidcProvider: true,
  removeAdopted: false
}

/** The model of cluster blue, as it is decided from these facts; nothing is asked for it. Without surroundings nothing answers it. */
export async function modelOf(shape: Shape, surroundings?: Surroundings): Promise<Graph> {
  const {
    inputs: given = {},
    authenticationMode = 'API_AND_CONFIG_MAP',
    installed,
    record,
    selectors
  } = shape
  const local = localRun()
  try {
    const cluster = { ...clusterOf(authenticationMode), ...shape.cluster }
    const { aws, kubernetes, helm, keep } = surroundings ?? nothingAnswers(cluster)
    const plain = inputsOf({ 'cluster-name': 'blue', template: 'built-in', ...given })
    const terms = termsOf(
      factsOf({
        ...shape.installation,
        ...(selectors !== undefined && { nodeClasses: [findingBy(selectors)] })
      })
    )
    const adopted = shape.adopted === true && terms.kind === 'compatible' ? terms.adopted : undefined
    const inputs = adopted === undefined ? plain : adoptedInputs(plain, adopted.adoption)
    const found: Discovery = {
      aws,
      cluster,
      kubernetes,
      ...networkOf({}),
      controllers:
        installed === undefined
          ? []
          : [
              { namespace: inputs.namespace, deployment: 'karpenter', version: installed, release: undefined }
            ],
      autoscalers: [],
      nodes: async () => Promise.resolve([]),
      othersNodes: async () => Promise.resolve({ nodes: [], ofAll: 0 }),
      network: networkReads(aws, cluster),
      fargateOnly: async () => Promise.resolve(false),
      oidcProvider: async () => Promise.resolve(false),
      identityOf: async () => Promise.resolve(undefined),
      roleNamed: async () => Promise.resolve('absent'),
      podIdentityAgent: false,
      podIdentityAgentPods: undefined,
      record,
      denied: [],
      ...(adopted !== undefined && { adopted }),
      ...shape.found
    }
    const ports = { ...local.run.ports, helm, readFile: () => shape.template ?? '' }
    const decisions = await decide({ inputs, found, session: local.run.session, ports }, recordedStep())
    // In the folder of the run, which ends here.
    if (surroundings !== undefined) await decisions.helm()
    await local.run.session.close()
    return model({
      inputs,
      found,
      decisions: { ...decisions, standing: shape.standing },
      ownership: { owner: 'setup-karpenter', run: 'local' },
      keep,
      ...(shape.removal !== undefined && { removal: shape.removal })
    })
  } finally {
    local.end()
  }
}

function nothingAnswers({ endpoint, authenticationMode }: Cluster): Surroundings {
  const connection = openConnection({ region: account.region, env: {}, now: Date.now })
  return {
    aws: openAws(connection, fixedCredentials, account, new URL('https://sts.eu-west-1.amazonaws.com')),
    kubernetes: createKubernetes({
      endpoint,
      certificateAuthority: '',
      token: async () => Promise.resolve(''),
      proxyEnv: {},
      pace: swiftPace(),
      signal: new AbortController().signal,
      record: () => undefined,
      caller: { arn: account.callerArn, clusterName: 'blue', region: account.region, authenticationMode }
    }),
    helm: new PlayedHelm(),
    keep: () => undefined
  }
}

/** A line a resource: `id: what must be there before`, ids of a family as one. */
export function linesOf(graph: Graph): readonly string[] {
  const lines = graph.resources.map(({ id, dependsOn }) => {
    const before = familiesOf(dependsOn)
    return before.length === 0 ? `${family(id)}:` : `${family(id)}: ${before.join(' ')}`
  })
  return [...new Set(lines)].toSorted()
}

/** What of one model is not in the other: `- line`, `+ line`. */
export function changesBetween(from: Graph, to: Graph): readonly string[] {
  const [before, after] = [linesOf(from), linesOf(to)]
  return [
    ...before.filter((line) => !after.includes(line)).map((line) => `- ${line}`),
    ...after.filter((line) => !before.includes(line)).map((line) => `+ ${line}`)
  ]
}

/** `policy/*` for each policy. */
function family(id: string): string {
  return id.replace(/^(policy|rule|event-rule|role)\/.+/, '$1/*')
}

function familiesOf(ids: readonly string[]): readonly string[] {
  return [...new Set(ids.map(family))].toSorted()
}

function findingBy(terms: readonly unknown[]): Manifest {
  const spec = {
    role: 'KarpenterNodeRole-blue',
    subnetSelectorTerms: terms,
    securityGroupSelectorTerms: terms
  }
  return { ...nodeClass, spec }
}

/** One subnet and one security group, with these tags by id. */
export function networkOf(
  tags: Readonly<Record<string, Readonly<Record<string, string>>>>
): Pick<Discovery, 'subnets' | 'securityGroups'> {
  const [vpcId, subnet, group] = ['vpc-1', 'subnet-1', 'sg-1']
  const availabilityZone = 'eu-west-1a'
  const addresses = { availableAddresses: 100, publicAddresses: false }
  return {
    subnets: [{ id: subnet, vpcId, availabilityZone, ...addresses, tags: tags[subnet] ?? {} }],
    securityGroups: [{ id: group, name: 'blue', vpcId, tags: tags[group] ?? {} }]
  }
}

function clusterOf(authenticationMode: Cluster['authenticationMode']): Cluster {
  return {
    name: 'blue',
    arn: 'arn:aws:eks:eu-west-1:111122223333:cluster/blue',
    kubernetesVersion: '1.35',
    status: 'ACTIVE',
    endpoint: 'https://blue.invalid',
    endpointAccess: { publicly: true, privately: false, cidrs: [] },
    certificateAuthority: '',
    authenticationMode,
    oidcIssuer: 'https://oidc.eks.eu-west-1.amazonaws.com/id/B1',
    vpcId: 'vpc-1',
    subnetIds: ['subnet-1'],
    clusterSecurityGroupId: 'sg-1',
    autoMode: false,
    tags: {}
  }
}
