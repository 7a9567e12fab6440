import { type Cloud, startCloud } from '../../sandbox/cloud/index.js'
import { openAws } from '../../src/aws/clients.js'
import { openConnection } from '../../src/aws/connection.js'
import { simulate } from '../../src/aws/simulate.js'
import { UserError } from '../../src/engine/errors.js'
import { renderTemplate } from '../../src/karpenter/rendered-stack.js'
import { builtInTemplateText } from '../../src/karpenter/template-built-in.js'
import { needsOf } from '../../src/preflight/install-permissions.js'
import { nobodyTrusted } from '../sandbox/cloud/clients.js'

const account = {
  id: '111122223333',
  partition: 'aws',
  region: 'eu-west-1',
  urlSuffix: 'amazonaws.com',
  callerArn: 'arn:aws:sts::111122223333:assumed-role/deployer/run'
} as const
const stackName = 'Karpenter-blue'
const clusterName = 'blue'

const needs = needsOf({
  account,
  clusterName,
  vpcId: 'vpc-1',
  controllerRoleName: 'blue-karpenter',
  stackName,
  stackRoleArn: undefined,
  stack: renderTemplate(builtInTemplateText('1.14.1'), { clusterName, stackName, account }),
  nodeAccess: 'access-entry',
  discovered: ['subnet/subnet-1', 'subnet/subnet-2', 'security-group/sg-1'].map(
    (path) => `arn:aws:ec2:eu-west-1:111122223333:${path}`
  ),
  oidcProviderArn: 'arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/ABC',
  permissionsBoundary: undefined,
  retiredPolicyArns: [],
  stateOf: () => 'absent',
  pathsOf: () => []
})
const needed = needs.flatMap(({ actions, resources }) =>
  actions.flatMap((action) => resources.map((resource) => ({ action, resource })))
)

let cloud: Cloud

beforeAll(async () => {
  cloud = await startCloud({ accountId: account.id, region: account.region })
})
afterAll(() => cloud.stop())

/** The first install of a cluster, asked about for a role with these statements. */
async function foretold(...statements: readonly object[]) {
  const role = cloud.iam.putRole({
    name: 'deployer',
    trust: nobodyTrusted,
    inline: {
      own: {
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Action: 'iam:SimulatePrincipalPolicy', Resource: '*' }, ...statements]
      }
    }
  })
  process.env['AWS_ENDPOINT_URL'] = cloud.url
  const aws = openAws(
    openConnection({ region: account.region, env: {}, now: Date.now }),
    {
      source: 'the test',
      get: async () => cloud.credentialsFor(role.arn, 900),
      renew: async () => undefined,
      expired: () => new UserError('credentials', 'expired', 'run again')
    },
    account,
    new URL(cloud.url)
  )
  const result = await simulate(aws, role.arn, needs)
  aws.destroy()
  return result
}

describe('a first install by a role', () => {
  it('that may do nothing is told everything at once, each service among it', async () => {
    const result = await foretold()
    expect(result).toMatchObject({ state: 'known', unknown: [] })
    const missing = result.state === 'known' ? result.missing : []
    expect(missing.map(({ action, resource }) => ({ action, resource }))).toEqual(
      expect.arrayContaining(needed)
    )
    expect(missing).toHaveLength(needed.length)
    expect(new Set(missing.map(({ action }) => action)).size).toBeGreaterThanOrEqual(20)
    expect(new Set(missing.map(({ action }) => action.split(':')[0]))).toEqual(
      new Set(['ec2', 'iam', 'eks', 'cloudformation', 'sqs', 'events'])
    )
  })

  it('that is denied one action of each service is told each', async () => {
    const denied = ['ec2:CreateTags', 'iam:PassRole', 'eks:CreateAddon', 'sqs:CreateQueue', 'events:PutRule']
    const result = await foretold(
      { Effect: 'Allow', Action: '*', Resource: '*' },
      { Effect: 'Deny', Action: denied, Resource: '*' }
    )
    const missing = result.state === 'known' ? result.missing : []
    expect(new Set(missing.map(({ action }) => action))).toEqual(new Set(denied))
    expect(missing.every(({ explicit }) => explicit)).toBe(true)
  })

  it('that may do everything is told nothing', async () => {
    expect(await foretold({ Effect: 'Allow', Action: '*', Resource: '*' })).toEqual({
      state: 'known',
      missing: [],
      unknown: []
    })
  })
})
