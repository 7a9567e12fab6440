import fc from 'fast-check'
import type { Manifest } from '../../src/kubernetes/manifest.js'
import { appliedByUs, madeByHelm } from '../../src/kubernetes/noise.js'
import { operationsToPutBack } from '../../src/kubernetes/put-back.js'
import { controller, deployment, entry, found, object, withPod } from './manifests.js'

describe('no false alarm from', () => {
  test.each<[string, Manifest, Manifest]>([
    [
      'defaults of the server',
      withPod({}),
      withPod({ dnsPolicy: 'ClusterFirst', terminationGracePeriodSeconds: 30 })
    ],
    ['the order of keys', object('X', { spec: { a: 1, b: 2 } }), object('X', { spec: { b: 2, a: 1 } })],
    [
      'an absent for an empty field',
      object('X', { spec: { a: [], b: {}, c: null } }),
      object('X', { spec: {} })
    ],
    [
      'quantities in other words',
      object('X', { spec: { limits: { cpu: 1000, memory: '1024Mi', x: '1.5' } } }),
      object('X', { spec: { limits: { cpu: '1k', memory: '1Gi', x: '1500m' } } })
    ],
    [
      'durations in other words',
      object('X', { spec: { expireAfter: '720h', list: [{ duration: '90m' }] } }),
      object('X', { spec: { expireAfter: '720h0m0s', list: [{ duration: '1h30m' }] } })
    ],
    [
      'numbers as text',
      object('X', { spec: { port: 8080, env: [{ name: 'A', value: 1 }] } }),
      object('X', { spec: { port: '8080', env: [{ name: 'A', value: '1' }] } })
    ],
    [
      'sets in another order',
      object('X', { rules: [{ verbs: ['get', 'list'] }, { verbs: ['watch'] }] }),
      object('X', { rules: [{ verbs: ['watch'] }, { verbs: ['list', 'get'] }] })
    ],
    [
      'tags in another order',
      object('X', { spec: { tags: { a: '1', b: '2' } } }),
      object('X', { spec: { tags: { b: '2', a: '1' } } })
    ],
    [
      'sidecars, init containers, environment and volumes that are injected as helm writes',
      withPod({ volumes: [{ name: 'v' }] }),
      deployment(
        {
          replicas: 2,
          template: {
            spec: {
              containers: [
                { name: 'proxy' },
                {
                  ...controller,
                  env: [
                    { name: 'INJECTED', value: 'x' },
                    { name: 'A', value: '1' }
                  ]
                }
              ],
              initContainers: [{ name: 'init' }],
              volumes: [{ name: 'token' }, { name: 'v' }]
            }
          }
        },
        [
          entry('helm3', {
            'f:metadata': { 'f:annotations': { 'f:meta.helm.sh/release-name': {} } },
            'f:spec': { 'f:template': { 'f:spec': { 'f:initContainers': { '.': {} } } } }
          })
        ]
      )
    ],
    [
      'two ports without a name',
      object('X', { spec: { ports: [{ port: 1 }, { port: 2 }] } }),
      object('X', {
        spec: {
          ports: [
            { port: 2, protocol: 'TCP' },
            { port: 1, protocol: 'TCP' }
          ]
        }
      })
    ],
    ['status', object('X', { status: { a: 1 } }), object('X', { status: { a: 2 } })],
    [
      'replicas that an autoscaler set',
      deployment({ replicas: 2 }),
      deployment({ replicas: 5 }, [
        entry('kube-controller-manager', { 'f:spec': { 'f:replicas': {} } }, { subresource: 'scale' })
      ])
    ],
    [
      'a certificate authority that is filled in',
      object('X', { webhooks: [{ clientConfig: { caBundle: 'Cg==' } }] }),
      object('X', { webhooks: [{ clientConfig: { caBundle: 'LS0t' } }] })
    ],
    [
      'rules of an aggregated ClusterRole',
      object('ClusterRole', { aggregationRule: { x: 1 }, rules: [{ verbs: ['get'] }] }),
      object('ClusterRole', { aggregationRule: { x: 1 }, rules: [{ verbs: ['list'] }] }, [
        entry('clusterrole-aggregation-controller', { 'f:rules': {} })
      ])
    ],
    [
      'a restart by kubectl rollout',
      deployment({ template: { metadata: {} } }),
      deployment({ template: { metadata: { annotations: { 'kubectl.kubernetes.io/restartedAt': 't' } } } }, [
        entry('kubectl-rollout', {
          'f:spec': {
            'f:template': {
              'f:metadata': { 'f:annotations': { '.': {}, 'f:kubectl.kubernetes.io/restartedAt': {} } }
            }
          }
        })
      ])
    ],
    [
      'annotations and labels of the object itself',
      object('NodePool', {}),
      object(
        'NodePool',
        { metadata: { annotations: { 'karpenter.sh/nodepool-hash': '1' }, labels: { team: 'a' } } },
        [
          entry('karpenter', { 'f:metadata': { 'f:annotations': { 'f:karpenter.sh/nodepool-hash': {} } } }),
          entry('kubectl-label', { 'f:metadata': { 'f:labels': { '.': {}, 'f:team': {} } } })
        ]
      )
    ],
    [
      'what Karpenter itself adds to a spec',
      object('NodePool', { spec: {} }),
      object('NodePool', { spec: { weight: 1 } }, [entry('karpenter', { 'f:spec': { 'f:weight': {} } })])
    ],
    [
      'secrets that a service account is given',
      object('ServiceAccount', { imagePullSecrets: [{ name: 'own' }] }),
      object(
        'ServiceAccount',
        { imagePullSecrets: [{ name: 'given' }, { name: 'own' }], secrets: [{ name: 'token' }] },
        [
          entry('openshift-controller-manager', {
            'f:imagePullSecrets': { 'k:{"name":"given"}': {} },
            'f:secrets': { '.': {}, 'k:{"name":"token"}': {} }
          })
        ]
      )
    ],
    [
      'addresses of a Service',
      object('Service', { spec: { ports: [{ port: 1 }] } }),
      object('Service', { spec: { ports: [{ port: 1 }], clusterIP: '10.0.0.1', ipFamilies: ['IPv4'] } }, [
        entry('someone', { 'f:spec': { 'f:clusterIP': {}, 'f:ipFamilies': { '.': {} } } })
      ])
    ],
    [
      'a default inside of a value that another wrote as one',
      object('NodePool', { spec: { disruption: { budgets: [{ schedule: '@daily' }] } } }),
      object('NodePool', { spec: { disruption: { budgets: [{ schedule: '@daily', nodes: '10%' }] } } }, [
        entry('kubectl-edit', { 'f:spec': { 'f:disruption': { 'f:budgets': {} } } })
      ])
    ],
    [
      'a field that another wrote as it is wanted',
      object('NodePool', { spec: { weight: 5 } }),
      object('NodePool', { spec: { weight: 5 } }, [entry('argocd', { 'f:spec': { 'f:weight': {} } })])
    ]
  ])('%s', (_name, wanted, live) => {
    expect(found(wanted, live, wanted.kind === 'Deployment' ? madeByHelm() : appliedByUs(true))).toEqual([])
    expect(operationsToPutBack(wanted, live, madeByHelm())).toEqual([])
  })

  test('an object that is not ours alone: additions are those of its owner', () => {
    const live = object('NodePool', { spec: { weight: 1 } }, [
      entry('kubectl', { 'f:spec': { 'f:weight': {} } })
    ])
    expect(found(object('NodePool', { spec: {} }), live, appliedByUs(false))).toEqual([])
  })

  test('whatever the server adds without an owner', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), fc.jsonValue()), (spec) => {
        const live = object('NodePool', { spec: { ...spec, added: { by: 'default' } } })
        return found(object('NodePool', { spec }), live).length === 0
      })
    )
  })
})
