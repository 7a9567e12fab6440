import {
  accountIdsOf,
  chartOf,
  credentialsOf,
  helmValuesOf,
  helmVersionOf,
  modeOf,
  names,
  nodePoolsOf,
  optional,
  policyArnsOf,
  queueOf,
  roleNameOf,
  securityGroupsOf,
  stackNameOf,
  subnetsOf,
  tagsOf,
  templateOf,
  urlOf,
  versionOf
} from './fields.js'
import { guideNames } from '../karpenter/names.js'
import { checkOf, preflightOf, removalOf, smokeTestOf } from './modes.js'
import { booleanOf, InputProblems, matching, oneOf, secondsOf } from './values.js'

/** Every input, typed. parseInputs (below) fills it; action.yml lists the same names in the same order. */
export type Mode = 'install' | 'check' | 'smoke-test' | 'uninstall'
export type IdentityChoice = 'auto' | 'irsa' | 'pod-identity'
/** `leave`: whoever owns them upgrades them. */
export type CrdsChoice = 'auto' | 'take-over' | 'leave'
export type NodeAccessChoice = 'auto' | 'access-entry' | 'aws-auth'

export type CredentialsInput =
  | {
      readonly kind: 'oidc'
      readonly roleArn: string
      readonly sessionName: string
      readonly durationSeconds: number
      /** Undefined: by the region's partition. */
      readonly audience: string | undefined
    }
  | { readonly kind: 'chain' }

/** `minor`: its newest patch. `lts`: that of the newest long-term minor. */
export type VersionInput =
  /** Without a leading v. */
  | { readonly kind: 'exact'; readonly version: string }
  | { readonly kind: 'minor'; readonly minor: string }
  | { readonly kind: 'latest' }
  | { readonly kind: 'lts' }

export type SubnetsInput =
  | { readonly kind: 'cluster' }
  | { readonly kind: 'private' }
  | { readonly kind: 'ids'; readonly ids: readonly string[] }
  | { readonly kind: 'tag'; readonly key: string; readonly value: string }

export type SecurityGroupsInput =
  { readonly kind: 'cluster' } | { readonly kind: 'ids'; readonly ids: readonly string[] }

export type TemplateInput =
  | { readonly kind: 'upstream' }
  | { readonly kind: 'built-in' }
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'url'; readonly url: string }
  /** The text itself, as the record has it; `origin` says so. */
  | { readonly kind: 'text'; readonly text: string; readonly origin: string }

export type NodePoolsInput =
  | { readonly kind: 'default' }
  | { readonly kind: 'none' }
  /** `source` is what errors call it: the path, or `node-pools`. */
  | { readonly kind: 'manifests'; readonly source: string; readonly text: string }

/** `stack`: the queue that the stack makes. */
export type QueueInput =
  { readonly kind: 'stack' } | { readonly kind: 'none' } | { readonly kind: 'named'; readonly name: string }

export interface SmokeTestInput {
  readonly replicas: number
  readonly onePerNode: boolean
  readonly image: string
  /** Empty: the first in mode install, every one in mode smoke-test. */
  readonly nodePools: readonly string[]
  readonly timeoutSeconds: number
  readonly nodeReadyThresholdSeconds: number | undefined
}

export type FailOn = 'drift' | 'pending' | 'unknown'

export interface CheckInput {
  /** Empty: never. */
  readonly failOn: readonly FailOn[]
  /** GitHub's token, when an issue is to be kept. */
  readonly issueToken: string | undefined
}

export interface PreflightInput {
  /** What becomes of warnings: refused, shown, or only noted. */
  readonly warnings: 'strict' | 'warn' | 'off'
  /** Names of errors that do not refuse (src/preflight/catalogue.ts). */
  readonly allow: readonly string[]
}

export interface RemovalInput {
  readonly forceDrain: boolean
  readonly removeCrds: boolean
  readonly removeOidcProvider: boolean
  /** What was there before us and was adopted goes as well. */
  readonly removeAdopted: boolean
}

export interface Inputs {
  readonly mode: Mode
  readonly clusterName: string
  readonly region: string
  readonly credentials: CredentialsInput
  readonly allowedAccountIds: readonly string[]
  /** Undefined: the installed one, else the newest tested one for the cluster. */
  readonly karpenterVersion: VersionInput | undefined
  readonly allowDowngrade: boolean
  readonly crds: CrdsChoice
  readonly adopt: boolean
  readonly namespace: string
  readonly controllerIdentity: IdentityChoice
  readonly controllerRoleName: string
  readonly nodeRoleName: string
  readonly nodeAccess: NodeAccessChoice
  readonly subnets: SubnetsInput
  readonly securityGroups: SecurityGroupsInput
  readonly template: TemplateInput
  readonly stackName: string
  /** oci://... without a version, or the path of a chart. */
  readonly chart: string
  /** A semver range that a helm on the PATH must satisfy; also which one is downloaded. */
  readonly helmVersion: string
  /** Base URL: archives are taken from `<base>/helm-v<version>-<os>-<arch>.tar.gz`. */
  readonly helmDownloadUrl: string
  /** helm-values-file overlaid with helm-values. */
  readonly helmValues: Readonly<Record<string, unknown>>
  readonly nodePools: NodePoolsInput
  readonly interruptionQueue: QueueInput
  readonly permissionsBoundary: string | undefined
  readonly tags: Readonly<Record<string, string>>
  /** ARNs of policies besides the stack's. */
  readonly controllerRolePolicies: readonly string[]
  readonly nodeRolePolicies: readonly string[]
  readonly preflight: PreflightInput
  /** Undefined when the run makes none. */
  readonly smokeTest: SmokeTestInput | undefined
  readonly check: CheckInput
  readonly removal: RemovalInput
  readonly timeoutSeconds: number
  readonly summary: boolean
}

