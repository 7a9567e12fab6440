import { begun } from '../engine/calls.js'
import type { Account } from './environment.js'
import { messageOf, UserError } from '../engine/errors.js'
import { type Aws, type Clients, type Described, openAws, openClients } from './clients.js'
import { clientDefaults, openConnection, requestLogging } from './connection.js'
import { credentialsFor, type CredentialPorts, type CredentialsInput } from './credentials.js'
import { describeCluster } from './discover.js'
import { codeOf, isTransient, stsUnreachable } from './errors.js'
import { isPartition, partitionOf } from './partition.js'

export interface ConnectInputs {
  readonly region: string
  /** The cluster that the run will ask for. */
  readonly clusterName?: string
  readonly credentials: CredentialsInput
  readonly allowedAccountIds: readonly string[]
}

export interface ConnectPorts extends CredentialPorts {
  /** Milliseconds since the epoch. */
  now(): number
  /** Awaited before each try of a call that writes. */
  beforeWrite?(): Promise<void>
}

/**
 * Gets credentials and proves them by sts:GetCallerIdentity at the region's own endpoint. Throws UserError when there are
 * none, when they are of an account that is not allowed, or when they do not work in the region's partition.
 */
export async function connectAws(inputs: ConnectInputs, ports: ConnectPorts): Promise<Aws> {
  const connection = openConnection({
    region: inputs.region,
    env: ports.env,
    now: () => ports.now(),
    beforeWrite: async () => ports.beforeWrite?.()
  })
  try {
    const credentials = credentialsFor(inputs.credentials, connection, ports)
    const identity = await credentials.get()
    const clients = openClients(connection, credentials)
    const described = describedMeanwhile(inputs, clients)
    const { STSClient, GetCallerIdentityCommand } = await import('./sdk/sts.js')
    const sts = new STSClient({ ...clientDefaults(connection), credentials: identity })
    sts.middlewareStack.use(requestLogging(connection))
    const command = new GetCallerIdentityCommand({})
    let endpoint: URL | undefined
    command.middlewareStack.add(
      (next, context) => async (args) => {
        endpoint = context.endpointV2?.url
        return next(args)
      },
      { step: 'build', name: 'endpoint' }
    )
    const caller = await sts.send(command).catch((error: unknown) => {
      throw callerProblem(inputs.region, credentials.source, error)
    })
    const account = accountOf(caller.Arn ?? '', caller.Account ?? '', inputs.region)
    if (inputs.allowedAccountIds.length > 0 && !inputs.allowedAccountIds.includes(account.id)) {
      throw new UserError(
        'allowed-account-ids',
        `the credentials are of account ${account.id} (${account.callerArn}), which is not one of ${inputs.allowedAccountIds.join(', ')}`,
        'Pass a `role-to-assume` of an allowed account, or allow this one.',
        { state: 'Nothing was changed.' }
      )
    }
    const stsEndpoint = endpoint ?? new URL(`https://sts.${inputs.region}.${account.urlSuffix}`)
    return { ...openAws(connection, credentials, account, stsEndpoint, clients), described }
  } catch (error) {
    connection.destroy()
    throw error
  }
}

/** The cluster is described beside the proof of the credentials; in an account that may not be meant, after it. */
function describedMeanwhile({ clusterName, allowedAccountIds }: ConnectInputs, clients: Clients): Described {
  if (clusterName === undefined || allowedAccountIds.length > 0) return () => undefined
  const asked = begun(async () => describeCluster(clients, clusterName))
  // Whoever takes it is told; refused credentials are said first, as what they are.
  asked.catch(() => undefined)
  let answer: typeof asked | undefined = asked
  return (name) => {
    if (name !== clusterName) return undefined
    const taken = answer
    answer = undefined
    return taken
  }
}

function accountOf(callerArn: string, id: string, region: string): Account {
  const named = callerArn.split(':')[1] ?? ''
  const partition = isPartition(named) ? named : partitionOf(region)
  if (named.startsWith('aws') && partition !== named) {
    throw new UserError(
      'region',
      `${region} is in partition ${named}, and this action knows aws, aws-cn and aws-us-gov alone`,
      'There is nothing to pass for it: names of services and hosts are others there.',
      { state: 'Nothing was changed.' }
    )
  }
  if (partition !== partitionOf(region)) {
    throw new UserError(
      'region',
      `${region} is in partition ${partitionOf(region)}, but the credentials (${callerArn}) are of partition ${partition}`,
      'Use a role of the partition that the cluster is in, or the right region.',
      { state: 'Nothing was changed.' }
    )
  }
  return {
    id,
    partition,
    region,
    urlSuffix: partition === 'aws-cn' ? 'amazonaws.com.cn' : 'amazonaws.com',
    callerArn
  }
}

function callerProblem(region: string, source: string, error: unknown): UserError {
  const options = { state: 'Nothing was changed.', cause: error }
  if (isTransient(error)) return stsUnreachable(region, error)
  return new UserError(
    'credentials',
    `those from ${source} are refused by STS in ${region}: ${codeOf(error) ?? 'error'}: ${messageOf(error)}`,
    'Check that they are of the right partition (China and GovCloud have their own accounts), not expired, and that the region is enabled in the account.',
    options
  )
}
