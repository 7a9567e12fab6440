import type { Finding } from '../../src/engine/findings.js'
import { isMap } from '../../src/engine/json.js'
import { deploymentPath, leasePath } from './played-helm.js'
import { type Ended, PlayedWorld } from './played-run.js'

let world: PlayedWorld
beforeAll(async () => {
  world = await PlayedWorld.start()
  await world.main({ 'smoke-test': 'false' })
})
afterAll(async () => world.stop())

const crdPath = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/nodeclaims.karpenter.sh'
const poolPath = '/apis/karpenter.sh/v1/nodepools/default'
const classPath = '/apis/karpenter.k8s.aws/v1/ec2nodeclasses/default'
const podPath = '/api/v1/namespaces/karpenter/pods/karpenter-0'
const claimPath = '/apis/karpenter.sh/v1/nodeclaims/default-x'

type Objects = Readonly<Record<string, Record<string, unknown>>>

/** A check while these objects are so; afterwards they are as they were. */
async function checkWith(objects: Objects, given: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const { server } = world
  const before = Object.keys(objects).map((path) => [path, server.at(path)] as const)
  for (const [path, change] of Object.entries(objects)) server.put(path, { ...server.at(path), ...change })
  try {
    const ended = await world.main({ mode: 'check', ...given })
    expect(ended.writes).toEqual({ aws: [], cluster: [] })
    return ended
  } finally {
    for (const [path, object] of before) {
      if (object === undefined) server.remove(path)
      else server.put(path, object)
    }
  }
}

function findingsOf({ report }: Ended): readonly Partial<Finding>[] {
  const found = report?.['findings']
  return Array.isArray(found) ? found.filter((one) => isMap(one)) : []
}

const pod = (status: Record<string, unknown>): Record<string, unknown> => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    namespace: 'karpenter',
    labels: { 'app.kubernetes.io/instance': 'karpenter', 'pod-template-hash': 'a' },
    creationTimestamp: '2026-11-29T08:00:00Z'
  },
  spec: {
    containers: [
      {
        name: 'controller',
        env: [{ name: 'AWS_CONTAINER_CREDENTIALS_FULL_URI', value: 'http://169.254.170.23/v1/credentials' }]
      }
    ]
  },
  status
})
const noReplica = { updatedReplicas: 2, replicas: 2, observedGeneration: 1 }
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
  const ended = await checkWith({})
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
    'a Deployment whose pods find no node',
    {
      [deploymentPath]: { status: noReplica },
      [podPath]: pod({
        conditions: [
          {
            type: 'PodScheduled',
            status: 'False',
            reason: 'Unschedulable',
            message: '0/2 nodes are available: 2 node(s) were unschedulable.'
          }
        ]
      })
    },
    {
      id: 'helm-release',
      path: 'Deployment/karpenter.status.availableReplicas',
      live: '0 of 2 pods are available',
      reason:
        'Deployment karpenter/karpenter: 0 of 2 pods are available; Pod karpenter-0 Unschedulable: 0/2 nodes are available: 2 node(s) were unschedulable.',
      install: expect.stringMatching(/^wait for it, and fail with the same reason\. .*Add a node/) as string
    }
  ],
  [
    'a Deployment whose pods crash',
    {
      [deploymentPath]: { status: noReplica },
      [podPath]: pod({
        containerStatuses: [
          {
            name: 'controller',
            ready: false,
            restartCount: 7,
            state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 5m0s restarting' } },
            lastState: { terminated: { exitCode: 137, reason: 'OOMKilled' } }
          }
        ]
      })
    },
    {
      id: 'helm-release',
      reason:
        'Deployment karpenter/karpenter: 0 of 2 pods are available; Pod karpenter-0 CrashLoopBackOff: back-off 5m0s restarting; restarted 7 times, last ended with exit code 137 (OOMKilled)',
      install: expect.stringMatching(/^start the pod afresh, and fail if it crashes again\. /) as string
    }
  ],
  [
    'a Deployment whose new pods are refused',
    {
      [deploymentPath]: {
        status: {
          ...noReplica,
          conditions: [
            {
              type: 'ReplicaFailure',
              status: 'True',
              reason: 'FailedCreate',
              message: 'pods "karpenter-" is forbidden: exceeded quota'
            }
          ]
        }
      }
    },
    {
      reason:
        'Deployment karpenter/karpenter: 0 of 2 pods are available; ReplicaFailure=True (FailedCreate): pods "karpenter-" is forbidden: exceeded quota'
    }
  ],
  [
    'a controller that restarts again and again and is ready in between',
    {
      [podPath]: {
        ...pod({
          conditions: [{ type: 'Ready', status: 'True' }],
          containerStatuses: [
            {
              name: 'controller',
              ready: true,
              restartCount: 9,
              state: { running: {} },
              lastState: {
                terminated: { exitCode: 137, reason: 'OOMKilled', finishedAt: new Date().toISOString() }
              }
            }
          ]
        })
      }
    },
    {
      id: 'helm-release',
      path: 'Pod/karpenter-0.status.containerStatuses[controller].restartCount',
      live: 9,
      install: expect.stringContaining('Give the controller more memory') as string
    }
  ],
  [
    'a leader that does not renew its Lease',
    { [leasePath]: { spec: { holderIdentity: 'karpenter-0', renewTime: '2026-11-29T08:00:00.000000Z' } } },
    {
      id: 'helm-release',
      live: '2026-11-29T08:00:00.000000Z',
      reason:
        'Lease karpenter/karpenter-leader-election was last renewed at 2026-11-29T08:00:00.000000Z: karpenter-0 leads by name, and no controller works'
    }
  ],
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
])('%s is unhealthy', async (_what, objects, expected) => {
  const ended = await checkWith(objects)
  expect(findingsOf(ended)).toEqual([expect.objectContaining({ kind: 'unhealthy', ...expected })])
  expect(ended.outputs).toMatchObject({ drift: '0', unhealthy: '1', pending: '0', unknown: '0' })
  expect(ended.failed).toContain('1 unhealthy')
  expect(ended.failed).toContain('no install mends what is as installed and does not work')
  expect(ended.errors).toHaveLength(1)
  expect(ended.summary).toContain('1 unhealthy')
  expect((await checkWith(objects, { 'fail-on': 'drift,unknown' })).failed).toBeUndefined()
})

