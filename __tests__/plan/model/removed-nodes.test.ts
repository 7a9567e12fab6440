import type { Aws } from '../../../src/aws/clients.js'
import type { Graph } from '../../../src/engine/graph.js'
import type { InstallRecord, RecordedResource } from '../../../src/engine/record.js'
import { awsWith, recordedStep, type StandIn } from '../../aws/stand-in.js'
import { ApiServer } from '../../kubernetes/api-server.js'
import { PlayedHelm } from '../../modes/played-helm.js'
import { modelOf, removal, type Shape } from './shapes.js'

let server: ApiServer
let cloud: StandIn
let aws: Aws
let close: () => Promise<void>
beforeEach(async () => {
  server = await ApiServer.start()
  const tags = (list: Readonly<Record<string, string>>) =>
    Object.entries(list).map(([key, value]) => ({ key, value }))
  const started = await awsWith({
    DescribeInstances: () => ({
      reservationSet: [
        {
          instancesSet: [
            {
              instanceId: 'i-0ab1',
              instanceState: { name: 'running' },
              tagSet: tags({ 'karpenter.sh/nodepool': 'default' })
            }
          ]
        }
      ]
    }),
    DescribeLaunchTemplates: () => ({
      launchTemplates: [
        {
          launchTemplateId: 'lt-0ab1',
          tagSet: tags({
            'eks:eks-cluster-name': 'blue',
            'karpenter.k8s.aws/cluster': 'blue',
            'karpenter.k8s.aws/ec2nodeclass': 'default'
          })
        }
      ]
    }),
    DescribeNetworkInterfaces: () => ({ networkInterfaceSet: [] }),
    DescribeVolumes: () => ({ volumeSet: [] }),
    ListInstanceProfiles: () => ({ InstanceProfiles: [], IsTruncated: false }),
    ListInstanceProfilesForRole: () => ({ InstanceProfiles: [], IsTruncated: false }),
    TerminateInstances: () => ({ instancesSet: [] })
  })
  ;({ aws, server: cloud, close } = started)
})
afterEach(async () => {
  await Promise.all([close(), server.stop()])
})

async function graphOf(shape: Shape): Promise<Graph> {
  const { kubernetes } = server
  return modelOf({ removal, ...shape }, { aws, kubernetes, helm: new PlayedHelm(), keep: () => undefined })
}

const pool = '/apis/karpenter.sh/v1/nodepools/default'
const nodeClass = '/apis/karpenter.k8s.aws/v1/ec2nodeclasses/default'
const claim = '/apis/karpenter.sh/v1/nodeclaims/default-x'
const mark = { 'app.kubernetes.io/managed-by': 'setup-karpenter' }

/** NodePool and EC2NodeClass with these labels. */
function putBoth(ofPool: Readonly<Record<string, string>>, ofClass: Readonly<Record<string, string>>): void {
  server.put(pool, { apiVersion: 'karpenter.sh/v1', kind: 'NodePool', metadata: { labels: ofPool } })
  server.put(nodeClass, {
    apiVersion: 'karpenter.k8s.aws/v1',
    kind: 'EC2NodeClass',
    metadata: { labels: ofClass }
  })
}

function recordOf(resources: Readonly<Record<string, RecordedResource>>): InstallRecord {
  return { schema: 1, karpenterVersion: '1.14.1', run: '', time: '2026-11-01T00:00:00Z', resources }
}
const adopted = { before: ['default'], wanted: {}, adopted: true } as const

/** Whether a removal takes what Karpenter made of the NodePool, and of the EC2NodeClass. */
async function goes(shape: Shape): Promise<readonly [instances: boolean, leftovers: boolean]> {
  const graph = await graphOf(shape)
  const isGoing = async (id: string): Promise<boolean> => {
    const inspection = await graph.get(id).inspect(new AbortController().signal)
    return inspection.judged({ removeAdopted: false })[0]?.stays === undefined
  }
  return [await isGoing('instances'), await isGoing('leftovers')]
}

test.each<[string, Shape, readonly [object, object], readonly [boolean, boolean]]>([
  ['both are ours', {}, [mark, mark], [true, true]],
  ['the EC2NodeClass is of somebody else', {}, [mark, {}], [true, false]],
  ['the NodePool is of somebody else', {}, [{}, mark], [false, true]],
  [
    'the NodePool was taken over',
    { record: recordOf({ 'node-pool/default': adopted }) },
    [{}, mark],
    [false, true]
  ],
  [
    'the NodePool was taken over and goes as well',
    {
      record: recordOf({ 'node-pool/default': adopted }),
      removal: { ...removal, removeAdopted: true }
    },
    [{}, {}],
    [true, false]
  ],
  [
    'the EC2NodeClass was taken over and goes as well',
    {
      record: recordOf({ 'ec2-node-class/default': adopted }),
      removal: { ...removal, removeAdopted: true }
    },
    [{}, {}],
    [false, true]
  ]
])(
  'instances go with their NodePool and launch templates with their EC2NodeClass, where %s',
  async (_where, shape, [ofPool, ofClass], wanted) => {
    putBoth({ ...ofPool }, { ...ofClass })
    expect(await goes(shape)).toEqual(wanted)
  }
)

/** A NodeClaim that only Karpenter's controller lets go. */
function putClaim(): void {
  server.put(claim, {
    apiVersion: 'karpenter.sh/v1',
    kind: 'NodeClaim',
    metadata: {
      labels: { 'karpenter.sh/nodepool': 'default' },
      finalizers: ['karpenter.sh/termination'],
      deletionTimestamp: '2026-01-01T00:00:00Z'
    },
    spec: { nodeClassRef: { name: 'default' } },
    status: { providerID: 'aws:///eu-west-1a/i-0ab1' }
  })
}

async function removePool(shape: Shape): Promise<unknown> {
  putBoth(mark, mark)
  putClaim()
  return (await graphOf(shape)).get('node-pool/default').remove(recordedStep(), { removeAdopted: false })
}

test('without a controller nodes are ended by force alone, and only where that is asked for', async () => {
  await expect(removePool({})).rejects.toThrow('no Karpenter controller is in the cluster')
  expect(cloud.calls).toEqual([])
  await expect(removePool({ removal: { ...removal, forceDrain: true } })).resolves.toEqual({
    outcome: 'removed'
  })
  expect(cloud.calls).toEqual(['TerminateInstances'])
})

test.each([
  ['karpenter', 'controller: {}'],
  ['karpenter', 'nameOverride: ""'],
  ['other', 'nameOverride: other']
])('the controller that drains them is looked for by the name %s that %s gives it', async (name, values) => {
  await removePool({ inputs: { 'helm-values': values } }).catch(() => undefined)
  const selectors = server.calls
    .filter(({ path }) => path.endsWith('/deployments'))
    .map(({ query }) => query.get('labelSelector'))
  expect(new Set(selectors)).toEqual(new Set([`app.kubernetes.io/name=${name}`]))
})
