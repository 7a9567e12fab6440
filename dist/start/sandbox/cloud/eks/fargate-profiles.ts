import { randomUUID } from 'node:crypto'
import { trusts } from '../authorisation.js'
import { roleQuestion } from '../iam/roles.js'
import { putServiceLinkedRole } from '../iam/service-linked-roles.js'
import type { IamState } from '../iam/state.js'
import { type Input, isRecord, list, textMap, texts } from '../input.js'
import { type Operations, resourceTags } from '../operations.js'
import { iamArn } from '../partition.js'
import { AwsError, type AwsCall, type Question } from '../service.js'
import type { FargateProfile, FargateSelector } from './fargate-profile.js'
import { invalidParameter, page, required } from './pages.js'
import { clusterQuestion, creation, onCluster, tagPairs } from './questions.js'
import type { Cluster, EksState } from './state.js'

/** What EKS sees of a subnet; undefined when there is none. */
export type SubnetFacts = (
  id: string
) => Promise<{ readonly vpcId: string; readonly public: boolean } | undefined>

const linkedService = 'eks-fargate.amazonaws.com'
const linkedRole = 'AWSServiceRoleForAmazonEKSForFargate'
const podService = 'eks-fargate-pods.amazonaws.com'
/** Quotas of Amazon EKS. */
const most = { profiles: 10, selectors: 5, labels: 5 }
/** Milliseconds. */
const creationTakes = 200

/** Fargate profiles: made and removed one after another, and never changed. */
export function fargateProfileOperations(state: EksState, iam: IamState, subnets: SubnetFacts): Operations {
  const onProfile = (action: string) => (call: AwsCall) => {
    const clusterName = required(call.input, 'clusterName')
    const name = required(call.input, 'fargateProfileName')
    const found = state.fargateProfiles.get(`${clusterName} ${name}`)
    return [
      {
        action: `eks:${action}`,
        resource: found?.arn ?? state.arn(`fargateprofile/${clusterName}/${name}/*`),
        context: resourceTags('eks', tagPairs(found?.tags ?? {}))
      }
    ]
  }
  const profileOf = (input: Input): FargateProfile =>
    state.fargateProfile(
      state.cluster(required(input, 'clusterName')).name,
      required(input, 'fargateProfileName')
    )
  return {
    CreateFargateProfile: {
      questions: (call) => {
        const clusterName = required(call.input, 'clusterName')
        const name = required(call.input, 'fargateProfileName')
        return [
          ...creation(
            clusterQuestion(state, 'eks:CreateFargateProfile', clusterName),
            call,
            state.arn(`fargateprofile/${clusterName}/${name}/*`)
          ),
          ...passing(iam, required(call.input, 'podExecutionRoleArn'))
        ]
      },
      answer: async ({ input }) => ({
        fargateProfile: output(await createProfile({ state, iam, subnets }, input))
      })
    },
    ListFargateProfiles: {
      questions: onCluster(state, 'ListFargateProfiles'),
      answer: ({ input }) => {
        const profiles = profilesOf(state, state.cluster(required(input, 'clusterName')))
        return page(
          input,
          'fargateProfileNames',
          profiles.map(({ name }) => name)
        )
      }
    },
    DescribeFargateProfile: {
      questions: onProfile('DescribeFargateProfile'),
      answer: ({ input }) => ({ fargateProfile: output(profileOf(input)) })
    },
    DeleteFargateProfile: {
      questions: onProfile('DeleteFargateProfile'),
      answer: ({ input }) => {
        const found = profileOf(input)
        oneAtATime(state, 'delete', found.clusterName, found.name)
        const profile: FargateProfile = { ...found, status: 'DELETING' }
        state.saveFargateProfile(profile)
        void state.fargate.removePods(profile.clusterName, profile.name).then(
          () => state.fargateProfiles.delete(`${profile.clusterName} ${profile.name}`),
          () => state.saveFargateProfile({ ...profile, status: 'DELETE_FAILED' })
        )
        return { fargateProfile: output(profile) }
      }
    }
  }
}

function profilesOf(state: EksState, { name }: Pick<Cluster, 'name'>): readonly FargateProfile[] {
  return state.fargateProfiles.values().filter(({ clusterName }) => clusterName === name)
}

/** EKS looks for its service-linked role with the caller's permissions, and makes it with them when it is not there. */
function passing(iam: IamState, roleArn: string): readonly Question[] {
  const resource = iamArn(iam.home, `role/aws-service-role/${linkedService}/${linkedRole}`)
  const passed = roleQuestion(iam, 'iam:PassRole', roleArn.split('/').at(-1) ?? '')
  return [
    {
      ...passed,
      resource: iam.roleByArn(roleArn) === undefined ? roleArn : passed.resource,
      context: { ...passed.context, 'iam:PassedToService': podService }
    },
    { action: 'iam:GetRole', resource },
    ...(iam.roles.has(linkedRole)
      ? []
      : [
          {
            action: 'iam:CreateServiceLinkedRole',
            resource,
            context: { 'iam:AWSServiceName': linkedService }
          }
        ])
  ]
}

interface Parts {
  readonly state: EksState
  readonly iam: IamState
  readonly subnets: SubnetFacts
}

