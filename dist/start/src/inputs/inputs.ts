import type { CredentialsInput } from '../aws/credentials.js'
import { type JsonMap, overlay } from '../engine/json.js'
import { chartSignatureOf } from './chart-signature.js'
import { InputProblems, quoted } from './problems.js'
import { asksAsInstall, type ClusterMode, type Input, type Mode, table } from './table.js'

export { asksAsInstall, type ClusterMode, type Mode } from './table.js'
export type { FailOn, QueueInput, VersionInput } from './values.js'

/** Where inputs come from: the runner's environment and the workflow's files. */
export interface InputSource {
  /** Trimmed value of an input, empty when it is not given. */
  get(name: string): string
  /** AWS_REGION and the like. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Text of a file of the workspace; throws when it cannot be read. */
  readFile(path: string): string
  /** Paths of the workspace's files that a glob matches, in order. */
  findFiles(glob: string): readonly string[]
  /** Karpenter's guide names what it makes by the cluster. */
  guideNames(clusterName: string): {
    readonly controllerRole: string
    readonly nodeRole: string
    readonly stack: string
  }
  /** Whether AWS itself publishes what an OCI reference names. */
  publishedByAws(chart: string): boolean
  /** Names of preflight's errors that may be allowed. */
  readonly overrides: readonly string[]
}

/** Every input of a run on a cluster, typed; what belongs together is one. */
export type Inputs = ReturnType<typeof read>
/** Those of mode combine, which calls no cluster. */
export type CombineInputs = ReturnType<typeof readCombine>
export type SmokeTestInput = NonNullable<Inputs['smokeTest']>
export type CheckInput = Inputs['check']
export type RemovalInput = Inputs['removal']

/** Whether the run is one of mode combine; a mode that is not known is parseInputs' to refuse. */
export function isCombine(source: Pick<InputSource, 'get'>): boolean {
  const combine: Mode = 'combine'
  return source.get(table.mode.name) === combine
}

/** As parseInputs, for mode combine. */
export function parseCombineInputs(source: InputSource): CombineInputs {
  const problems = new InputProblems()
  const inputs = readCombine(source, problems)
  problems.throwIfAny()
  return inputs
}

/**
 * Reads and validates every input. Throws one UserError that lists every problem, each beginning with its input's name;
 * nothing has been called by then.
 */
export function parseInputs(source: InputSource): Inputs {
  const problems = new InputProblems()
  const inputs = read(source, problems)
  problems.throwIfAny()
  return inputs
}

type Parsed = <T>(input: Input<T>, instead?: string) => T

function parsedFrom(source: InputSource, problems: InputProblems): Parsed {
  return ({ name, standard, parse }, instead = standard) =>
    parse(source.get(name) || instead, {
      problem: (wrong, right) => problems.add(name, wrong, right),
      readFile: (path) => source.readFile(path),
      findFiles: (glob) => source.findFiles(glob)
    })
}

function readCombine(source: InputSource, problems: InputProblems) {
  const parsed = parsedFrom(source, problems)
  return {
    mode: 'combine' as const,
    reports: parsed(table.reports),
    /** Empty: whatever has reported. */
    clusters: parsed(table.clusters),
    issueToken: tokenFor('drift-issue', parsed(table.driftIssue), parsed(table.githubToken), problems),
    summary: parsed(table.summary),
    ofOtherModes: ofOtherModes('combine', source)
  }
}

