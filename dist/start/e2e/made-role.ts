import { readFileSync } from 'node:fs'
import {
  type CloudFormationClient,
  CreateStackCommand,
  DescribeStacksCommand,
  type Stack
} from '@aws-sdk/client-cloudformation'
import { expect } from '@jest/globals'
import { REPOSITORY } from '../sandbox/cluster/run.js'
import type { Sandbox } from '../sandbox/index.js'
import { until } from './scenario.js'

const template = readFileSync('docs/permissions/role.yaml', 'utf8')
const [owner = '', repository = ''] = REPOSITORY.repository.split('/')

/** A job in the environment that the template has by default, of a repository whose subject carries its ids. */
export const reviewed = { run: { subject: 'immutable', environment: 'karpenter' } } as const

export async function roleStack(admin: CloudFormationClient, name: string): Promise<Stack | undefined> {
  const { Stacks } = await admin.send(new DescribeStacksCommand({ StackName: name }))
  return Stacks?.[0]
}

/** Deploys docs/permissions/role.yaml for the sandbox's cluster and repository. Returns the outputs. */
export async function deployRole(
  sandbox: Sandbox,
  admin: CloudFormationClient,
  name: string,
  parameters: Readonly<Record<string, string>>
): Promise<Readonly<Record<string, string>>> {
  const { issuer } = sandbox.cloud.eks.cluster(sandbox.name)
  return deployTemplate(admin, name, {
    ClusterName: sandbox.name,
    ClusterOidcId: issuer.slice(issuer.lastIndexOf('/') + 1),
    RulesOfStack: `Karpenter-${sandbox.name}`,
    GitHubOwner: owner,
    GitHubOwnerId: REPOSITORY.repositoryOwnerId,
    GitHubRepository: repository,
    GitHubRepositoryId: REPOSITORY.repositoryId,
    ...parameters
  })
}

/** The same with these parameters alone. */
export async function deployTemplate(
  admin: CloudFormationClient,
  name: string,
  parameters: Readonly<Record<string, string>>
): Promise<Readonly<Record<string, string>>> {
  const { StackId = '' } = await admin.send(
    new CreateStackCommand({
      StackName: name,
      TemplateBody: template,
      Capabilities: ['CAPABILITY_NAMED_IAM'],
      Parameters: Object.entries(parameters).map(([ParameterKey, ParameterValue]) => ({
        ParameterKey,
        ParameterValue
      }))
    })
  )
  const stack = await until(`stack ${name}`, async () => {
    const found = await roleStack(admin, StackId)
    return found?.StackStatus?.endsWith('IN_PROGRESS') === false ? found : undefined
  })
  expect(stack.StackStatus).toBe('CREATE_COMPLETE')
  return Object.fromEntries(
    (stack.Outputs ?? []).map(({ OutputKey, OutputValue }) => [OutputKey ?? '', OutputValue ?? ''])
  )
}
