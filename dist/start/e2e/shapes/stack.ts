import {
  type CloudFormationClient,
  CreateStackCommand,
  DescribeStacksCommand
} from '@aws-sdk/client-cloudformation'
import { until } from '../scenario.js'

export interface StackOrder {
  readonly name: string
  readonly template: string
  readonly tags?: Readonly<Record<string, string>>
  readonly parameters?: Readonly<Record<string, string>>
  readonly terminationProtection?: boolean
}

/** Makes a stack, and waits until it is CREATE_COMPLETE. */
export async function createStack(client: CloudFormationClient, order: StackOrder): Promise<void> {
  await client.send(
    new CreateStackCommand({
      StackName: order.name,
      TemplateBody: order.template,
      Capabilities: ['CAPABILITY_NAMED_IAM'],
      Tags: Object.entries(order.tags ?? {}).map(([Key, Value]) => ({ Key, Value })),
      Parameters: Object.entries(order.parameters ?? {}).map(([ParameterKey, ParameterValue]) => ({
        ParameterKey,
        ParameterValue
      })),
      EnableTerminationProtection: order.terminationProtection ?? false
    })
  )
  await until(`stack ${order.name}`, async () => {
    const { Stacks } = await client.send(new DescribeStacksCommand({ StackName: order.name }))
    const status = Stacks?.[0]?.StackStatus ?? ''
    if (/ROLLBACK|FAILED/.test(status)) throw new Error(`${order.name}: ${status}`)
    return status === 'CREATE_COMPLETE' ? true : undefined
  })
}
