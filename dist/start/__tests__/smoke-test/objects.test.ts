import { smokeTestObjects } from '../../src/smoke-test/objects.js'

it('Its pods pass Pod Security restricted, and quotas that want requests and limits', () => {
  const { deployment } = smokeTestObjects(
    { run: 'run-1', id: 'run-1' },
    { apiVersion: 'karpenter.sh/v1', kind: 'NodePool', metadata: { name: 'default' } },
    {
      namespace: 'karpenter',
      replicas: 2,
      onePerNode: false,
      image: 'pause',
      networkImage: 'busybox',
      timeoutSeconds: 900
    },
    { owner: 'setup-karpenter', run: 'https://run/1' }
  )
  expect(deployment).toMatchObject({
    spec: {
      template: {
        spec: {
          securityContext: {
            runAsNonRoot: true,
            runAsUser: 65535,
            runAsGroup: 65535,
            seccompProfile: { type: 'RuntimeDefault' }
          },
          containers: [
            {
              resources: { requests: { cpu: '1', memory: '64Mi' }, limits: { cpu: '1', memory: '64Mi' } },
              securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } }
            }
          ]
        }
      }
    }
  })
})
