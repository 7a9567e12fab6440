import { randomUUID } from 'node:crypto'
import type { IamState } from '../iam/state.js'
import { type Input, isRecord, optionalText, textMap, texts } from '../input.js'
import { type Context, type Operations, resourceTags } from '../operations.js'
import { AwsError, type AwsCall } from '../service.js'
import { invalidParameter, invalidRequest, page, required } from './pages.js'
import { clusterQuestion, creation, onCluster, tagPairs } from './questions.js'
import {
  type AccessEntry,
  type AccessEntryType,
  type AssociatedPolicy,
  type Cluster,
  defaultGroups,
  defaultUsername,
  type EksState
} from './state.js'

const types: readonly AccessEntryType[] = [
  'STANDARD',
  'EC2_LINUX',
  'EC2_WINDOWS',
  'FARGATE_LINUX',
  'EC2',
  'HYBRID_LINUX'
]

/** EKS's own policies for access entries that the sandbox knows. */
const accessPolicies = [
  'AmazonEKSClusterAdminPolicy',
  'AmazonEKSAdminPolicy',
  'AmazonEKSAdminViewPolicy',
  'AmazonEKSEditPolicy',
  'AmazonEKSViewPolicy'
]

/** Access entries, refused wholly while the cluster's authentication mode is CONFIG_MAP. */
export function accessEntryOperations(state: EksState, iam: IamState): Operations {
  const onEntry = (action: string, context?: (input: Input) => Context) => (call: AwsCall) => {
    const clusterName = required(call.input, 'clusterName')
    const principalArn = required(call.input, 'principalArn')
    const entry = state.accessEntries.get(`${clusterName} ${principalArn}`)
    return [
      {
        action: `eks:${action}`,
        resource: entry?.accessEntryArn ?? state.entryArn(clusterName, principalArn, '*'),
        context: { ...resourceTags('eks', tagPairs(entry?.tags ?? {})), ...context?.(call.input) }
      }
    ]
  }
  const entryOf = (input: Input) =>
    state.entry(openCluster(state, input).name, required(input, 'principalArn'))
  return {
    CreateAccessEntry: {
      questions: (call) => {
        const { input } = call
        const clusterName = required(input, 'clusterName')
        const principalArn = required(input, 'principalArn')
        const username = optionalText(input, 'username')
        const context = {
          'eks:principalArn': principalArn,
          'eks:accessEntryType': optionalText(input, 'type') ?? 'STANDARD',
          'eks:kubernetesGroups': texts(input, 'kubernetesGroups'),
          ...(username === undefined ? {} : { 'eks:username': username })
        }
        const question = clusterQuestion(state, 'eks:CreateAccessEntry', clusterName, context)
        return creation(question, call, state.entryArn(clusterName, principalArn, '*'))
      },
      answer: ({ input }) => ({ accessEntry: output(createEntry(state, iam, input)) })
    },
    DescribeAccessEntry: {
      questions: onEntry('DescribeAccessEntry'),
      answer: ({ input }) => ({ accessEntry: output(entryOf(input)) })
    },
    ListAccessEntries: {
      questions: onCluster(state, 'ListAccessEntries'),
      answer: ({ input }) => {
        const cluster = openCluster(state, input)
        const policy = optionalText(input, 'associatedPolicyArn')
        const entries = state.accessEntries
          .values()
          .filter((entry) => entry.clusterName === cluster.name)
          .filter((entry) => policy === undefined || entry.policies.some((item) => item.policyArn === policy))
        return page(
          input,
          'accessEntries',
          entries.map((entry) => entry.principalArn)
        )
      }
    },
    UpdateAccessEntry: {
      questions: onEntry('UpdateAccessEntry'),
      answer: ({ input }) => {
        const entry = entryOf(input)
        const changed: AccessEntry = {
          ...entry,
          ...(input['kubernetesGroups'] === undefined
            ? {}
            : { kubernetesGroups: checkGroups(entry.type, input) }),
          username: checkUsername(entry.type, input) ?? entry.username,
          modifiedAt: new Date(state.now())
        }
        state.saveEntry(changed)
        return { accessEntry: output(changed) }
      }
    },
    DeleteAccessEntry: {
      questions: onEntry('DeleteAccessEntry'),
      answer: ({ input }) => {
        const entry = entryOf(input)
        state.accessEntries.delete(`${entry.clusterName} ${entry.principalArn}`)
        return {}
      }
    },
    AssociateAccessPolicy: {
      questions: onEntry('AssociateAccessPolicy', (input) => ({
        'eks:policyArn': required(input, 'policyArn')
      })),
      answer: ({ input }) => associate(state, entryOf(input), input)
    },
    DisassociateAccessPolicy: {
      questions: onEntry('DisassociateAccessPolicy', (input) => ({
        'eks:policyArn': required(input, 'policyArn')
      })),
      answer: ({ input }) => {
        const entry = entryOf(input)
        const gone = required(input, 'policyArn')
        state.saveEntry({ ...entry, policies: entry.policies.filter((item) => item.policyArn !== gone) })
        return {}
      }
    },
    ListAssociatedAccessPolicies: {
      questions: onEntry('ListAssociatedAccessPolicies'),
      answer: ({ input }) => {
        const { clusterName, principalArn, policies } = entryOf(input)
        return { clusterName, principalArn, ...page(input, 'associatedAccessPolicies', policies) }
      }
    }
  }
}