function read(source: InputSource, problems: InputProblems) {
  const parsed = parsedFrom(source, problems)
  const mode = clusterMode(parsed(table.mode))
  const clusterName = parsed(table.clusterName)
  const guide = source.guideNames(clusterName)
  const githubToken = parsed(table.githubToken)
  const { AWS_REGION: region, AWS_DEFAULT_REGION: otherwise } = source.env
  return {
    mode,
    clusterName,
    region: parsed(table.region, region || otherwise || ''),
    credentials: credentialsOf({
      roleArn: parsed(table.roleToAssume),
      sessionName: parsed(table.roleSessionName),
      durationSeconds: parsed(table.roleDurationSeconds),
      /** Undefined: by the region's partition. */
      audience: parsed(table.audience)
    }),
    allowedAccountIds: parsed(table.allowedAccountIds),
    /** Undefined: the installed one, else the newest tested one for the cluster. */
    karpenterVersion: parsed(table.karpenterVersion),
    allowDowngrade: parsed(table.allowDowngrade),
    /** `leave`: whoever owns them upgrades them. */
    crds: parsed(table.crds),
    adopt: parsed(table.adopt),
    namespace: parsed(table.namespace),
    controllerIdentity: parsed(table.controllerIdentity),
    controllerRoleName: parsed(table.controllerRoleName, guide.controllerRole) ?? '',
    nodeRoleName: parsed(table.nodeRoleName, guide.nodeRole) ?? '',
    /** Whether it was given: only then one that is there may be meant. */
    nodeRoleNamed: source.get(table.nodeRoleName.name) !== '',
    nodeAccess: parsed(table.nodeAccess),
    subnets: parsed(table.subnets),
    securityGroups: parsed(table.securityGroups),
    /** `ids`: EC2NodeClasses name what they use, and nothing is tagged. */
    discovery: parsed(table.discovery),
    template: parsed(table.template),
    stackName: parsed(table.stackName, guide.stack) ?? '',
    ...chartOf(parsed, source, problems),
    /** A semver range that a helm on the PATH must satisfy; also which one is downloaded. */
    helmVersion: parsed(table.helmVersion),
    /** Base URL: archives are taken from `<base>/helm-v<version>-<os>-<arch>.tar.gz`. */
    helmDownloadUrl: parsed(table.helmDownloadUrl),
    /** helm-values-file overlaid with helm-values. */
    helmValues: overlaid(parsed(table.helmValues), parsed(table.helmValuesFile)),
    nodePools: parsed(table.nodePools),
    interruptionQueue: parsed(table.interruptionQueue),
    permissionsBoundary: parsed(table.permissionsBoundary),
    /** By which CloudFormation acts; undefined: by the run's own permissions, or by the role that the stack has. */
    stackRoleArn: parsed(table.stackRoleArn),
    tags: parsed(table.tags),
    /** ARNs of policies besides the stack's. */
    controllerRolePolicies: parsed(table.controllerRolePolicies),
    nodeRolePolicies: parsed(table.nodeRolePolicies),
    preflight: {
      /** What becomes of warnings: refused, shown, or only noted. */
      warnings: parsed(table.preflight),
      /** Names of errors that do not refuse. */
      allow: allowed(parsed(table.preflightAllow), source.overrides, problems)
    },
    smokeTest: smokeTestOf(mode, parsed(table.smokeTest), {
      replicas: parsed(table.smokeTestReplicas),
      onePerNode: parsed(table.smokeTestOnePerNode),
      image: parsed(table.smokeTestImage),
      /** Undefined: the network of new nodes is not proved. */
      networkImage: parsed(table.smokeTestNetworkImage),
      /** Empty: the first in mode install, every one in mode smoke-test. */
      nodePools: parsed(table.smokeTestNodePools),
      timeoutSeconds: parsed(table.smokeTestTimeout),
      nodeReadyThresholdSeconds: parsed(table.nodeReadyThreshold)
    }),
    /** Fields that are left as somebody else keeps them. */
    ignore: parsed(table.ignore),
    check: {
      /** Empty: never. */
      failOn: parsed(table.failOn),
      issueToken: tokenFor('drift-issue', parsed(table.driftIssue), githubToken, problems)
    },
    plan: {
      /** Undefined: no comment. */
      commentToken: tokenFor('comment', parsed(table.comment), githubToken, problems)
    },
    removal: {
      forceDrain: parsed(table.forceDrain),
      removeCrds: parsed(table.removeCrds),
      removeOidcProvider: parsed(table.removeOidcProvider),
      /** What was there before us and was adopted goes as well. */
      removeAdopted: parsed(table.removeAdopted)
    },
    timeoutSeconds: parsed(table.timeout),
    summary: parsed(table.summary),
    /** Inputs that were given and mean nothing in this mode. */
    ofOtherModes: ofOtherModes(mode, source)
  }
}

function clusterMode(mode: Mode): ClusterMode {
  if (mode === 'combine') throw new Error('mode combine has inputs of its own: parseCombineInputs')
  return mode
}

function chartOf(parsed: Parsed, source: InputSource, problems: InputProblems) {
  const chart = parsed(table.chart)
  const request = {
    wanted: parsed(table.chartSignature),
    trustRoot: parsed(table.chartTrustRoot),
    signer: parsed(table.chartSigner)
  }
  return {
    /** oci://... without a version, or the path of a chart. */
    chart,
    chartSignature: chartSignatureOf(request, source.publishedByAws(chart), problems)
  }
}

function overlaid(own: JsonMap, file: JsonMap): JsonMap {
  return overlay(file, own)
}

function credentialsOf({
  roleArn,
  ...role
}: {
  readonly roleArn: string | undefined
  readonly sessionName: string
  readonly durationSeconds: number
  readonly audience: string | undefined
}): CredentialsInput {
  return roleArn === undefined ? { kind: 'chain' } : { kind: 'oidc', roleArn, ...role }
}

/** Undefined when the run makes none; of a plan that the install makes none. In mode smoke-test it is the whole run, whatever `smoke-test` says. */
function smokeTestOf<T>(mode: Mode, wanted: boolean, smokeTest: T): T | undefined {
  return mode === 'smoke-test' || (asksAsInstall(mode) && wanted) ? smokeTest : undefined
}

/** What a job lets its token write, by the input that asks for it. */
const jobPermissions = { 'drift-issue': 'issues: write', comment: 'pull-requests: write' } as const

/** GitHub's token, when something is to be written with it. */
function tokenFor(
  input: keyof typeof jobPermissions,
  asked: boolean,
  token: string,
  problems: InputProblems
): string | undefined {
  if (!asked) return undefined
  if (token === '')
    problems.add(
      'github-token',
      `${input} needs it`,
      `pass \`github-token: \${{ github.token }}\` and give the job \`${jobPermissions[input]}\``
    )
  return token
}

function allowed(
  names: readonly string[],
  overrides: readonly string[],
  problems: InputProblems
): readonly string[] {
  const unknown = names.filter((name) => !overrides.includes(name))
  if (unknown.length > 0)
    problems.add(
      'preflight-allow',
      `${quoted(unknown.join(', '))} is no error that can be allowed`,
      `use ${overrides.join(', ')}, comma-separated`
    )
  return names
}

function ofOtherModes(mode: Mode, source: InputSource): readonly string[] {
  return Object.values(table)
    .filter(({ name, standard, modes }) => {
      const given = source.get(name)
      return given !== '' && given !== standard && !modes.some((one) => one === mode)
    })
    .map(({ name, modes }) => `${name} (${modes.join(', ')})`)
}
