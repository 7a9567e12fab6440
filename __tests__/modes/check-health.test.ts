import type { Finding } from '../../src/engine/findings.js'
import { checkWith, expectUnhealthy, findingsOf, longAgo, noReplica, type Objects } from './health-check.js'
import { deploymentPath, leasePath } from './played-helm.js'
import { PlayedWorld } from './played-run.js'

let world: PlayedWorld
beforeAll(async () => {
  world = await PlayedWorld.start()
  await world.main({ 'smoke-test': 'false' })
})
afterAll(async () => world.stop())

const crdPath = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/nodeclaims.karpenter.sh'
const poolPath = '/apis/karpenter.sh/v1/nodepools/default'
const classPath = '/apis/karpenter.k8s.aws/v1/ec2nodeclasses/default'
const claimPath = '/apis/karpenter.sh/v1/nodeclaims/default-x'

const notReady = (type: string, reason: string, message: string): Record<string, unknown> => ({
  status: {
    conditions: [
      { type, status: 'False', reason, message },
      { type: 'Ready', status: 'False', reason: 'UnhealthyDependents', message: `${type}=False` }
    ]
  }
})

test('what works is unhealthy nowhere, and each thing is looked at once', async () => {
  const before = world.server.calls.length
  const ended = await checkWith(world, {})
  expect([ended.failed, ended.outputs['unhealthy']]).toEqual([undefined, '0'])
  expect(ended.log).toContain('what is installed works')
  const looks = /\/(pods|nodepools|nodeclaims|karpenter-leader-election)$/
  const paths = world.server.calls.slice(before).map(({ path }) => path)
  expect(paths.filter((path) => looks.test(path)).toSorted()).toEqual([
    '/api/v1/namespaces/karpenter/pods',
    leasePath,
    '/apis/karpenter.sh/v1/nodeclaims',
    '/apis/karpenter.sh/v1/nodepools'
  ])
  expect(ended.report).toMatchObject({ requests: { repeated: [] }, counts: { unhealthy: 0 } })
})

test.each<[string, Objects, Partial<Finding>]>([
  [
    'a NodePool that is not Ready',
    { [poolPath]: notReady('NodeClassReady', 'NodeClassNotFound', 'NodeClass not found on cluster') },
    {
      id: 'node-pool/default',
      reason:
        'NodePool default is not Ready: NodeClassReady=False (NodeClassNotFound): NodeClass not found on cluster',
      install: expect.stringContaining('check nodeClassRef in node-pools') as string
    }
  ],
  [
    'a NodePool whose nodes do not come up',
    {
      [poolPath]: {
        status: {
          conditions: [
            { type: 'Ready', status: 'True' },
            {
              type: 'NodeRegistrationHealthy',
              status: 'False',
              reason: 'RegistrationFailed',
              message: 'Failed to register node',
              lastTransitionTime: '2026-11-29T08:00:00Z'
            }
          ]
        }
      }
    },
    {
      id: 'node-pool/default',
      reason:
        'NodePool default gets no nodes that work since 2026-11-29T08:00:00Z: NodeRegistrationHealthy=False (RegistrationFailed): Failed to register node'
    }
  ],
  [
    'an EC2NodeClass that is not Ready',
    { [classPath]: notReady('SubnetsReady', 'SubnetsNotFound', 'SubnetSelector did not match any Subnets') },
    {
      id: 'ec2-node-class/default',
      reason:
        'EC2NodeClass default is not Ready: SubnetsReady=False (SubnetsNotFound): SubnetSelector did not match any Subnets',
      install: expect.stringContaining('Tag the subnets with karpenter.sh/discovery') as string
    }
  ],
  [
    'a CRD that is being deleted',
    {
      [crdPath]: {
        metadata: {
          labels: { 'app.kubernetes.io/managed-by': 'setup-karpenter' },
          deletionTimestamp: '2026-11-29T08:00:00Z',
          finalizers: ['customresourcecleanup.apiextensions.k8s.io']
        }
      }
    },
    {
      id: 'crds',
      reason:
        'CRD nodeclaims.karpenter.sh is being deleted since 2026-11-29T08:00:00Z, held by finalizer customresourcecleanup.apiextensions.k8s.io; no new object of its kind can be made, and those that are there go with it',
      install: expect.stringMatching(/^not stop the deletion\. /) as string
    }
  ],
  [
    'a CRD whose names are another one’s',
    {
      [crdPath]: {
        status: {
          conditions: [
            {
              type: 'NamesAccepted',
              status: 'False',
              reason: 'PluralConflict',
              message: '"nodeclaims" is in use'
            },
            {
              type: 'Established',
              status: 'False',
              reason: 'NotAccepted',
              message: 'not all names are accepted'
            }
          ]
        }
      }
    },
    {
      id: 'crds',
      path: 'nodeclaims.karpenter.sh.status.conditions[NamesAccepted]',
      reason:
        'CRD nodeclaims.karpenter.sh is not served: NamesAccepted=False (PluralConflict): "nodeclaims" is in use'
    }
  ],
  [
    'an EC2NodeClass of which Karpenter cannot say whether it is Ready',
    {
      [classPath]: {
        status: {
          conditions: [
            {
              type: 'Ready',
              status: 'Unknown',
              reason: 'AwaitingReconciliation',
              lastTransitionTime: longAgo
            },
            { type: 'SubnetsReady', status: 'True' },
            { type: 'AMIsReady', status: 'Unknown', reason: 'AwaitingReconciliation', message: 'awaited' }
          ]
        }
      }
    },
    {
      id: 'ec2-node-class/default',
      live: 'Unknown',
      reason: `EC2NodeClass default is not Ready: Karpenter has not made up its mind about it since ${longAgo}: AMIsReady=Unknown (AwaitingReconciliation): awaited`,
      install: expect.stringContaining("See the controller's log for what it cannot do") as string
    }
  ],
  [
    'a NodePool of which Karpenter has never said anything',
    { [poolPath]: { metadata: { creationTimestamp: longAgo }, status: {} } },
    {
      id: 'node-pool/default',
      reason: `NodePool default is not Ready: Karpenter has not made up its mind about it since ${longAgo}`
    }
  ],
  [
    'a NodeClaim that does not register',
    {
      [claimPath]: {
        apiVersion: 'karpenter.sh/v1',
        kind: 'NodeClaim',
        metadata: { labels: { 'karpenter.sh/nodepool': 'default' } },
        status: {
          conditions: [
            { type: 'Launched', status: 'True', reason: 'Launched' },
            {
              type: 'Registered',
              status: 'Unknown',
              reason: 'NodeNotFound',
              message: 'Node not registered with cluster',
              lastTransitionTime: '2026-11-29T08:00:00Z'
            }
          ]
        }
      }
    },
    {
      id: 'node-claims/default',
      path: 'registering',
      live: 1,
      reason:
        '1 NodeClaim of NodePool default is registering for longer than the 15 minutes that Karpenter gives them (default-x; the first since 2026-11-29T08:00:00.000Z): Registered=Unknown (NodeNotFound): Node not registered with cluster'
    }
  ]
])('%s is unhealthy', async (_what, objects, expected) => expectUnhealthy(world, objects, expected))

