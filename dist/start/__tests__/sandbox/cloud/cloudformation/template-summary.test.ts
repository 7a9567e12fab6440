import {
  CloudFormationClient,
  CreateStackCommand,
  GetTemplateSummaryCommand,
  ValidateTemplateCommand
} from '@aws-sdk/client-cloudformation'
import { cloudFormation } from '../../../../sandbox/cloud/cloudformation/index.js'
import { type Cloud, startCloud } from '../../../../sandbox/cloud/index.js'
import { accountId, administrator, allow, nobodyTrusted, refusalOf, region, settings } from '../clients.js'

const TemplateBody = `
AWSTemplateFormatVersion: '2010-09-09'
Description: What a cluster needs
Parameters:
  ClusterName:
    Type: String
    Description: Whose
  Size:
    Type: String
    Default: small
    AllowedValues: [small, large]
Resources:
  NodeRole:
    Type: AWS::IAM::Role
    Properties:
      RoleName: !Sub nodes-\${ClusterName}
      AssumeRolePolicyDocument: ${JSON.stringify(nobodyTrusted)}
`
const summary = {
  Description: 'What a cluster needs',
  Version: '2010-09-09',
  ResourceTypes: ['AWS::IAM::Role'],
  Capabilities: ['CAPABILITY_NAMED_IAM'],
  CapabilitiesReason: 'The following resource(s) require capabilities: [AWS::IAM::Role]',
  Parameters: [
    { ParameterKey: 'ClusterName', ParameterType: 'String', NoEcho: false, Description: 'Whose' },
    {
      ParameterKey: 'Size',
      ParameterType: 'String',
      NoEcho: false,
      DefaultValue: 'small',
      ParameterConstraints: { AllowedValues: ['small', 'large'] }
    }
  ]
}

let cloud: Cloud
let client: CloudFormationClient

beforeEach(async () => {
  cloud = await startCloud({
    accountId,
    region,
    services: ({ invoke, assume, now }) => [
      cloudFormation({ invoke, assume, clock: { now, delay: async () => undefined } })
    ]
  })
  client = new CloudFormationClient(settings(cloud, administrator(cloud)))
})
afterEach(() => cloud.stop())

describe('the summary of a template', () => {
  it('says its parameters, types and capabilities', async () => {
    expect(await client.send(new GetTemplateSummaryCommand({ TemplateBody }))).toMatchObject(summary)
    expect(cloud.unlikeAws()).toEqual([])
  })

  it('is had of a stack by its name, as awscli asks for it before it updates one', async () => {
    await client.send(
      new CreateStackCommand({
        StackName: 'blue',
        TemplateBody,
        Parameters: [{ ParameterKey: 'ClusterName', ParameterValue: 'blue' }],
        Capabilities: ['CAPABILITY_NAMED_IAM']
      })
    )
    expect(await client.send(new GetTemplateSummaryCommand({ StackName: 'blue' }))).toMatchObject(summary)
    expect(cloud.unlikeAws()).toEqual([])
  })

  it('is refused of what is not there, and of nothing in particular', async () => {
    expect(await refusalOf(client.send(new GetTemplateSummaryCommand({ StackName: 'none' })))).toBe(
      'ValidationError: Stack with id none does not exist'
    )
    expect(await refusalOf(client.send(new GetTemplateSummaryCommand({})))).toMatch(/^ValidationError: /)
    expect(
      await refusalOf(client.send(new GetTemplateSummaryCommand({ StackName: 'none', TemplateBody })))
    ).toMatch(/^ValidationError: /)
  })

  it('needs a permission on the stack', async () => {
    const stacks = (name: string) => `arn:aws:cloudformation:${region}:${accountId}:stack/${name}/*`
    const role = cloud.iam.putRole({
      name: 'limited',
      trust: nobodyTrusted,
      inline: { own: allow('cloudformation:GetTemplateSummary', stacks('blue')) }
    })
    const limited = new CloudFormationClient(settings(cloud, cloud.credentialsFor(role.arn, 900)))
    const ask = (StackName: string) => refusalOf(limited.send(new GetTemplateSummaryCommand({ StackName })))
    expect(await ask('blue')).toBe('ValidationError: Stack with id blue does not exist')
    expect(await ask('green')).toMatch(/^AccessDenied: /)
  })

  it('names no capability where none is needed', async () => {
    const queue = "Resources: { Queue: { Type: 'AWS::SQS::Queue' } }"
    const answer = await client.send(new ValidateTemplateCommand({ TemplateBody: queue }))
    expect(answer.Capabilities ?? []).toEqual([])
  })
})
