import type { Pod } from 'kubernetes-types/core/v1.js'
import type { Manifest } from '../../src/kubernetes/manifest.js'
import { explain, type Seen } from '../../src/smoke-test/explain.js'

interface Said {
  readonly type: string
  readonly status: 'True' | 'False' | 'Unknown'
  readonly reason?: string
  readonly message?: string
}

const met = (type: string): Said => ({ type, status: 'True' })

function claim(name: string, providerID: string, ...conditions: readonly Said[]): Manifest {
  return {
    apiVersion: 'karpenter.sh/v1',
    kind: 'NodeClaim',
    metadata: { name },
    status: { providerID, conditions }
  }
}

function pod(status: NonNullable<Pod['status']>): Pod {
  return { metadata: { name: 'smoke-test-x' }, status }
}

const unscheduled = pod({
  conditions: [{ type: 'PodScheduled', status: 'False', message: '0/2 nodes are available' }]
})
const running = pod({ phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] })

function explained(seen: Partial<Seen>): { readonly text: string; readonly fix: string } {
  const { message, fix } = explain({
    subject: 'smoke test of NodePool default',
    seconds: 300,
    replicas: 2,
    nodePool: undefined,
    pods: [unscheduled, unscheduled],
    claims: [],
    refusal: undefined,
    ends: [],
    network: undefined,
    events: [],
    namespace: 'karpenter',
    ...seen
  })
  return { text: message, fix }
}

function event(object: string, reason: string, message: string): Seen['events'][number] {
  return { time: '2026-01-01T00:00:00Z', object, reason, message }
}