function openCluster(state: EksState, input: Input): Cluster {
  const cluster = state.cluster(required(input, 'clusterName'))
  if (cluster.authenticationMode === 'CONFIG_MAP') {
    throw invalidRequest(
      "The cluster's authentication mode must be set to one of [API, API_AND_CONFIG_MAP] to perform this operation."
    )
  }
  return cluster
}

function createEntry(state: EksState, iam: IamState, input: Input): AccessEntry {
  const { name: clusterName } = openCluster(state, input)
  const principalArn = required(input, 'principalArn')
  const given = optionalText(input, 'type') ?? 'STANDARD'
  const type = types.find((item) => item === given)
  if (type === undefined)
    throw invalidParameter(`The type ${given} is invalid. Valid types are ${types.join(', ')}.`)
  if (principalArn.includes(':role/aws-service-role/')) {
    throw invalidParameter(
      'The caller is not allowed to modify access entries with a principalArn value of a Service Linked Role.'
    )
  }
  if (iam.roleByArn(principalArn) === undefined) {
    throw invalidParameter('The specified principalArn is invalid: invalid principal.')
  }
  const groups = checkGroups(type, input)
  const username = checkUsername(type, input) ?? defaultUsername(type, principalArn)
  if (state.accessEntries.has(`${clusterName} ${principalArn}`)) {
    throw new AwsError(
      'ResourceInUseException',
      'The specified access entry resource is already in use on this cluster.',
      409
    )
  }
  const at = new Date(state.now())
  const entry: AccessEntry = {
    clusterName,
    principalArn,
    principalId: state.principalId(principalArn),
    accessEntryArn: state.entryArn(clusterName, principalArn, randomUUID()),
    type,
    username,
    kubernetesGroups: type === 'STANDARD' ? groups : defaultGroups(type),
    tags: textMap(input, 'tags'),
    createdAt: at,
    modifiedAt: at,
    policies: []
  }
  state.saveEntry(entry)
  return entry
}

const reserved = /^(system:|eks:|aws:|amazon:|iam:)/

function checkGroups(type: AccessEntryType, input: Input): readonly string[] {
  const groups = texts(input, 'kubernetesGroups')
  if (type !== 'STANDARD' && groups.length > 0) {
    throw invalidParameter(`The kubernetesGroups cannot be set for access entries of type ${type}.`)
  }
  const wrong = groups.find((group) => reserved.test(group))
  if (wrong !== undefined) {
    const prefix = wrong.slice(0, wrong.indexOf(':') + 1)
    throw invalidParameter(`The kubernetes group name ${wrong} is invalid, it cannot start with ${prefix}`)
  }
  return groups
}

function checkUsername(type: AccessEntryType, input: Input): string | undefined {
  const username = optionalText(input, 'username')
  if (username === undefined || username === '') return undefined
  if (type !== 'STANDARD')
    throw invalidParameter(`The username cannot be set for access entries of type ${type}.`)
  if (reserved.test(username)) {
    const prefix = username.slice(0, username.indexOf(':') + 1)
    throw invalidParameter(`The username ${username} is invalid, it cannot start with ${prefix}`)
  }
  return username
}

function associate(state: EksState, entry: AccessEntry, input: Input): Readonly<Record<string, unknown>> {
  const policyArn = required(input, 'policyArn')
  const prefix = `arn:${state.home.partition}:eks::aws:cluster-access-policy/`
  if (!accessPolicies.some((name) => policyArn === `${prefix}${name}`)) {
    throw invalidParameter(`The policyArn ${policyArn} is invalid.`)
  }
  if (entry.type !== 'STANDARD') {
    throw invalidRequest(`Access policies cannot be associated with access entries of type ${entry.type}.`)
  }
  const at = new Date(state.now())
  const policy: AssociatedPolicy = {
    policyArn,
    accessScope: scopeOf(input),
    associatedAt: at,
    modifiedAt: at
  }
  state.saveEntry({
    ...entry,
    policies: [...entry.policies.filter((item) => item.policyArn !== policyArn), policy]
  })
  return { clusterName: entry.clusterName, principalArn: entry.principalArn, associatedAccessPolicy: policy }
}

function scopeOf(input: Input): AssociatedPolicy['accessScope'] {
  const scope = isRecord(input['accessScope']) ? input['accessScope'] : {}
  const type = optionalText(scope, 'type')
  const namespaces = texts(scope, 'namespaces')
  if (type === 'cluster' && namespaces.length === 0) return { type, namespaces }
  if (type === 'namespace' && namespaces.length > 0) return { type, namespaces }
  throw invalidParameter(
    'The accessScope is invalid: namespaces belong to the type namespace, and to no other.'
  )
}

/** Everything but the policies, which have a listing of their own. */
function output(entry: AccessEntry): Readonly<Record<string, unknown>> {
  const { clusterName, principalArn, accessEntryArn, type, username, kubernetesGroups, tags } = entry
  const { createdAt, modifiedAt } = entry
  return {
    clusterName,
    principalArn,
    accessEntryArn,
    type,
    username,
    kubernetesGroups,
    tags,
    createdAt,
    modifiedAt
  }
}
