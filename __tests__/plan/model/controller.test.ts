import { mapAt } from '../../../src/engine/json.js'
import { textField } from '../../../src/kubernetes/manifest.js'
import { releasePath, releaseSecret } from '../../helm/release-secret.js'
import { deploymentPath } from '../../modes/played-helm.js'
import { nobodyTrusted } from '../../sandbox/cloud/clients.js'
import { status } from '../../kubernetes/api-server.js'
import { inspect, PlayedModel } from './played-model.js'
import type { Shape } from './shapes.js'

let played: PlayedModel
beforeEach(async () => {
  played = await PlayedModel.start()
})
afterEach(async () => played.stop())

const pods = '/api/v1/namespaces/karpenter/pods'
const roleArn = 'arn:aws:iam::111122223333:role/blue-karpenter'
const by = (strategy: string): Shape => ({ inputs: { 'controller-identity': strategy }, installed: '1.14.1' })

/** A controller's pod as EKS's webhook admits it by one of the two ways. */
function startPod(name: string, strategy: 'irsa' | 'pod-identity'): void {
  const [variable, value] =
    strategy === 'irsa'
      ? ['AWS_WEB_IDENTITY_TOKEN_FILE', '/var/run/secrets/eks.amazonaws.com/serviceaccount/token']
      : ['AWS_CONTAINER_CREDENTIALS_FULL_URI', 'http://169.254.170.23/v1/credentials']
  const env = [
    { name: variable, value },
    ...(strategy === 'irsa' ? [{ name: 'AWS_ROLE_ARN', value: roleArn }] : [])
  ]
  played.server.put(`${pods}/${name}`, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace: 'karpenter', labels: { 'app.kubernetes.io/instance': 'karpenter' } },
    spec: { containers: [{ name: 'controller', env }] },
    status: { phase: 'Running' }
  })
}

/** Who the role trusted after each write. */
function trusted(): readonly string[] {
  return played.cloud
    .calls()
    .filter(({ action }) => action === 'UpdateAssumeRolePolicy')
    .map(({ input }) => String(input['PolicyDocument']))
    .map((text) =>
      [
        ...(text.includes('sts:AssumeRoleWithWebIdentity') ? ['irsa'] : []),
        ...(text.includes('pods.eks.amazonaws.com') ? ['pod-identity'] : [])
      ].join(' and ')
    )
}

test.each([
  ['pod-identity', 'irsa'],
  ['irsa', 'pod-identity']
] as const)(
  'while pods still have their credentials by %s the role trusts it besides, and no longer when all have them by %s',
  async (before, after) => {
    await played.installed({ inputs: { 'controller-identity': before } })
    startPod('karpenter-0', before)
    startPod('karpenter-1', before)
    let next = 2
    const { intercept } = played.server
    played.server.intercept = (call, response) => {
      if (call.method === 'DELETE' && call.path.startsWith(pods)) startPod(`karpenter-${next++}`, after)
      return intercept(call, response)
    }
    played.cloud.clearCalls()
    const lines = await played.installed(by(after))
    expect(lines['controller-pods']?.filter((line) => line.startsWith('made pod'))).toHaveLength(2)
    expect(trusted()).toEqual(['irsa and pod-identity', after])
    expect(await played.differing(by(after))).toEqual([])
  }
)

test('it trusts it besides for as long as one pod of several is left', async () => {
  await played.installed({ inputs: { 'controller-identity': 'pod-identity' } })
  startPod('karpenter-0', 'pod-identity')
  startPod('karpenter-1', 'irsa')
  played.server.intercept = ({ method, path }) => {
    if (method === 'DELETE' && path === `${pods}/karpenter-0`) startPod('karpenter-2', 'irsa')
    return false
  }
  played.cloud.clearCalls()
  await played.installed(by('irsa'))
  expect(trusted()).toEqual(['irsa and pod-identity', 'irsa'])
})

test('the role trusts nobody besides where no pod has credentials by the other way', async () => {
  await played.installed({ inputs: { 'controller-identity': 'pod-identity' } })
  startPod('karpenter-0', 'irsa')
  played.server.put(`${pods}/karpenter-1`, {
    ...played.server.at(`${pods}/karpenter-0`),
    spec: { containers: [{ name: 'controller' }] }
  })
  played.cloud.clearCalls()
  await played.installed(by('irsa'))
  expect(trusted()).toEqual(['irsa'])
})

test('an agent that somebody runs without the add-on of EKS is as wanted', async () => {
  const agent = async (podIdentityAgent: boolean): Promise<string> => {
    const graph = await played.graph({ found: { podIdentityAgent } })
    return (await graph.get('pod-identity-agent').inspect(new AbortController().signal)).state
  }
  expect([await agent(true), await agent(false)]).toEqual(['as wanted', 'absent'])
})

const own = { 'helm-values': 'controller: {env: [{name: AWS_PROFILE, value: own}]}' }

test.each<[string, Shape, number]>([
  ['a check of identity and health reads the pods once', {}, 0],
  ['where the values give credentials, health alone asks, and says that it may not', { inputs: own }, 1]
])('%s', async (_what, shape, unread) => {
  await played.installed(shape)
  startPod('karpenter-0', 'pod-identity')
  const graph = await played.graph({ ...shape, installed: '1.14.1' })
  const { intercept } = played.server
  played.server.intercept = (call, response) => {
    if (unread === 0 || call.path !== pods) return intercept(call, response)
    status(response, 403, 'Forbidden', 'pods is forbidden')
    return true
  }
  played.server.calls.length = 0
  const release = (await inspect(graph)).get('helm-release')
  const { signal } = new AbortController()
  const health = await release?.health({ signal, now: Date.now, pause: async () => undefined })
  expect(health?.unread).toHaveLength(unread)
  expect(played.server.calls.filter(({ path }) => path === pods)).toHaveLength(1)
})

