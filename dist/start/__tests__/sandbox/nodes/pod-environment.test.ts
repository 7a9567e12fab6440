import { containerEnvironment, projectedTokens } from '../../../sandbox/nodes/pod-environment.js'
import { machineOf, resourcesOf } from '../../../sandbox/nodes/machine.js'
import { quantityOf } from '../../../sandbox/nodes/quantities.js'

const container = {
  env: [
    { name: 'PLAIN', value: 'x' },
    { name: 'NAMESPACE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } },
    { name: 'MEMORY', valueFrom: { resourceFieldRef: { divisor: '0', resource: 'limits.memory' } } },
    { name: 'CPU', valueFrom: { resourceFieldRef: { divisor: '1m', resource: 'requests.cpu' } } }
  ],
  resources: { limits: { memory: '1Gi' }, requests: { cpu: '1' } },
  volumeMounts: [{ name: 'aws', mountPath: '/var/run/aws' }]
}
const pod = {
  metadata: { namespace: 'karpenter' },
  spec: {
    volumes: [
      {
        name: 'aws',
        projected: {
          sources: [{ serviceAccountToken: { path: 'token', audience: 'sts', expirationSeconds: 86400 } }]
        }
      },
      { name: 'elsewhere', projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } }
    ]
  }
}

it('resolves fields and resources of the pod as a kubelet does', () => {
  expect(containerEnvironment(pod, container, {})).toEqual({
    PLAIN: 'x',
    NAMESPACE: 'karpenter',
    MEMORY: '1073741824',
    CPU: '1000'
  })
})

it('takes the node’s allocatable for a limit that the container does not set', () => {
  expect(containerEnvironment(pod, { ...container, resources: {} }, { memory: '2Ki' })).toMatchObject({
    MEMORY: '2048'
  })
})

it('finds the tokens that are mounted into the container, and no others', () => {
  expect(projectedTokens(pod, container)).toEqual([
    { path: '/var/run/aws/token', audience: 'sts', expirationSeconds: 86400 }
  ])
})

it('reads an instance type as EC2 describes it', () => {
  const machine = machineOf({
    vCpuInfo: { defaultVCpus: '2' },
    memoryInfo: { sizeInMiB: '8192' },
    networkInfo: { maximumNetworkInterfaces: '3', ipv4AddressesPerInterface: '10' },
    processorInfo: { supportedArchitectures: { item: 'arm64' } }
  })
  expect(machine).toEqual({ architecture: 'arm64', cpus: 2, memoryMiB: 8192, maxPods: 29 })
  expect(resourcesOf(machine, 29).allocatable).toMatchObject({ cpu: '1930m', pods: '29' })
})

it.each([
  ['500m', 0.5],
  ['1Gi', 1073741824],
  ['2', 2]
])('reads the quantity %s', (text, value) => {
  expect(quantityOf(text)).toBe(value)
})
it('refuses what is no quantity', () => {
  expect(() => quantityOf('lots')).toThrow('lots: no quantity')
})
