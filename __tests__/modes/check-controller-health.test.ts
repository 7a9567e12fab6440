import type { Finding } from '../../src/engine/findings.js'
import {
  checkWith,
  expectUnhealthy,
  findingsOf,
  longAgo,
  noReplica,
  type Objects,
  podPath
} from './health-check.js'
import { deploymentPath, leasePath } from './played-helm.js'
import { PlayedWorld } from './played-run.js'

let world: PlayedWorld
beforeAll(async () => {
  world = await PlayedWorld.start()
  await world.main({ 'smoke-test': 'false' })
})
afterAll(async () => world.stop())

const otherPodPath = '/api/v1/namespaces/karpenter/pods/karpenter-1'

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
    'a Deployment of whose pods one was evicted before, and another finds no node',
    {
      [deploymentPath]: { status: { ...noReplica, availableReplicas: 1 } },
      [podPath]: pod({
        phase: 'Failed',
        reason: 'Evicted',
        message: 'The node was low on resource: memory.'
      }),
      [otherPodPath]: pod({
        phase: 'Pending',
        conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/2 nodes' }]
      })
    },
    {
      reason:
        'Deployment karpenter/karpenter: 1 of 2 pods are available; Pod karpenter-1 Unschedulable: 0/2 nodes'
    }
  ],
  [
    'a Deployment whose pod has just been ended for its memory',
    {
      [deploymentPath]: { status: { ...noReplica, availableReplicas: 1 } },
      [podPath]: pod({
        containerStatuses: [
          {
            name: 'controller',
            ready: false,
            restartCount: 1,
            state: { terminated: { exitCode: 137, reason: 'OOMKilled' } }
          }
        ]
      })
    },
    {
      reason: 'Deployment karpenter/karpenter: 1 of 2 pods are available; Pod karpenter-0 OOMKilled',
      install: expect.stringContaining('Give the controller more memory') as string
    }
  ],
  [
    'a Deployment whose pods wait for what is no container',
    {
      [deploymentPath]: { status: { ...noReplica, availableReplicas: 1 } },
      [podPath]: pod({
        conditions: [
          { type: 'Ready', status: 'False', reason: 'ReadinessGatesNotReady', message: 'gate "x" is open' }
        ],
        containerStatuses: [{ name: 'controller', ready: true, restartCount: 0, state: { running: {} } }]
      })
    },
    {
      reason:
        'Deployment karpenter/karpenter: 1 of 2 pods are available; Pod karpenter-0 ReadinessGatesNotReady: gate "x" is open'
    }
  ],
  [
    'a Deployment whose init container crashes',
    {
      [deploymentPath]: { status: { ...noReplica, availableReplicas: 1 } },
      [podPath]: pod({
        initContainerStatuses: [
          {
            name: 'wait',
            ready: false,
            restartCount: 6,
            state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off' } },
            lastState: { terminated: { exitCode: 1, reason: 'Error' } }
          }
        ]
      })
    },
    {
      reason:
        'Deployment karpenter/karpenter: 1 of 2 pods are available; Pod karpenter-0 CrashLoopBackOff: back-off; restarted 6 times, last ended with exit code 1 (Error)'
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
  ]
])('%s is unhealthy', async (_what, objects, expected) => expectUnhealthy(world, objects, expected))

test('a Deployment that is being deleted is drift: nothing of it stays', async () => {
  const metadata = { ...world.server.at(deploymentPath)?.metadata, deletionTimestamp: longAgo }
  expect(findingsOf(await checkWith(world, { [deploymentPath]: { metadata } }))).toMatchObject([
    {
      kind: 'drift',
      id: 'helm-release',
      path: 'Deployment/karpenter.metadata.deletionTimestamp',
      reason: 'Deployment karpenter is being deleted',
      install: 'wait until it is gone, and make it anew'
    }
  ])
})

test('a Deployment that is whole again half a minute later is well', async () => {
  const { server } = world
  const live = server.at(deploymentPath)
  if (live === undefined) throw new Error('there is no Deployment')
  server.put(deploymentPath, { ...live, status: noReplica })
  const ended = await world.main({ mode: 'check' }, { paused: () => void server.put(deploymentPath, live) })
  expect([ended.failed, ended.outputs['unhealthy']]).toEqual([undefined, '0'])
})
