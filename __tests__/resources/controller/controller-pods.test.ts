import { controllerPods, standingPods } from '../../../src/resources/controller/controller-pods.js'
import { ownCredentials, type WantedIdentity } from '../../../src/resources/controller/controller-identity.js'
import { ApiServer } from '../../kubernetes/api-server.js'
import { recordedStep } from '../step.js'
import { available, deployment, deploymentPath } from './released.js'

const roleArn = 'arn:aws:iam::111122223333:role/blue-karpenter'
const rollout = { release: 'karpenter', namespace: 'karpenter', values: {} }
const byIrsa = (arn = roleArn) => [
  { name: 'AWS_ROLE_ARN', value: arn },
  { name: 'AWS_WEB_IDENTITY_TOKEN_FILE', value: '/var/run/secrets/eks.amazonaws.com/serviceaccount/token' }
]
const byPodIdentity = [
  { name: 'AWS_CONTAINER_CREDENTIALS_FULL_URI', value: 'http://169.254.170.23/v1/credentials' }
]

let server: ApiServer
beforeEach(async () => {
  server = await ApiServer.start()
  server.put(deploymentPath, { ...deployment, status: available })
})
afterEach(async () => server.stop())

const podPath = (name: string): string => `/api/v1/namespaces/karpenter/pods/${name}`
function start(name: string, env: readonly unknown[]): void {
  server.put(podPath(name), {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { labels: { 'app.kubernetes.io/instance': 'karpenter', 'pod-template-hash': 'a' } },
    spec: { containers: [{ name: 'controller', env }] }
  })
}

function podsOf(strategy: WantedIdentity['strategy'], renewed = async () => Promise.resolve()) {
  const { kubernetes } = server
  return controllerPods(
    { strategy, roleArn, namespace: 'karpenter' },
    { kubernetes, pods: async () => standingPods(kubernetes, rollout), rollout, dependsOn: [], renewed }
  )
}

/** Plays the ReplicaSet: for each pod that is deleted another one starts, with what the webhook gives then. */
function replacing(give: (count: number) => readonly unknown[]): void {
  let count = 0
  const { intercept } = server
  server.intercept = (call, response) => {
    if (call.method === 'DELETE' && /\/pods\//.test(call.path)) start(`new-${count}`, give(count++))
    return intercept(call, response)
  }
}

const differencesOf = async (strategy: WantedIdentity['strategy']) =>
  (await podsOf(strategy).inspect(new AbortController().signal)).differences

describe('the pods of a controller', () => {
  test.each([
    ['irsa', byIrsa()],
    ['pod-identity', byPodIdentity]
  ] as const)('that were started by %s are as wanted by it', async (strategy, env) => {
    start('a', env)
    expect(await differencesOf(strategy)).toEqual([])
  })

  test.each([
    ['irsa', byPodIdentity, 'the credentials of Pod Identity'],
    ['pod-identity', byIrsa(), 'the credentials of IRSA'],
    ['irsa', byIrsa('arn:aws:iam::111122223333:role/old'), 'the role arn:aws:iam::111122223333:role/old'],
    ['pod-identity', [], 'no AWS credentials']
  ] as const)('are not as wanted by %s with another identity', async (strategy, env, live) => {
    start('a', env)
    expect(await differencesOf(strategy)).toMatchObject([
      { path: 'Pod/a.env', live, severity: 'breaks scaling', install: 'make the pod anew' }
    ])
  })

  test('are those that run: one that was evicted and has another identity is nobody', async () => {
    start('a', byIrsa())
    server.put(podPath('a'), { ...server.at(podPath('a')), status: { phase: 'Failed', reason: 'Evicted' } })
    start('b', byPodIdentity)
    expect(await differencesOf('pod-identity')).toEqual([])
  })

  test('are none of the matter where none run', async () => {
    expect(await differencesOf('irsa')).toEqual([])
  })

  test('are made anew one after the other, and then what only the old ones needed goes', async () => {
    start('a', byIrsa())
    start('b', byIrsa())
    replacing(() => byPodIdentity)
    const said: string[] = []
    const resource = podsOf('pod-identity', async () => Promise.resolve(void said.push('renewed')))
    const step = recordedStep()
    await (await resource.inspect(new AbortController().signal)).apply(step)
    expect(step.lines).toEqual([
      'made pod a anew, which was started with the credentials of IRSA',
      'made pod b anew, which was started with the credentials of IRSA'
    ])
    expect(said).toEqual(['renewed'])
    expect(await differencesOf('pod-identity')).toEqual([])
  })

  test('are made anew again while the webhook has not seen the change', async () => {
    start('a', byPodIdentity)
    replacing((count) => (count < 3 ? byPodIdentity : byIrsa()))
    const step = recordedStep()
    await (await podsOf('irsa').inspect(new AbortController().signal)).apply(step)
    expect(step.lines).toHaveLength(4)
    expect(step.waits).toContain('EKS to give new pods the identity of IRSA')
  })

  test('that are given another identity for two minutes are an error, and nothing is taken from them', async () => {
    start('a', byPodIdentity)
    replacing(() => byPodIdentity)
    let now = 0
    const said: string[] = []
    const resource = podsOf('irsa', async () => Promise.resolve(void said.push('renewed')))
    const inspection = await resource.inspect(new AbortController().signal)
    await expect(inspection.apply(recordedStep(() => (now += 25_000)))).rejects.toThrow(
      /^Deployment karpenter\/karpenter: pod new-\d+ was started with those of another identity, as each one in the two minutes before/
    )
    expect(said).toEqual([])
  })
})

test.each([
  [{ controller: { env: [{ name: 'AWS_PROFILE', value: 'own' }] } }, true],
  [{ controller: { envFrom: [{ secretRef: { name: 'aws' } }] } }, true],
  [{ controller: { env: [{ name: 'AWS_REGION', value: 'eu-west-1' }] } }, false],
  [{}, false]
])('of values %j it is known whether they give credentials of their own', (values, own) => {
  expect(ownCredentials(values)).toBe(own)
})
