import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { Ajv2020 } from 'ajv/dist/2020.js'
import type { Instance } from '../sandbox/cloud/moto/index.js'
import { items } from '../sandbox/cloud/moto/client.js'
import type { RecordedCall } from '../sandbox/cloud/service.js'
import type { ActionResult, Sandbox } from '../sandbox/index.js'
import { list, record, text, textRecord } from '../sandbox/values.js'

/** The guide's Provisioner: both of consolidation and ttlSecondsAfterEmpty, and the group that it is often given. */
export const guideProvisioner = (group: 'karpenter.sh' | 'karpenter.k8s.aws'): string => `
apiVersion: ${group}/v1alpha5
kind: Provisioner
metadata:
  name: default
spec:
  requirements:
    - key: karpenter.sh/capacity-type
      operator: In
      values: ["spot"]
  limits:
    resources:
      cpu: 1000
      memory: 1000Gi
  consolidation:
    enabled: true
  ttlSecondsAfterEmpty: 30
  providerRef:
    name: default
---
apiVersion: karpenter.k8s.aws/v1alpha1
kind: AWSNodeTemplate
metadata:
  name: default
spec:
  subnetSelector:
    karpenter.sh/discovery: eksworkshop
  securityGroupSelector:
    karpenter.sh/discovery: eksworkshop
`

/** Resolves with the first thing that `look` finds; rejects when it finds nothing in time. */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined> | T | undefined,
  seconds = 120
): Promise<T> {
  const deadline = Date.now() + seconds * 1000
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    if (Date.now() > deadline) throw new Error(`${what}: not seen within ${seconds} s`)
    await delay(20)
  }
}

export type KubernetesObject = Readonly<Record<string, unknown>>

/** An object of the cluster; undefined when it is not there. */
export async function find(sandbox: Sandbox, path: string): Promise<KubernetesObject | undefined> {
  const answer = await sandbox.kubernetes('GET', path)
  if (answer.status === 404) return undefined
  // The storage of a kind whose CRD has just been made is still being set up.
  if (answer.status === 429) {
    await delay(100)
    return find(sandbox, path)
  }
  if (answer.status !== 200) throw new Error(`${path}: the API server answered ${answer.status}`)
  return record(answer.body)
}

/** The same where it must be there. */
export async function get(sandbox: Sandbox, path: string): Promise<KubernetesObject> {
  const found = await find(sandbox, path)
  if (found === undefined) throw new Error(`${path}: not in the cluster`)
  return found
}

export async function listed(sandbox: Sandbox, path: string): Promise<readonly KubernetesObject[]> {
  const answer = await find(sandbox, path)
  return list(record(answer)['items']).map(record)
}

/** What stands at a path of names and indexes in parsed JSON. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>(
    (inner, key) => (typeof key === 'number' ? list(inner)[key] : record(inner)[key]),
    value
  )
}

/** Status of each condition by its type. */
export function conditions(object: KubernetesObject): Readonly<Record<string, unknown>> {
  const all = list(at(object, 'status', 'conditions')).map(record)
  return Object.fromEntries(all.map((one) => [text(one['type']) ?? '', one['status']]))
}

export const paths = {
  awsAuth: '/api/v1/namespaces/kube-system/configmaps/aws-auth',
  lock: '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/setup-karpenter',
  deployments: '/apis/apps/v1/namespaces/karpenter/deployments',
  nodes: '/api/v1/nodes',
  nodePools: '/apis/karpenter.sh/v1/nodepools',
  nodeClaims: '/apis/karpenter.sh/v1/nodeclaims',
  nodeClasses: '/apis/karpenter.k8s.aws/v1/ec2nodeclasses',
  crds: '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
  flowSchemas: '/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas'
} as const

