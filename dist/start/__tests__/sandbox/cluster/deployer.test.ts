import { readFileSync } from 'node:fs'
import { filled, policiesOfMode, publishedPolicy } from '../../../sandbox/cluster/deployer.js'
import { homeOf } from '../../../sandbox/cloud/partition.js'

const published = (name: string): string => readFileSync(`docs/permissions/${name}`, 'utf8')

/** The cluster of the README's examples. */
const facts = {
  home: homeOf('111122223333', 'eu-west-1'),
  clusterName: 'blue',
  issuer: 'https://oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF',
  vpcId: 'vpc-1',
  roleName: 'setup-karpenter-blue',
  repository: 'my-org/my-repo',
  ownerId: '1234',
  repositoryId: '5678'
}

const documents = [...new Set(Object.values(policiesOfMode).flat()), 'boundary', 'install-trust']

test.each(documents)('no placeholder is left in %s', (name) => {
  const text = filled(published(`${name}.json`), facts)
  expect(text.match(/\b[A-Z]{2,}_[A-Z_]{2,}\b|PARTITION|REGION|AUDIENCE/g)).toBeNull()
})

test('statements.md says what each placeholder is', () => {
  const used = new Set(
    documents.flatMap((name) =>
      published(`${name}.json`).match(/\b[A-Z]{2,}_[A-Z_]*[A-Z]{2,}|PARTITION|REGION|AUDIENCE/g)
    )
  )
  const page = published('statements.md')
  expect(used.size).toBeGreaterThan(10)
  expect([...used].filter((name) => !page.includes(`\`${name ?? ''}\``))).toEqual([])
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
