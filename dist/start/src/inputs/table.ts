import { boolean, duration, integer, list, optional, type Parser, text, word } from './parsers.js'
import { signer, trustRoot } from './chart-signature.js'
import { expectedClusters, reports } from './cluster-list.js'
import { ignore } from './ignore.js'
import { nodePools } from './node-pools.js'
import * as of from './values.js'

/** What a run does on one cluster. */
const clusterModes = ['install', 'plan', 'check', 'smoke-test', 'uninstall'] as const
export type ClusterMode = (typeof clusterModes)[number]
/** `combine` puts together what runs on several clusters have reported. */
const modes = [...clusterModes, 'combine'] as const
export type Mode = (typeof modes)[number]

/** Whether a run refuses and warns as an install does before its first write: a plan is that half of one. */
export function asksAsInstall(mode: Mode): boolean {
  return mode === 'install' || mode === 'plan'
}

/** An input of action.yml. */
export interface Input<T> {
  readonly name: string
  /** What an input that is not given, or empty, stands for; the same as in action.yml. */
  readonly standard: string
  /** The modes in which it means something. */
  readonly modes: readonly Mode[]
  readonly parse: Parser<T>
}

const all = clusterModes
/** What an installation is, which check compares with and uninstall finds by. */
const model = ['install', 'plan', 'check', 'uninstall'] as const
/** What an install asks before its first write; a plan says it beforehand. */
const installing = ['install', 'plan'] as const
const comparing = ['install', 'plan', 'check'] as const
const proof = ['install', 'plan', 'smoke-test'] as const

function input<T>(name: string, standard: string, of: readonly Mode[], parse: Parser<T>): Input<T> {
  return { name, standard, modes: of, parse }
}

/** Every input, in action.yml's order. */
export const table = {
  mode: input('mode', 'install', modes, word(...modes)),
  clusterName: input('cluster-name', '', all, of.cluster),
  region: input('region', '', all, of.region),
  roleToAssume: input('role-to-assume', '', all, optional(of.roleArn)),
  roleSessionName: input('role-session-name', 'setup-karpenter', all, of.session),
  roleDurationSeconds: input('role-duration-seconds', '3600', all, integer(900, 43_200)),
  audience: input('audience', '', all, optional(text())),
  allowedAccountIds: input('allowed-account-ids', '', all, of.accountIds),
  karpenterVersion: input('karpenter-version', '', model, optional(of.version)),
  allowDowngrade: input('allow-downgrade', 'false', comparing, boolean()),
  crds: input('crds', 'auto', model, word('auto', 'take-over', 'leave')),
  adopt: input('adopt', 'false', comparing, boolean()),
  namespace: input('namespace', 'karpenter', all, of.namespace),
  controllerIdentity: input('controller-identity', 'auto', model, word('auto', 'irsa', 'pod-identity')),
  controllerRoleName: input('controller-role-name', '', model, optional(of.roleName)),
  nodeRoleName: input('node-role-name', '', model, optional(of.roleName)),
  nodeAccess: input('node-access', 'auto', model, word('auto', 'access-entry', 'aws-auth')),
  subnets: input('subnets', 'cluster', model, of.subnets),
  securityGroups: input('security-groups', 'cluster', model, of.securityGroups),
  discovery: input('discovery', 'tags', model, word('tags', 'ids')),
  template: input('template', 'upstream', model, of.template),
  stackName: input('stack-name', '', model, optional(of.stack)),
  chart: input('chart', 'oci://public.ecr.aws/karpenter/karpenter', model, of.chart),
  chartSignature: input('chart-signature', 'warn', comparing, word('warn', 'require', 'off')),
  chartTrustRoot: input('chart-trust-root', '', comparing, optional(trustRoot)),
  chartSigner: input('chart-signer', '', comparing, optional(signer)),
  helmVersion: input('helm-version', '>=3.14.0 <4', model, of.helmRange),
  helmDownloadUrl: input('helm-download-url', 'https://get.helm.sh', model, of.url),
  helmValues: input('helm-values', '', model, of.values),
  helmValuesFile: input('helm-values-file', '', model, of.valuesFile),
  nodePools: input('node-pools', 'default', model, nodePools),
  interruptionQueue: input('interruption-queue', 'stack', model, of.queue),
  permissionsBoundary: input('permissions-boundary', '', model, optional(of.boundary)),
  stackRoleArn: input('stack-role-arn', '', model, optional(of.roleArn)),
  tags: input('tags', '', model, of.tags),
  controllerRolePolicies: input('controller-role-policies', '', model, of.policyArns),
  nodeRolePolicies: input('node-role-policies', '', model, of.policyArns),
  preflight: input('preflight', 'warn', installing, word('warn', 'strict', 'off')),
  preflightAllow: input('preflight-allow', '', installing, list(text())),
  smokeTest: input('smoke-test', 'true', installing, boolean()),
  smokeTestReplicas: input('smoke-test-replicas', '5', proof, integer(1, 100)),
  smokeTestOnePerNode: input('smoke-test-one-per-node', 'false', proof, boolean()),
  smokeTestImage: input(
    'smoke-test-image',
    'public.ecr.aws/eks-distro/kubernetes/pause:3.10',
    proof,
    of.image
  ),
  smokeTestNetworkImage: input(
    'smoke-test-network-image',
    'public.ecr.aws/docker/library/busybox:1.37.0',
    proof,
    of.imageOrNone
  ),
  smokeTestNodePools: input('smoke-test-node-pools', '', proof, list(of.nodePoolName)),
  smokeTestTimeout: input('smoke-test-timeout', '15m', proof, duration(30, 7200)),
  nodeReadyThreshold: input('node-ready-threshold-seconds', '', proof, optional(integer(1, 86_400))),
  ignore: input('ignore', '', comparing, ignore),
  failOn: input('fail-on', 'drift,unhealthy,unknown', ['check'], of.failOn),
  driftIssue: input('drift-issue', 'false', ['check', 'combine'], boolean()),
  comment: input('comment', 'false', ['plan'], boolean()),
  githubToken: input('github-token', '', ['plan', 'check', 'combine'], text()),
  forceDrain: input('force-drain', 'false', ['uninstall'], boolean()),
  removeCrds: input('remove-crds', 'false', ['uninstall'], boolean()),
  removeOidcProvider: input('remove-oidc-provider', 'false', ['uninstall'], boolean()),
  removeAdopted: input('remove-adopted', 'false', ['uninstall'], boolean()),
  reports: input('reports', 'reports/**/*.json', ['combine'], reports),
  clusters: input('clusters', '', ['combine'], expectedClusters),
  timeout: input('timeout', '45m', all, duration(60, 21_600)),
  summary: input('summary', 'true', modes, boolean())
} as const