/** Where inputs come from: the runner's environment and the workflow's files. */
export interface InputSource {
  /** Trimmed value of an input, empty when it is not given; action.yml's defaults are the runner's affair. */
  get(name: string): string
  /** AWS_REGION and the like. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Text of a file of the workspace; throws when it cannot be read. */
  readFile(path: string): string
}

/**
 * Reads and validates every input, in action.yml's order. Throws one UserError that lists every problem, each beginning
 * with its input's name; nothing has been called by then.
 */
export function parseInputs(source: InputSource): Inputs {
  const problems = new InputProblems()
  const mode = modeOf(problems, source.get('mode'))
  const clusterName = matching(
    problems,
    'cluster-name',
    source.get('cluster-name'),
    names.cluster,
    'use the name of the EKS cluster, letters, digits, - and _, at most 100'
  )
  const inputs: Inputs = {
    mode,
    clusterName,
    region: matching(
      problems,
      'region',
      source.get('region') || (source.env['AWS_REGION'] ?? source.env['AWS_DEFAULT_REGION'] ?? ''),
      names.region,
      'use an AWS region such as eu-west-1, or set AWS_REGION'
    ),
    credentials: credentialsOf(problems, source),
    allowedAccountIds: accountIdsOf(problems, source.get('allowed-account-ids')),
    karpenterVersion: optional(source.get('karpenter-version'), (version) => versionOf(problems, version)),
    allowDowngrade: booleanOf(problems, 'allow-downgrade', source.get('allow-downgrade')),
    crds: oneOf(problems, 'crds', source.get('crds'), ['auto', 'take-over', 'leave']),
    adopt: booleanOf(problems, 'adopt', source.get('adopt')),
    namespace: matching(
      problems,
      'namespace',
      source.get('namespace'),
      names.namespace,
      'use a Kubernetes namespace such as karpenter'
    ),
    controllerIdentity: oneOf(problems, 'controller-identity', source.get('controller-identity'), [
      'auto',
      'irsa',
      'pod-identity'
    ]),
    controllerRoleName: roleNameOf(
      problems,
      'controller-role-name',
      source,
      guideNames(clusterName).controllerRole
    ),
    nodeRoleName: roleNameOf(problems, 'node-role-name', source, guideNames(clusterName).nodeRole),
    nodeAccess: oneOf(problems, 'node-access', source.get('node-access'), [
      'auto',
      'access-entry',
      'aws-auth'
    ]),
    subnets: subnetsOf(problems, source.get('subnets')),
    securityGroups: securityGroupsOf(problems, source.get('security-groups')),
    template: templateOf(problems, source),
    stackName: stackNameOf(problems, source.get('stack-name'), clusterName),
    chart: chartOf(problems, source.get('chart')),
    helmVersion: helmVersionOf(problems, source.get('helm-version')),
    helmDownloadUrl: urlOf(problems, 'helm-download-url', source.get('helm-download-url')),
    helmValues: helmValuesOf(problems, source),
    nodePools: nodePoolsOf(problems, source),
    interruptionQueue: queueOf(problems, source.get('interruption-queue')),
    permissionsBoundary: optional(source.get('permissions-boundary'), (arn) =>
      matching(problems, 'permissions-boundary', arn, names.policyArn, 'use the ARN of an IAM policy')
    ),
    tags: tagsOf(problems, source.get('tags')),
    controllerRolePolicies: policyArnsOf(
      problems,
      'controller-role-policies',
      source.get('controller-role-policies')
    ),
    nodeRolePolicies: policyArnsOf(problems, 'node-role-policies', source.get('node-role-policies')),
    preflight: preflightOf(problems, source),
    smokeTest: smokeTestOf(problems, source, mode),
    check: checkOf(problems, source),
    removal: removalOf(problems, source),
    timeoutSeconds: secondsOf(problems, 'timeout', source.get('timeout'), 60, 21_600),
    summary: booleanOf(problems, 'summary', source.get('summary'))
  }
  problems.throwIfAny()
  return inputs
}