describe('a scale-up that did not come about', () => {
  it('says how many pods ran, after how long, and what the test was of', () => {
    expect(explained({ pods: [running, unscheduled] }).text).toMatch(
      /^smoke test of NodePool default: 1 of 2 pods ran after 300 s: /
    )
  })

  it.each([
    [
      'pods "x" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true',
      '(Pod Security (restricted))',
      'kubectl label namespace karpenter pod-security.kubernetes.io/enforce=baseline'
    ],
    [
      'pods "x" is forbidden: exceeded quota: compute, requested: cpu=1, used: cpu=0, limited: cpu=500m',
      '(ResourceQuota compute)',
      'kubectl -n karpenter edit resourcequota compute'
    ],
    [
      'pods "x" is forbidden: maximum cpu usage per Container is 100m, but limit is 1',
      '(a LimitRange)',
      'kubectl -n karpenter get limitrange'
    ],
    [
      'Internal error occurred: failed calling webhook "w.example.com": failed to call webhook: Post "https://w.policy.svc:443/?timeout=10s": connection refused',
      'service w in namespace policy',
      'kubectl -n policy get endpointslices'
    ],
    [
      'admission webhook "w.example.com" denied the request: no team label',
      '(admission webhook "w.example.com")',
      'exception of its policy'
    ]
  ])('is laid to who refuses the pods: %s', (refusal, by, fix) => {
    const said = explained({ refusal, pods: [] })
    expect(said.text).toContain('the cluster refuses its pods')
    expect(said.text).toContain(by)
    expect(said.text).toContain(refusal)
    expect(said.fix).toContain(fix)
    expect(said.fix).not.toContain('cluster-admin')
  })

  it('is laid to what EC2 says of instances that it ended at once', () => {
    const end = 'Client.InvalidKMSKey.InvalidState: The KMS key provided is in an incorrect state'
    const said = explained({ ends: [end], claims: [claim('a', 'aws:///z/i-1', met('Launched'))] })
    expect(said.text).toContain(`EC2 ended the instance at once: ${end}`)
    expect(said.fix).toContain('create grants')
  })

  it('is laid to a NodePool that is not Ready before all else, to the cause and not to the roll-up', () => {
    const nodePool: Manifest = {
      apiVersion: 'karpenter.sh/v1',
      kind: 'NodePool',
      metadata: { name: 'smoke-test' },
      status: {
        conditions: [
          { type: 'Ready', status: 'False', reason: 'UnhealthyDependents' },
          { type: 'NodeClassReady', status: 'False', reason: 'NodeClassNotReady', message: 'no subnets' }
        ]
      }
    }
    const { text, fix } = explained({ nodePool, claims: [claim('a', '', met('Launched'))] })
    expect(text).toContain('its NodePool is not Ready: NodeClassReady=False (NodeClassNotReady): no subnets')
    expect(fix).toContain('node-pools')
  })

  describe('without a NodeClaim', () => {
    it('is said in the last words of Karpenter about pods or NodePool, not in those about something else', () => {
      const { text, fix } = explained({
        events: [
          event('Pod/a', 'FailedScheduling', 'no instance type satisfied resources'),
          event('NodeClaim/b', 'Unconsolidatable', 'of another time'),
          event('NodePool/smoke-test', 'Ready', 'Status condition transitioned, Type: Ready')
        ]
      })
      expect(text).toContain('Karpenter made no NodeClaim: FailedScheduling: no instance type satisfied')
      expect(fix).toContain('widen them in node-pools')
    })

    it('is told to raise the limits where those are reached', () => {
      const said = event(
        'Pod/a',
        'FailedScheduling',
        'all available instance types exceed limits for nodepool'
      )
      expect(explained({ events: [said] }).fix).toContain('Raise spec.limits')
    })

    it('leads to the log of the controller where Karpenter said nothing, with what the scheduler said', () => {
      const { text, fix } = explained({ namespace: 'kube-system' })
      expect(text).toContain('said nothing about the pods (0/2 nodes are available)')
      expect(fix).toContain('kubectl -n kube-system logs')
    })

    it('and without a pod is laid to whatever refuses the pods', () => {
      const { text, fix } = explained({ pods: [] })
      expect(text).toContain('the Deployment made no pods')
      expect(fix).toContain('reason=FailedCreate')
    })
  })

  describe('with a NodeClaim that got no instance', () => {
    it.each([
      ['AuthFailure.ServiceLinkedRoleCreationNotPermitted', 'create-service-linked-role'],
      [
        'UnauthorizedOperation: You are not authorized to perform: ec2:RunInstances',
        'The controller role lacks'
      ],
      ['InsufficientInstanceCapacity: no m5.large', 'more instance types, zones or on-demand'],
      ['VcpuLimitExceeded: you have requested more', 'Service Quotas'],
      ['InvalidParameterValue: something new', 'Correct what the message names']
    ])('%s: %s', (message, fix) => {
      const launched: Said = { type: 'Launched', status: 'Unknown', reason: 'LaunchFailed', message }
      const found = explained({ claims: [claim('a', '', launched)] })
      expect(found.text).toContain(`NodeClaim a got no instance: LaunchFailed: ${message}`)
      expect(found.fix).toContain(fix)
    })

    it('takes what Karpenter said about this NodeClaim where its condition says nothing', () => {
      const events = [
        event('NodeClaim/a', 'InsufficientCapacityError', 'no capacity in eu-west-1a'),
        event('NodeClaim/other', 'InsufficientCapacityError', 'of another')
      ]
      expect(explained({ claims: [claim('a', '')], events }).text).toContain('no capacity in eu-west-1a')
      expect(explained({ claims: [claim('a', '')] }).text).toContain('EC2 gave no answer yet')
    })

    it('takes what was said of the claim before, where this one was made a moment ago', () => {
      const fresh: Said = {
        type: 'Launched',
        status: 'Unknown',
        reason: 'AwaitingReconciliation',
        message: 'object is awaiting reconciliation'
      }
      const said =
        'creating instance, insufficient capacity, with fleet error(s), VcpuLimitExceeded: limit of 8'
      const events = [event('NodeClaim/before', 'InsufficientCapacityError', said)]
      const { text, fix } = explained({ claims: [claim('a', '', fresh)], events })
      expect(text).toContain(`got no instance: InsufficientCapacityError: ${said}`)
      expect(fix).toContain('Service Quotas')
      expect(explained({ claims: [claim('a', '', fresh)] }).text).toContain('EC2 gave no answer yet')
    })
  })

  it('with an instance that never joined names the instance, and how to see its own reason', () => {
    const claims = [claim('a', 'aws:///eu-west-1a/i-0abc', met('Launched'))]
    const { text, fix } = explained({ claims })
    expect(text).toContain('i-0abc was launched for NodeClaim a and never joined')
    expect(fix).toContain('get-console-output --instance-id i-0abc')
  })

  it('with a node that joined and is not ready says what it waits for', () => {
    const waits: Said = { type: 'Initialized', status: 'Unknown', message: 'Node not ready' }
    const claims = [claim('a', 'aws:///z/i-0abc', met('Launched'), met('Registered'), waits)]
    expect(explained({ claims }).text).toContain('joined and did not become ready: Node not ready')
  })

  describe('with nodes that are ready', () => {
    const claims = [claim('a', 'aws:///z/i-0abc', met('Launched'), met('Registered'), met('Initialized'))]

    it('is laid to the image where a container does not start', () => {
      const waiting = { reason: 'ImagePullBackOff', message: 'not found' }
      const stuck = pod({
        containerStatuses: [
          { name: 'c', image: 'i', imageID: '', ready: false, restartCount: 0, state: { waiting } }
        ]
      })
      const { text, fix } = explained({ claims, pods: [running, stuck] })
      expect(text).toContain('pod smoke-test-x does not run on them: ImagePullBackOff: not found')
      expect(fix).toContain('smoke-test-image')
    })

    it('needs only more time where containers are on their way', () => {
      const { text, fix } = explained({ claims, pods: [running, unscheduled] })
      expect(text).toContain('not all pods run on them: 0/2 nodes are available')
      expect(fix).toContain('smoke-test-timeout')
    })
  })

  it('speaks of the NodeClaim that is not done, not of the one that is', () => {
    const done = claim('done', 'aws:///z/i-0d', met('Launched'), met('Registered'), met('Initialized'))
    expect(explained({ claims: [claim('open', ''), done] }).text).toContain('NodeClaim open got no instance')
  })
})
