import { setTimeout as delay } from 'node:timers/promises'
import { openAws, type Aws } from '../../src/aws/clients.js'
import { openConnection } from '../../src/aws/connection.js'
import { UserError } from '../../src/engine/errors.js'
import { cloudFormation } from '../../sandbox/cloud/cloudformation/index.js'
import { startCloud, type Cloud } from '../../sandbox/cloud/index.js'
import { account } from '../aws/stand-in.js'
import { administrator } from '../sandbox/cloud/clients.js'

/** The sandbox's IAM and CloudFormation, with their limits and conflicts, behind real SDK clients. */
export interface TestAccount {
  readonly cloud: Cloud
  readonly aws: Aws
  close(): Promise<void>
}

export async function startAccount(): Promise<TestAccount> {
  const cloud = await startCloud({
    accountId: account.id,
    region: account.region,
    services: ({ now, invoke, assume }) => [
      cloudFormation({ invoke, assume, clock: { now, delay: async (ms) => delay(ms) }, pace: 1 })
    ]
  })
  const credentials = administrator(cloud)
  process.env['AWS_ENDPOINT_URL'] = cloud.url
  const connection = openConnection({ region: account.region, env: {}, now: Date.now })
  const aws = openAws(
    connection,
    {
      source: 'the test',
      get: async () => ({ ...credentials }),
      renew: async () => undefined,
      expired: () => new UserError('credentials', 'expired', 'run again')
    },
    account,
    new URL(cloud.url)
  )
  return {
    cloud,
    aws,
    close: async () => {
      aws.destroy()
      await cloud.stop()
      expect(cloud.unlikeAws()).toEqual([])
    }
  }
}
