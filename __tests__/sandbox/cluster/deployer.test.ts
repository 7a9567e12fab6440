import { readFileSync } from 'node:fs'
import { filled, publishedPolicy } from '../../../sandbox/cluster/deployer.js'
import { homeOf } from '../../../sandbox/cloud/partition.js'

const published = (name: string): string => readFileSync(`docs/permissions/${name}`, 'utf8')

/** What the README's sed command puts in place of each placeholder, in its order. */
const substitutions = [...published('README.md').matchAll(/-e 's\/([A-Z_]+)\/([^/]*)\/g'/g)].map(
  ([, placeholder = '', value = '']) => ({ placeholder, value })
)

/** The cluster of the README's examples. */
const facts = {
  home: homeOf('111122223333', 'eu-west-1'),
  clusterName: 'blue',
  issuer: 'https://oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF',
  roleName: 'setup-karpenter-blue',
  repository: 'my-org/my-repo',
  ownerId: '1234',
  repositoryId: '5678'
}

const documents = ['install.json', 'install-iam.json', 'install-trust.json']

test.each(documents)('%s is filled in as the README fills it in', (name) => {
  const text = published(name)
  const bySed = substitutions.reduce(
    (sofar, { placeholder, value }) => sofar.replaceAll(placeholder, value),
    text
  )
  expect(filled(text, facts)).toBe(bySed)
})

test.each(documents)('no placeholder is left in %s', (name) => {
  const text = filled(published(name), facts)
  expect(text.match(/\b[A-Z]{2,}_[A-Z_]{2,}\b|PARTITION|REGION|AUDIENCE/g)).toBeNull()
})

test('China has its own partition, domain and audience', async () => {
  const home = homeOf('111122223333', 'cn-north-1')
  expect(JSON.stringify(await publishedPolicy('install-iam', { ...facts, home }))).toContain(
    'arn:aws-cn:iam::111122223333:oidc-provider/oidc.eks.cn-north-1.amazonaws.com.cn/id/0123456789ABCDEF0123456789ABCDEF'
  )
  expect(JSON.stringify(await publishedPolicy('install-trust', { ...facts, home }))).toContain(
    '"token.actions.githubusercontent.com:aud":"sts.amazonaws.com.cn"'
  )
})