test('messages that nobody takes are unhealthy, those that go are not', async () => {
  const queue = world.aws.queues.get('blue')
  if (queue === undefined) throw new Error('there is no queue')
  Object.assign(queue, { ApproximateNumberOfMessages: '12', ApproximateNumberOfMessagesNotVisible: '0' })
  const ended = await checkWith({})
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

test('a Deployment that is whole again half a minute later is well', async () => {
  const { server } = world
  const live = server.at(deploymentPath)
  if (live === undefined) throw new Error('there is no Deployment')
  server.put(deploymentPath, { ...live, status: noReplica })
  const ended = await world.main({ mode: 'check' }, { paused: () => void server.put(deploymentPath, live) })
  expect([ended.failed, ended.outputs['unhealthy']]).toEqual([undefined, '0'])
})

test('a NodePool that Karpenter has not made up its mind about is well when it does, and unhealthy when it never does', async () => {
  const { server } = world
  const live = server.at(poolPath)
  if (live === undefined) throw new Error('there is no NodePool')
  const undecided = notReady('NodeClassReady', 'NodeClassReadinessUnknown', 'Node Class Readiness Unknown')
  server.put(poolPath, { ...live, ...undecided })
  const ended = await world.main({ mode: 'check' }, { paused: () => void server.put(poolPath, live) })
  expect([ended.failed, ended.outputs['unhealthy']]).toEqual([undefined, '0'])
  const never = await checkWith({ [poolPath]: undecided })
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
    const found = findingsOf(await checkWith({ [deploymentPath]: { status: noReplica } }))
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
  expect(findingsOf(await checkWith({ [path]: pool('eks.amazonaws.com') }))).toEqual([])
  expect(findingsOf(await checkWith({ [path]: pool('karpenter.k8s.aws') }))).toMatchObject([
    { kind: 'unhealthy', id: 'node-pool/general-purpose' }
  ])
})