/** What carries the smoke test's label: Deployments, NodePools and NodeClaims by kind and name. */
export async function smokeTestObjects(sandbox: Sandbox): Promise<readonly string[]> {
  const selector = '?labelSelector=setup-karpenter/smoke-test'
  const kinds = { Deployment: paths.deployments, NodePool: paths.nodePools, NodeClaim: paths.nodeClaims }
  const found = await Promise.all(
    Object.entries(kinds).map(async ([kind, path]) =>
      (await listed(sandbox, `${path}${selector}`)).map(
        (object) => `${kind} ${text(at(object, 'metadata', 'name')) ?? ''}`
      )
    )
  )
  return found.flat()
}

/** Tags by resource id. */
export async function tagsOf(
  sandbox: Sandbox,
  kind: 'subnets' | 'security groups'
): Promise<Readonly<Record<string, Readonly<Record<string, string>>>>> {
  const [action, set, id] =
    kind === 'subnets'
      ? ['DescribeSubnets', 'subnetSet', 'subnetId']
      : ['DescribeSecurityGroups', 'securityGroupInfo', 'groupId']
  const described = await sandbox.moto.ec2(action, {})
  return Object.fromEntries(
    items(described[set]).map((one) => [
      text(one[id]) ?? '',
      Object.fromEntries(
        items(one['tagSet']).map((tag) => [text(tag['key']) ?? '', text(tag['value']) ?? ''])
      )
    ])
  )
}

/** Instances that Karpenter launched, ended ones too. */
export async function launchedByKarpenter(sandbox: Sandbox): Promise<readonly Instance[]> {
  return (await sandbox.moto.instances()).filter((instance) => 'karpenter.sh/nodepool' in instance.tags)
}

/** Calls of the action itself, CloudFormation's on its behalf included. */
export function callsOf(sandbox: Sandbox): readonly RecordedCall[] {
  return sandbox.cloud.calls().filter((call) => call.callerArn.includes(':assumed-role/karpenter-deployer/'))
}

/** `iam:CreateRole` of each call that was refused for want of a permission. */
export function denied(calls: readonly RecordedCall[]): readonly string[] {
  return calls
    .filter((call) => /Denied|Unauthorized/.test(call.outcome))
    .map((call) => `${call.service}:${call.action}`)
}

/** `iam:CreateRole` of each call that changed something, or was to. */
export function writes(calls: readonly RecordedCall[]): readonly string[] {
  return calls.filter((call) => call.write).map((call) => `${call.service}:${call.action}`)
}

/** Client configuration of somebody who may read everything and is nobody of the installation. */
export function auditor(sandbox: Sandbox): {
  readonly region: string
  readonly endpoint: string
  readonly credentials: { accessKeyId: string; secretAccessKey: string; sessionToken: string }
} {
  const role = sandbox.cloud.iam.putRole({
    name: 'auditor',
    trust: { Version: '2012-10-17', Statement: [] },
    inline: { read: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] } }
  })
  const session = sandbox.cloud.credentialsFor(role.arn, 3600)
  return { region: sandbox.region, endpoint: sandbox.cloud.url, credentials: { ...session } }
}

const reportIsValid = new Ajv2020().compile(
  record(JSON.parse(readFileSync('docs/report.schema.json', 'utf8')))
)

/** The JSON report that a run left, held to its published schema. */
export function reportOf(result: ActionResult): Readonly<Record<string, unknown>> {
  const written = result.files[result.outputs['report'] ?? '']
  if (written === undefined) throw new Error(`report: the run left none\n${result.log}`)
  const report: unknown = JSON.parse(written)
  if (!reportIsValid(report)) throw new Error(`report: ${JSON.stringify(reportIsValid.errors)}`)
  return record(report)
}

/** A run that came to its good end; otherwise its whole log is the error. */
export function succeeded(result: ActionResult): ActionResult {
  if (result.conclusion === 'success') return result
  const seen = [result.log, ...result.annotations.map(({ message }) => message), result.post?.log ?? '']
  throw new Error(`the run ended with ${result.conclusion}:\n${seen.join('\n')}`)
}

/** A policy document that IAM keeps as text. */
export function documentOf(json: string | undefined): unknown {
  const document: unknown = JSON.parse(json ?? 'null')
  return document
}

export function dataOf(configMap: KubernetesObject): Readonly<Record<string, string>> {
  return textRecord(configMap['data'])
}