/** helm that makes a revision of each upgrade; the controller of the newest version does not come up. */
function breakNewest(old: string, newest: string): void {
  const pod = `${pods}/karpenter-1`
  let revision = 1
  const { helm, server } = played
  helm.deploy = (of, values) => {
    const deployed = of === newest ? newest : old
    const before = server.at(releasePath(revision))
    const labels = { ...mapAt(before?.metadata, 'labels'), status: 'superseded' }
    server.put(releasePath(revision), { ...before, metadata: { ...before?.metadata, labels } })
    const manifest = `apiVersion: v1\nkind: ServiceAccount\nmetadata: { name: of-${deployed} }\n`
    server.put(releasePath(++revision), releaseSecret(revision, 'deployed', deployed, values, { manifest }))
    const status = { updatedReplicas: 2, replicas: 2, observedGeneration: 1 }
    const availableReplicas = deployed === newest ? 0 : 2
    const deployment = server.at(deploymentPath)
    server.put(deploymentPath, { ...deployment, status: { ...status, availableReplicas } })
    server.remove(pod)
    if (deployed !== newest) return
    startPod('karpenter-1', 'pod-identity')
    const waiting = { reason: 'InvalidImageName', message: 'no such image' }
    const containerStatuses = [{ name: 'controller', restartCount: 0, state: { waiting } }]
    server.put(pod, { ...server.at(pod), status: { containerStatuses } })
  }
}

test('an upgrade that fails says which version runs again, and how CRDs and permissions stand', async () => {
  await played.installed({ inputs: { 'karpenter-version': '1.12.0' } })
  breakNewest('1.12.0', '1.14.1')
  const upgrade = { inputs: { 'karpenter-version': '1.14.1' }, installed: '1.12.0' }
  const error: unknown = await played.installed(upgrade).catch((failure: unknown) => failure)
  expect(textField(error, 'state')).toContain(
    'CRDs are those of 1.14.1; 1.12.0 works with them, and 1.14.1 finds them ready.'
  )
})

const nodeClass = '/apis/karpenter.k8s.aws/v1/ec2nodeclasses/default'

/** An EC2NodeClass that a controller has hashed, and whose hash the next one renews as soon as it is waited for. */
function hashIs(before: string, renewed: string): void {
  const withHash = (version: string): void => {
    const object = played.server.at(nodeClass)
    const annotations = {
      ...mapAt(object?.metadata, 'annotations'),
      'karpenter.k8s.aws/ec2nodeclass-hash-version': version
    }
    played.server.put(nodeClass, { ...object, metadata: { ...object?.metadata, annotations } })
  }
  withHash(before)
  const { intercept } = played.server
  played.server.intercept = (call, response) => {
    const waits = call.query.get('watch') === 'true' && call.path.endsWith('/ec2nodeclasses')
    if (waits) setImmediate(() => withHash(renewed))
    return intercept(call, response)
  }
}

test.each<[string, Shape, readonly string[]]>([
  [
    'by a controller of another version, only when that has renewed its hash',
    { inputs: { 'karpenter-version': '1.14.1', discovery: 'ids' }, installed: '1.12.0' },
    ['Karpenter to renew the hash of EC2NodeClass default (v0 to v5)']
  ],
  [
    'by the controller that runs, at once',
    { inputs: { 'karpenter-version': '1.12.0', discovery: 'ids' }, installed: '1.12.0' },
    []
  ]
])('an EC2NodeClass is changed %s', async (_when, shape, waits) => {
  await played.installed({ inputs: { 'karpenter-version': '1.12.0' } })
  hashIs('v0', 'v5')
  const steps = await played.install(await played.graph(shape))
  expect(steps.get('ec2-node-class/default')?.waits).toEqual(waits)
  expect(await played.differing(shape)).toEqual([])
})

test('an access entry or a line of aws-auth of a role that somebody else made is not ours to narrow', async () => {
  const line = (name: string): string =>
    `- {rolearn: "arn:aws:iam::111122223333:role/${name}", username: "system:node:{{EC2PrivateDNSName}}", groups: [system:bootstrappers, system:nodes, theirs]}\n`
  const theirs = played.cloud.iam.putRole({ name: 'theirs', trust: nobodyTrusted })
  played.server.put('/api/v1/namespaces/kube-system/configmaps/aws-auth', {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    data: { mapRoles: line('theirs') + line('KarpenterNodeRole-blue') }
  })
  const stateOf = async (shape: Shape): Promise<string> => {
    const graph = await played.graph({ ...shape, authenticationMode: 'CONFIG_MAP' })
    return (await graph.get('node-access').inspect(new AbortController().signal)).state
  }
  const others: Shape = {
    inputs: { 'node-role-name': 'theirs' },
    found: { roleNamed: async () => ({ ...theirs, tags: {}, permissionsBoundary: undefined }) }
  }
  expect([await stateOf({}), await stateOf(others)]).toEqual(['differs', 'as wanted'])
})