async function createProfile(parts: Parts, input: Input): Promise<FargateProfile> {
  const { state, iam } = parts
  const cluster = state.cluster(required(input, 'clusterName'))
  const name = required(input, 'fargateProfileName')
  if (!/^[0-9A-Za-z][0-9A-Za-z_-]{0,99}$/.test(name)) {
    throw invalidParameter(`The fargateProfileName ${name} is invalid.`)
  }
  if (name.startsWith('eks-')) {
    throw invalidParameter('The fargateProfileName cannot start with the reserved prefix eks-.')
  }
  const profile: FargateProfile = {
    clusterName: cluster.name,
    name,
    arn: state.arn(`fargateprofile/${cluster.name}/${name}/${randomUUID()}`),
    podExecutionRoleArn: required(input, 'podExecutionRoleArn'),
    selectors: selectorsOf(input),
    subnets: await privateSubnets(parts, cluster, texts(input, 'subnets')),
    status: 'CREATING',
    tags: textMap(input, 'tags'),
    createdAt: new Date(state.now())
  }
  checkRole(parts, profile)
  if (state.fargateProfiles.has(`${cluster.name} ${name}`)) {
    throw inUse('A Fargate Profile already exists with this name in this cluster.')
  }
  oneAtATime(state, 'create', cluster.name, name)
  if (profilesOf(state, cluster).length >= most.profiles) {
    throw new AwsError(
      'ResourceLimitExceededException',
      `Fargate Profile limit of ${most.profiles} exceeded for cluster ${cluster.name}`,
      400
    )
  }
  if (!iam.roles.has(linkedRole)) putServiceLinkedRole(iam, linkedService)
  state.saveFargateProfile(profile)
  const settle = (status: FargateProfile['status']): void => {
    if (state.fargateProfiles.get(`${cluster.name} ${name}`)?.arn === profile.arn)
      state.saveFargateProfile({ ...profile, status })
  }
  const admitted = async (): Promise<void> => {
    if (cluster.authenticationMode === 'CONFIG_MAP')
      await state.fargate.mapRole(cluster.name, profile.podExecutionRoleArn)
    state.admitPodExecutionRole(profile)
  }
  setTimeout(() => {
    void admitted().then(
      () => settle('ACTIVE'),
      () => settle('CREATE_FAILED')
    )
  }, creationTakes).unref()
  return profile
}

/** As EKS: a second creation or removal waits for the first. */
function oneAtATime(state: EksState, verb: 'create' | 'delete', clusterName: string, name: string): void {
  const busy = profilesOf(state, { name: clusterName }).find(
    ({ status }) => status === 'CREATING' || status === 'DELETING'
  )
  if (busy === undefined) return
  throw inUse(
    `Cannot ${verb} Fargate Profile ${name} because cluster ${clusterName} currently has Fargate profile ${busy.name} in status ${busy.status}`
  )
}

function inUse(message: string): AwsError {
  return new AwsError('ResourceInUseException', message, 409)
}

function selectorsOf(input: Input): readonly FargateSelector[] {
  const selectors = list(input, 'selectors').map((selector) => {
    if (!isRecord(selector)) throw invalidParameter('Each selector is an object.')
    return { namespace: required(selector, 'namespace'), labels: textMap(selector, 'labels') }
  })
  if (selectors.length === 0) throw invalidParameter('A Fargate Profile needs at least one selector.')
  if (selectors.length > most.selectors)
    throw invalidParameter(`A Fargate Profile may have at most ${most.selectors} selectors.`)
  if (selectors.some(({ labels }) => Object.keys(labels).length > most.labels))
    throw invalidParameter(`A selector may have at most ${most.labels} labels.`)
  return selectors
}

/** Where none is named EKS takes the cluster's own private ones. */
async function privateSubnets(
  { subnets }: Parts,
  cluster: Cluster,
  named: readonly string[]
): Promise<readonly string[]> {
  if (named.length === 0) {
    const own = await Promise.all(
      cluster.subnetIds.map(async (id) => ((await subnets(id))?.public === false ? [id] : []))
    )
    if (own.flat().length === 0) throw invalidParameter('The cluster has no private subnet for Fargate.')
    return own.flat()
  }
  for (const id of named) {
    const facts = await subnets(id)
    if (facts === undefined) throw invalidParameter(`The subnet ID '${id}' does not exist`)
    if (facts.vpcId !== cluster.vpcId)
      throw invalidParameter(`Subnet ${id} provided in Fargate Profile is not in the cluster's VPC`)
    if (facts.public)
      throw invalidParameter(`Subnet ${id} provided in Fargate Profile is not a private subnet`)
  }
  return named
}

function checkRole({ iam }: Parts, profile: FargateProfile): void {
  const role = iam.roleByArn(profile.podExecutionRoleArn)
  const context = { 'aws:SourceArn': profile.arn, 'aws:SourceAccount': iam.home.accountId }
  const trusted =
    role !== undefined &&
    trusts(role, podService, 'sts:AssumeRole', context, iam.home.accountId) === 'Allowed'
  if (!trusted) {
    throw invalidParameter(
      `Misconfigured PodExecutionRole Trust Policy; Please add the ${podService} Service Principal`
    )
  }
}

function output(profile: FargateProfile): Readonly<Record<string, unknown>> {
  const { name, arn, ...rest } = profile
  return { ...rest, fargateProfileName: name, fargateProfileArn: arn, health: { issues: [] } }
}
