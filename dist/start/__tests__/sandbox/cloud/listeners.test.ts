import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { Agent } from 'node:https'
import { connect } from 'node:tls'
import { createAuthority } from '../../../sandbox/certificates.js'
import { type Cloud, startCloud } from '../../../sandbox/cloud/index.js'
import type { Invoke } from '../../../sandbox/cloud/service.js'
import { accountId, administrator, nobodyTrusted, refusalOf } from './clients.js'

let cloud: Cloud
afterEach(() => cloud.stop())

describe('TLS', () => {
  it("answers at AWS's own host names, in each partition", async () => {
    const authority = await createAuthority('sandbox')
    const region = 'cn-north-1'
    cloud = await startCloud({ accountId, region, authority })
    const { tlsPort = 0 } = cloud
    const agent = new Agent({ ca: authority.certPem })
    agent.createConnection = () =>
      connect({
        host: '127.0.0.1',
        port: tlsPort,
        servername: `sts.${region}.amazonaws.com.cn`,
        ca: authority.certPem
      })
    const client = new STSClient({
      region,
      credentials: administrator(cloud),
      maxAttempts: 1,
      requestHandler: new NodeHttpHandler({ httpsAgent: agent })
    })
    const { Arn } = await client.send(new GetCallerIdentityCommand())
    expect(Arn).toBe('arn:aws-cn:sts::111122223333:assumed-role/administrator/sandbox')
    expect(cloud.calls().map((call) => [call.host, call.action, call.region])).toEqual([
      ['sts.cn-north-1.amazonaws.com.cn', 'GetCallerIdentity', region]
    ])
    client.destroy()
  })
})

describe('calls between services', () => {
  it("go by their caller's permissions and are recorded with who calls", async () => {
    let invoke: Invoke | undefined
    cloud = await startCloud({
      accountId,
      region: 'us-west-2',
      services: (surroundings) => {
        invoke = surroundings.invoke
        return []
      }
    })
    const role = cloud.iam.putRole({
      name: 'deployer',
      trust: nobodyTrusted,
      inline: {
        own: {
          Version: '2012-10-17',
          Statement: [
            {
              Effect: 'Allow',
              Action: 'iam:CreateInstanceProfile',
              Resource: '*',
              Condition: { 'ForAnyValue:StringEquals': { 'aws:CalledVia': ['cloudformation.amazonaws.com'] } }
            }
          ]
        }
      }
    })
    const caller = {
      arn: `arn:aws:sts::${accountId}:assumed-role/deployer/x1`,
      accountId,
      userId: `${role.id}:x1`,
      roleArn: role.arn,
      expiresAt: Infinity
    }
    const ask = async (action: string, input: Readonly<Record<string, unknown>>) =>
      invoke?.({
        service: 'iam',
        action,
        region: 'us-west-2',
        input,
        caller,
        via: 'cloudformation.amazonaws.com'
      })
    expect(await ask('CreateInstanceProfile', { InstanceProfileName: 'i' })).toMatchObject({
      InstanceProfile: { InstanceProfileName: 'i' }
    })
    expect(await refusalOf(ask('DeleteInstanceProfile', { InstanceProfileName: 'i' }))).toMatch(
      /not authorized to perform: iam:DeleteInstanceProfile/
    )
    expect(cloud.calls().map((call) => [call.action, call.via, call.outcome])).toEqual([
      ['CreateInstanceProfile', 'cloudformation.amazonaws.com', 'ok'],
      ['DeleteInstanceProfile', 'cloudformation.amazonaws.com', 'AccessDenied']
    ])
  })
})
