import { DescribeClusterVersionsCommand, type DescribeClusterVersionsCommandInput } from '@aws-sdk/client-eks'
import { type Cloud, startCloud } from '../../../sandbox/cloud/index.js'
import { accountId, administrator, allow, eksClient, nobodyTrusted, refusalOf, region } from './clients.js'

let cloud: Cloud
let now = Date.parse('2026-11-30T12:00:00Z')

beforeEach(async () => {
  now = Date.parse('2026-11-30T12:00:00Z')
  cloud = await startCloud({ accountId, region, now: () => now })
})
afterEach(() => cloud.stop())

/** The date of a request is the client's own; what is looked at here is the cloud's. */
async function versions(input: DescribeClusterVersionsCommandInput = {}): Promise<readonly string[]> {
  const eks = eksClient(cloud, administrator(cloud))
  eks.config.systemClockOffset = now - Date.now()
  const { clusterVersions = [] } = await eks.send(new DescribeClusterVersionsCommand(input))
  return clusterVersions.map(({ clusterVersion, versionStatus }) => `${clusterVersion} ${versionStatus}`)
}

describe('the versions of clusters', () => {
  it('are those that EKS offers, each with how it is supported today', async () => {
    expect(await versions()).toEqual([
      '1.35 STANDARD_SUPPORT',
      '1.34 STANDARD_SUPPORT',
      '1.33 EXTENDED_SUPPORT',
      '1.32 EXTENDED_SUPPORT'
    ])
    expect(cloud.unlikeAws()).toEqual([])
  })

  it('that are supported no more are left out, unless they are asked for', async () => {
    now = Date.parse('2027-04-01T12:00:00Z')
    expect(await versions()).toEqual([
      '1.35 EXTENDED_SUPPORT',
      '1.34 EXTENDED_SUPPORT',
      '1.33 EXTENDED_SUPPORT'
    ])
    expect(await versions({ includeAll: true })).toContain('1.32 UNSUPPORTED')
    expect(await versions({ clusterVersions: ['1.32'] })).toEqual(['1.32 UNSUPPORTED'])
  })

  it('come by status, by name, and the default alone', async () => {
    expect(await versions({ versionStatus: 'EXTENDED_SUPPORT' })).toEqual([
      '1.33 EXTENDED_SUPPORT',
      '1.32 EXTENDED_SUPPORT'
    ])
    expect(await versions({ clusterVersions: ['1.34', '1.32'] })).toHaveLength(2)
    expect(await versions({ defaultOnly: true })).toEqual(['1.35 STANDARD_SUPPORT'])
    expect(cloud.unlikeAws()).toEqual([])
  })

  it('need a permission of their own', async () => {
    now = Date.now()
    const role = cloud.iam.putRole({
      name: 'limited',
      trust: nobodyTrusted,
      inline: { own: allow('eks:DescribeCluster') }
    })
    const eks = eksClient(cloud, cloud.credentialsFor(role.arn, 900))
    expect(await refusalOf(eks.send(new DescribeClusterVersionsCommand({})))).toMatch(
      /^AccessDeniedException: .*eks:DescribeClusterVersions on resource: \*/
    )
  })
})
