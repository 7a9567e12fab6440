import { isMap } from '../../src/engine/json.js'
import { field, textField } from '../../src/kubernetes/manifest.js'
import { smokeTestLabel } from '../../src/smoke-test/objects.js'
import { ApiServer, type Call } from '../kubernetes/api-server.js'
import type { PlayedAws } from './played-aws.js'

const paths = {
  node: '/api/v1/nodes/',
  nodePools: '/apis/karpenter.sh/v1/nodepools/',
  nodeClaims: '/apis/karpenter.sh/v1/nodeclaims/',
  nodeClasses: '/apis/karpenter.k8s.aws/v1/ec2nodeclasses/',
  crds: '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/'
}

/** Cluster blue with two nodes; whatever is written to it is Ready at once, and smoke tests get their node. */
export async function startPlayedCluster(aws: PlayedAws): Promise<ApiServer> {
  const server = await ApiServer.start()
  for (const name of ['one', 'two']) server.put(`${paths.node}${name}`, node(`i-${name}`, {}))
  server.put('/api/v1/namespaces/kube-system', { apiVersion: 'v1', kind: 'Namespace' })
  server.intercept = (call) => {
    makeReady(call)
    // Once the server has answered.
    setImmediate(() => launch(server, aws, call))
    return false
  }
  return server
}

function makeReady({ method, path, body }: Call): void {
  if (method !== 'PATCH' && method !== 'POST') return
  const condition = path.startsWith(paths.crds)
    ? 'Established'
    : [paths.nodePools, paths.nodeClasses].some((of) => path.startsWith(of))
      ? 'Ready'
      : undefined
  if (condition !== undefined && isMap(body))
    Object.assign(body, { status: { conditions: [{ type: condition, status: 'True', reason: condition }] } })
}

/** What Karpenter makes of a smoke test's Deployment, and takes back with it. */
function launch(server: ApiServer, aws: PlayedAws, { method, path, body }: Call): void {
  const name = /\/apis\/apps\/v1\/namespaces\/[^/]+\/deployments\/(.+)$/.exec(path)?.[1]
  const claim = `${paths.nodeClaims}${name ?? ''}-x`
  if (name === undefined) return
  const given = server.at(claim)
  if (method === 'DELETE' && given !== undefined) {
    const gone = textField(given, 'status', 'nodeName') ?? ''
    server.remove(claim)
    server.remove(`${paths.node}${gone}`)
    for (const one of server.paths) if (one.startsWith(podPath(path))) server.remove(one)
    aws.instances.set(`i-${gone}`, 'terminated')
    return
  }
  if (method !== 'PATCH' || given !== undefined) return
  if (textField(body, 'metadata', 'labels', smokeTestLabel) === undefined) return
  // Nodes and pods carry the id of the test of one NodePool, which has the Deployment's name.
  const test = name.replace('smoke-test-', '')
  const on = server.at(`${paths.node}smoke`) === undefined ? 'smoke' : `smoke-of-${test}`
  const id = `i-${on}`
  const labels = { 'karpenter.sh/nodepool': name, [smokeTestLabel]: test }
  const now = new Date().toISOString()
  const met = (type: string) => ({ type, status: 'True', reason: type, lastTransitionTime: now })
  aws.instances.set(id, 'running')
  server.put(claim, {
    apiVersion: 'karpenter.sh/v1',
    kind: 'NodeClaim',
    metadata: { labels, creationTimestamp: now },
    status: {
      nodeName: on,
      providerID: `aws:///eu-west-1a/${id}`,
      conditions: [met('Launched'), met('Registered'), met('Initialized')]
    }
  })
  server.put(`${paths.node}${on}`, node(id, { [smokeTestLabel]: test }))
  const replicas = field(body, 'spec', 'replicas')
  for (let pod = 0; pod < (typeof replicas === 'number' ? replicas : 1); pod++) {
    server.put(`${podPath(path)}${pod}`, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { labels: { [smokeTestLabel]: test } },
      spec: { nodeName: on },
      status: { phase: 'Running', conditions: [met('Ready')] }
    })
  }
}

/** Where the pods of a Deployment begin. */
function podPath(deployment: string): string {
  return `${deployment.replace('apis/apps/v1', 'api/v1').replace('deployments', 'pods')}-`
}

function node(id: string, labels: Readonly<Record<string, string>>): Record<string, unknown> {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      labels: {
        'kubernetes.io/os': 'linux',
        'kubernetes.io/arch': 'amd64',
        'node.kubernetes.io/instance-type': 'm5.large',
        'topology.kubernetes.io/zone': 'eu-west-1a',
        ...labels
      }
    },
    spec: { providerID: `aws:///eu-west-1a/${id}` },
    status: {
      allocatable: { cpu: '8', memory: '32Gi', pods: '58' },
      conditions: [{ type: 'Ready', status: 'True' }]
    }
  }
}
