import { heldByFinalizers, heldCrd, heldNamespace, heldPod } from '../../src/kubernetes/held.js'

const condition = (type: string, reason: string, message: string, status = 'True'): object => ({
  type,
  status,
  reason,
  message
})

describe('What holds an object that is being deleted', () => {
  test.each([
    [[], '', undefined],
    [['karpenter.sh/termination'], ', held by finalizer karpenter.sh/termination', undefined],
    [
      ['karpenter.k8s.aws/termination', 'acme.io/keep'],
      ', held by finalizer karpenter.k8s.aws/termination, acme.io/keep',
      'Bring back whoever works on acme.io/keep, or take it off (kubectl edit nodepool default). Then run again.'
    ]
  ])(
    'is its finalizers %j, and a person has to act on those that are not Karpenter’s',
    (finalizers, text, fix) => {
      expect(heldByFinalizers({ kind: 'NodePool', metadata: { name: 'default', finalizers } })).toEqual({
        text,
        ...(fix !== undefined && { fix })
      })
    }
  )

  // Texts of Kubernetes 1.35, pkg/controller/namespace/deletion/status_condition_utils.go.
  test.each([
    [
      [
        condition(
          'NamespaceDeletionDiscoveryFailure',
          'ResourcesDiscovered',
          'All resources successfully discovered',
          'False'
        ),
        condition(
          'NamespaceContentRemaining',
          'SomeResourcesRemain',
          'Some resources are remaining: pods. has 1 resource instances'
        )
      ],
      ': Some resources are remaining: pods. has 1 resource instances',
      undefined
    ],
    [
      [
        condition(
          'NamespaceContentRemaining',
          'SomeResourcesRemain',
          'Some resources are remaining: widgets.acme.io has 1 resource instances'
        ),
        condition(
          'NamespaceFinalizersRemaining',
          'SomeFinalizersRemain',
          'Some content in the namespace has finalizers remaining: acme.io/keep in 1 resource instances'
        )
      ],
      ': Some resources are remaining: widgets.acme.io has 1 resource instances; Some content in the namespace has finalizers remaining: acme.io/keep in 1 resource instances',
      /^What is left in it waits for whoever set its finalizers/
    ],
    [
      [
        condition(
          'NamespaceDeletionDiscoveryFailure',
          'DiscoveryFailed',
          'Discovery failed for some groups, 1 failing: unable to retrieve the complete list of server APIs: metrics.k8s.io/v1beta1: stale GroupVersion discovery: metrics.k8s.io/v1beta1'
        )
      ],
      /metrics\.k8s\.io\/v1beta1$/,
      /^An API that is registered does not answer: kubectl get apiservices/
    ],
    [
      [
        condition(
          'NamespaceDeletionContentFailure',
          'ContentDeletionFailed',
          'Failed to delete all resource types, 1 remaining: denied'
        )
      ],
      ': Failed to delete all resource types, 1 remaining: denied',
      /^Put right what the message names: kubectl get namespace karpenter -o yaml/
    ]
  ])('is what a namespace says of its contents', (conditions, text, fix) => {
    const found = heldNamespace({ metadata: { name: 'karpenter' }, status: { conditions } })
    expect(found.text).toEqual(typeof text === 'string' ? text : expect.stringMatching(text))
    expect(found.fix).toEqual(fix === undefined ? undefined : expect.stringMatching(fix))
  })

  test.each([
    ['InstanceDeletionInProgress', 'CustomResource deletion is in progress', undefined],
    [
      'InstanceDeletionFailed',
      'could not list instances: no',
      'See what is left of its objects: kubectl get nodepools -A. Then run again.'
    ]
  ])('is what a CRD says of its objects (%s)', (reason, message, fix) => {
    expect(
      heldCrd({
        metadata: { finalizers: ['customresourcecleanup.apiextensions.k8s.io'] },
        spec: { names: { plural: 'nodepools' } },
        status: { conditions: [condition('Terminating', reason, message)] }
      })
    ).toEqual({
      text: `, held by finalizer customresourcecleanup.apiextensions.k8s.io: ${message}`,
      ...(fix !== undefined && { fix })
    })
  })

  test('is the node of a pod whose time is over by more than a minute', () => {
    const at = '2026-11-30T08:00:00Z'
    const pod = {
      metadata: { name: 'karpenter-1', namespace: 'karpenter', deletionTimestamp: at },
      spec: { nodeName: 'ip-1' }
    }
    expect(heldPod(pod, Date.parse(at) + 59_000)).toEqual({ text: '' })
    expect(heldPod(pod, Date.parse(at) + 60_000)).toEqual({
      text: ', whose time to end is over, and node ip-1 has not ended it',
      fix: expect.stringContaining('kubectl -n karpenter delete pod karpenter-1 --force') as unknown
    })
  })
})
