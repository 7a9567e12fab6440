import { networkReads } from '../../../src/preflight/reads/network-reads.js'
import { openAws } from '../../../src/aws/clients.js'
import { openConnection } from '../../../src/aws/connection.js'
import type { Cluster } from '../../../src/aws/environment.js'
import type { Graph } from '../../../src/engine/graph.js'
import type { InstallRecord } from '../../../src/engine/record.js'
import { createKubernetes } from '../../../src/kubernetes/client.js'
import { decide } from '../../../src/plan/decisions.js'
import type { Discovery } from '../../../src/plan/discovery.js'
import { model, type ModelParts } from '../../../src/plan/model/index.js'
import { adoptedInputs } from '../../../src/adoption/adoption.js'
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
  /** By which the EC2NodeClass of what was taken over finds its subnets and security groups. */
  readonly selectors?: readonly unknown[]
  readonly removal?: ModelParts['removal']
}

export const removal: NonNullable<ModelParts['removal']> = {
  forceDrain: false,
  removeCrds: true,
  removeOidcProvider: true,
  removeAdopted: false
}

/** The model of cluster blue, as it is decided from these facts; nothing is asked for it. */
export async function modelOf(shape: Shape): Promise<Graph> {
  const {
    inputs: given = {},
    authenticationMode = 'API_AND_CONFIG_MAP',
    installed,
    record,
    selectors
  } = shape
  const local = localRun()
  try {
    const connection = openConnection({ region: account.region, env: {}, now: Date.now })
    const aws = openAws(connection, fixedCredentials, account, new URL('https://sts.eu-west-1.amazonaws.com'))
    const cluster = clusterOf(authenticationMode)
    const kubernetes = createKubernetes({
      endpoint: cluster.endpoint,
      certificateAuthority: '',
      token: async () => Promise.resolve(''),
      proxyEnv: {},
      pace: swiftPace(),
      signal: new AbortController().signal,
      record: () => undefined,
      caller: { arn: account.callerArn, clusterName: 'blue', region: account.region, authenticationMode }
    })
    const plain = inputsOf({ 'cluster-name': 'blue', template: 'built-in', ...given })
    const terms = termsOf(factsOf(selectors === undefined ? {} : { nodeClasses: [findingBy(selectors)] }))
    const adopted = shape.adopted === true && terms.kind === 'compatible' ? terms.adopted : undefined
    const inputs = adopted === undefined ? plain : adoptedInputs(plain, adopted.adoption)
    const found: Discovery = {
      aws,
      cluster,
      kubernetes,
      subnets: [subnet('subnet-1', 'eu-west-1a')],
      securityGroups: [{ id: 'sg-1', name: 'blue', vpcId: 'vpc-1', tags: {} }],
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
      ...(adopted !== undefined && { adopted })
    }
    const ports = { ...local.run.ports, helm: new PlayedHelm() }
    const decisions = await decide({ inputs, found, session: local.run.session, ports }, recordedStep())
    await local.run.session.close()
    return model({
      inputs,
      found,
      decisions,
      ownership: { owner: 'setup-karpenter', run: 'local' },
      keep: () => undefined,
      ...(shape.removal !== undefined && { removal: shape.removal })
    })
  } finally {
    local.end()
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

function subnet(id: string, availabilityZone: string): Discovery['subnets'][number] {
  return { id, vpcId: 'vpc-1', availabilityZone, availableAddresses: 100, publicAddresses: false, tags: {} }
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