test('messages that nobody takes are unhealthy, those that go are not', async () => {
  const queue = world.aws.queues.get('blue')
  if (queue === undefined) throw new Error('there is no queue')
  Object.assign(queue, { ApproximateNumberOfMessages: '12', ApproximateNumberOfMessagesNotVisible: '0' })
  const ended = await checkWith(world, {})
  expect(findingsOf(ended)).toMatchObject([
    {
      kind: 'unhealthy',
      id: 'queue',
      live: '12',
      reason: expect.stringContaining('nobody takes the messages of SQS queue blue: 12 wait') as unknown
    }
  ])
  const going = await world.main(
    { mode: 'check' },
    { paused: () => void (queue['ApproximateNumberOfMessages'] = '0') }
  )
  expect([going.failed, going.outputs['unhealthy']]).toEqual([undefined, '0'])
})

test('a NodePool that Karpenter has not made up its mind about is well when it does, and unhealthy when it never does', async () => {
  const { server } = world
  const live = server.at(poolPath)
  if (live === undefined) throw new Error('there is no NodePool')
  const undecided = notReady('NodeClassReady', 'NodeClassReadinessUnknown', 'Node Class Readiness Unknown')
  server.put(poolPath, { ...live, ...undecided })
  const ended = await world.main({ mode: 'check' }, { paused: () => void server.put(poolPath, live) })
  expect([ended.failed, ended.outputs['unhealthy']]).toEqual([undefined, '0'])
  const never = await checkWith(world, { [poolPath]: undecided })
  expect(findingsOf(never)).toMatchObject([{ kind: 'unhealthy', id: 'node-pool/default' }])
})

test.each([
  [
    '/api/v1/namespaces/karpenter/pods',
    { id: 'controller-pods', missingPermission: 'list pods in namespace karpenter' }
  ],
  [
    '/apis/karpenter.sh/v1/nodeclaims',
    { id: 'health/NodeClaims', missingPermission: 'list nodeclaims.karpenter.sh' }
  ]
])('what may not be read of it is unknown, and the rest is said: %s', async (path, unread) => {
  const { server } = world
  const { intercept } = server
  server.intercept = (call, response) => {
    if (call.path !== path) return intercept(call, response)
    response
      .writeHead(403, { 'content-type': 'application/json' })
      .end(JSON.stringify({ kind: 'Status', status: 'Failure', reason: 'Forbidden', message: 'no' }))
    return true
  }
  try {
    const found = findingsOf(await checkWith(world, { [deploymentPath]: { status: noReplica } }))
    expect(found).toHaveLength(2)
    expect(found).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ ...unread, kind: 'unknown' }),
        expect.objectContaining({
          kind: 'unhealthy',
          reason: 'Deployment karpenter/karpenter: 0 of 2 pods are available'
        })
      ])
    )
  } finally {
    Object.assign(server, { intercept })
  }
})

test("NodePools of EKS Auto Mode are AWS's own affair", async () => {
  const status = { conditions: [{ type: 'Ready', status: 'False', reason: 'NodeClassNotReady' }] }
  const pool = (group: string): Objects[string] => ({
    apiVersion: 'karpenter.sh/v1',
    kind: 'NodePool',
    metadata: {},
    spec: { template: { spec: { nodeClassRef: { group, kind: 'NodeClass', name: 'default' } } } },
    status
  })
  const path = '/apis/karpenter.sh/v1/nodepools/general-purpose'
  expect(findingsOf(await checkWith(world, { [path]: pool('eks.amazonaws.com') }))).toEqual([])
  expect(findingsOf(await checkWith(world, { [path]: pool('karpenter.k8s.aws') }))).toMatchObject([
    { kind: 'unhealthy', id: 'node-pool/general-purpose' }
  ])
  const undecided = notReady('NodeClassReady', 'NodeClassReadinessUnknown', '')
  world.server.put(path, { ...pool('eks.amazonaws.com'), ...undecided })
  const pauses: unknown[] = []
  const ended = await world.main({ mode: 'check' }, { paused: () => void pauses.push(undefined) })
  expect([ended.failed, pauses]).toEqual([undefined, []])
})
