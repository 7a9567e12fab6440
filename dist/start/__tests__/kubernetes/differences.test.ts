import { manifestDifferences } from '../../src/kubernetes/differences.js'
import type { Manifest } from '../../src/kubernetes/manifest.js'
import { appliedByUs, madeByHelm } from '../../src/kubernetes/noise.js'
import { operationsToPutBack } from '../../src/kubernetes/put-back.js'
import { controller, deployment, entry, found, inController, object, ours, withPod } from './manifests.js'

describe('found, with who did it', () => {
  test.each<[string, Manifest, Manifest, string[]]>([
    [
      'an image that is another',
      withPod({}),
      withPod({ containers: [{ ...controller, image: 'evil' }] }, [
        entry('kubectl-set', inController({ 'f:image': {} }))
      ]),
      ['spec.template.spec.containers[controller].image by kubectl-set']
    ],
    [
      'environment that is another',
      withPod({}),
      withPod({ containers: [{ ...controller, env: [{ name: 'A', value: '2' }] }] }, [
        entry('helm', inController({ 'f:env': { 'k:{"name":"A"}': { 'f:name': {} } } })),
        entry('kubectl-edit', inController({ 'f:env': { 'k:{"name":"A"}': { 'f:value': {} } } }))
      ]),
      ['spec.template.spec.containers[controller].env[A].value by kubectl-edit']
    ],
    [
      'environment in other digits: text is text',
      withPod({}),
      withPod({ containers: [{ ...controller, env: [{ name: 'A', value: '1.0' }] }] }),
      ['spec.template.spec.containers[controller].env[A].value']
    ],
    [
      'environment that is added, and a second entry of one name',
      withPod({}),
      withPod(
        {
          containers: [
            {
              ...controller,
              env: [
                { name: 'A', value: '1' },
                { name: 'B', value: '1' }
              ]
            }
          ]
        },
        [entry('kubectl-set', inController({ 'f:env': { 'k:{"name":"B"}': { '.': {}, 'f:value': {} } } }))]
      ),
      ['spec.template.spec.containers[controller].env[B] by kubectl-set']
    ],
    [
      'a second entry of one name, which is the one that counts',
      withPod({}),
      withPod({
        containers: [
          {
            ...controller,
            env: [
              { name: 'A', value: '1' },
              { name: 'A', value: '9' }
            ]
          }
        ]
      }),
      ['spec.template.spec.containers[controller].env[A].value']
    ],
    [
      'an argument that is gone',
      withPod({}),
      withPod({ containers: [{ ...controller, args: ['--a'] }] }, [
        entry('kubectl-edit', inController({ 'f:args': {} }))
      ]),
      ['spec.template.spec.containers[controller].args by kubectl-edit']
    ],
    [
      'a toleration, a sidecar and a label that are added by hand',
      withPod({ tolerations: [{ key: 'a' }] }),
      deployment(
        {
          replicas: 2,
          template: {
            metadata: { labels: { extra: 'y' } },
            spec: { containers: [controller, { name: 'side' }], tolerations: [{ key: 'a' }, { key: 'b' }] }
          }
        },
        [
          entry('kubectl-edit', {
            'f:spec': {
              'f:template': {
                'f:metadata': { 'f:labels': { '.': {}, 'f:extra': {} } },
                'f:spec': {
                  'f:containers': { 'k:{"name":"side"}': { '.': {}, 'f:name': {} } },
                  'f:tolerations': {}
                }
              }
            }
          })
        ]
      ),
      [
        'spec.template.spec.tolerations by kubectl-edit',
        'spec.template.metadata.labels.extra by kubectl-edit',
        'spec.template.spec.containers[side] by kubectl-edit'
      ]
    ],
    [
      'replicas by kubectl edit, and by kubectl scale',
      deployment({ replicas: 2 }),
      deployment({ replicas: 0 }, [
        entry('kubectl', { 'f:spec': { 'f:replicas': {} } }, { subresource: 'scale' })
      ]),
      ['spec.replicas by kubectl']
    ],
    [
      'rules and subjects that are added',
      object('ClusterRole', { rules: [{ verbs: ['get'] }], subjects: [{ name: 'a' }] }),
      object(
        'ClusterRole',
        { rules: [{ verbs: ['get'] }, { verbs: ['*'] }], subjects: [{ name: 'a' }, { name: 'eve' }] },
        [entry('kubectl-edit', { 'f:rules': {} })]
      ),
      ['rules by kubectl-edit', 'subjects']
    ],
    [
      'the role of a service account, and rights that a ClusterRole gives on',
      object('ServiceAccount', {}),
      object(
        'ServiceAccount',
        {
          metadata: {
            annotations: { 'eks.amazonaws.com/role-arn': 'x' },
            labels: { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' }
          }
        },
        [
          entry('kubectl-annotate', {
            'f:metadata': {
              'f:annotations': { 'f:eks.amazonaws.com/role-arn': {} },
              'f:labels': { 'f:rbac.authorization.k8s.io/aggregate-to-view': {} }
            }
          })
        ]
      ),
      [
        'metadata.annotations.eks.amazonaws.com/role-arn by kubectl-annotate',
        'metadata.labels.rbac.authorization.k8s.io/aggregate-to-view by kubectl-annotate'
      ]
    ],
    [
      'fields of a NodePool of which the manifest says nothing',
      object('NodePool', { spec: { limits: { cpu: 1 }, requirements: [{ key: 'a', values: ['x'] }] } }),
      object(
        'NodePool',
        {
          spec: {
            limits: { cpu: 1, nodes: 5 },
            weight: 3,
            taints: [{ key: 'a' }],
            requirements: [{ key: 'a', values: ['x'], minValues: 2 }]
          }
        },
        [
          entry('kubectl-edit', {
            'f:spec': { 'f:limits': { 'f:nodes': {} }, 'f:weight': {}, 'f:taints': {}, 'f:requirements': {} }
          })
        ]
      ),
      [
        'spec.limits.nodes by kubectl-edit',
        'spec.weight by kubectl-edit',
        'spec.taints by kubectl-edit',
        'spec.requirements[0].minValues by kubectl-edit'
      ]
    ],
    [
      'a requirement that is added',
      object('NodePool', { spec: { requirements: [{ key: 'a' }] } }),
      object('NodePool', { spec: { requirements: [{ key: 'a' }, { key: 'b' }] } }, [
        entry('kubectl-edit', { 'f:spec': { 'f:requirements': {} } })
      ]),
      ['spec.requirements by kubectl-edit']
    ],
    [
      'a default that was changed by hand, and a map that was added',
      object('EC2NodeClass', { spec: {} }),
      object(
        'EC2NodeClass',
        { spec: { metadataOptions: { httpTokens: 'optional', x: 1 }, tags: { a: 'b' } } },
        [
          entry('kubectl-edit', {
            'f:spec': { 'f:metadataOptions': { 'f:httpTokens': {} }, 'f:tags': { '.': {}, 'f:a': {} } }
          })
        ]
      ),
      ['spec.metadataOptions.httpTokens by kubectl-edit', 'spec.tags by kubectl-edit']
    ]
  ])('%s', (_name, wanted, live, expected) => {
    const owners = wanted.kind === 'Deployment' ? madeByHelm() : appliedByUs(true)
    expect(found(wanted, live, owners)).toEqual(expected)
    expect(operationsToPutBack(wanted, live, owners).length).toBeGreaterThan(1)
  })

  test('a field that is gone: by who wrote beside it since we did', () => {
    const managed = [
      entry('setup-karpenter', { 'f:spec': { 'f:limits': { 'f:cpu': {} } } }, ours),
      entry('karpenter', { 'f:metadata': { 'f:annotations': {} } }, { time: '2026-01-05T00:00:00Z' }),
      entry('kubectl-edit', { 'f:spec': { 'f:limits': { 'f:cpu': {} } } }),
      entry('argocd', { 'f:spec': { 'f:weight': {} } }, { time: '2026-01-04T00:00:00Z' })
    ]
    const wanted = object('NodePool', { spec: { limits: { cpu: 1, memory: 2 }, weight: 1 } })
    const live = object('NodePool', { spec: { limits: { cpu: 1 }, weight: 1 } }, managed)
    expect(found(wanted, live)).toEqual(['spec.limits.memory by kubectl-edit'])
  })

  test('a field that is gone and nobody wrote since: nobody is named', () => {
    const managed = [
      entry('old', { 'f:spec': { 'f:limits': {} } }, { time: '2025-01-01T00:00:00Z' }),
      entry('setup-karpenter', { 'f:spec': { 'f:weight': {} } }, ours),
      entry('karpenter', { 'f:metadata': { 'f:annotations': {} } })
    ]
    const wanted = object('NodePool', { spec: { weight: 1, limits: { cpu: 1 } } })
    expect(found(wanted, object('NodePool', { spec: { weight: 1 } }, managed))).toEqual(['spec.limits'])
  })

  test('the reason names what a list lacks and has besides', () => {
    const [one] = manifestDifferences(
      object('Role', { rules: [{ verbs: ['get'] }, { verbs: ['list'] }] }),
      object('Role', { rules: [{ verbs: ['get'] }, { verbs: ['*'] }] }),
      () => ({ severity: 'weakens security' }),
      madeByHelm()
    )
    expect(one?.reason).toBe('rules lacks {"verbs":["list"]} and has {"verbs":["*"]} besides')
  })
})
