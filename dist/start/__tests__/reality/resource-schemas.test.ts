import { readFileSync } from 'node:fs'
import { list, record } from '../../sandbox/values.js'
import { templateTypes } from '../../scripts/aws-models/operations.js'

/**
 * What CloudFormation's handlers call, by the published resource schemas (sandbox/cloud/model/published/resource-schemas.json, from
 * cfn-lint; made anew by `npm run aws-models`), beside what the published policies allow. An install makes, changes, and in a
 * roll-back deletes; an uninstall deletes.
 */
const schemas = record(
  JSON.parse(readFileSync('sandbox/cloud/model/published/resource-schemas.json', 'utf8'))
)

const actionsOf = (files: readonly string[]): ReadonlySet<string> =>
  new Set(
    files.flatMap((file) =>
      list(record(JSON.parse(readFileSync(`docs/permissions/${file}.json`, 'utf8')))['Statement'])
        .map(record)
        .filter((statement) => statement['Effect'] === 'Allow')
        .flatMap((statement) => [statement['Action']].flat().map(String))
    )
  )

const forms = {
  install: { files: ['install', 'install-iam'], handlers: ['create', 'read', 'update', 'delete', 'tagging'] },
  'install, bounded': {
    files: ['install', 'install-iam-bounded'],
    handlers: ['create', 'read', 'update', 'delete', 'tagging']
  },
  'service role of the stack': {
    files: ['stack-role'],
    handlers: ['create', 'read', 'update', 'delete', 'tagging']
  },
  uninstall: { files: ['uninstall'], handlers: ['delete'] }
} as const

const noUsers = 'the template attaches no policy to users or groups, and the handler calls it for those alone'
const noInline =
  "only for a template of one's own with inline policies on a role (docs/permissions/statements.md)"
const noRuleRole = 'for the RoleArn of a rule, and the rules of the template have none'

/** What no policy has, by form and action, with the reason. */
const leftOut: Readonly<Record<keyof typeof forms, Readonly<Record<string, string>>>> = {
  install: {
    'iam:AttachGroupPolicy': noUsers,
    'iam:AttachUserPolicy': noUsers,
    'iam:DetachGroupPolicy': noUsers,
    'iam:DetachUserPolicy': noUsers,
    'iam:PutRolePolicy': noInline
  },
  'install, bounded': {
    'iam:AttachGroupPolicy': noUsers,
    'iam:AttachUserPolicy': noUsers,
    'iam:DeleteRolePermissionsBoundary': 'a bounded role takes no boundary off; the template never drops one',
    'iam:DetachGroupPolicy': noUsers,
    'iam:DetachUserPolicy': noUsers,
    'iam:PutRolePolicy': noInline
  },
  'service role of the stack': {
    'iam:AttachGroupPolicy': noUsers,
    'iam:AttachUserPolicy': noUsers,
    'iam:DeleteRolePermissionsBoundary':
      'it makes and keeps the node role with a boundary; the template never drops one',
    'iam:DetachGroupPolicy': noUsers,
    'iam:DetachUserPolicy': noUsers,
    'iam:PassRole': noRuleRole,
    'iam:PutRolePolicy': noInline
  },
  uninstall: {
    'iam:DetachGroupPolicy': noUsers,
    'iam:DetachUserPolicy': noUsers,
    'iam:PassRole': noRuleRole,
    'iam:TagRole': 'a deletion sets no tag',
    'iam:UntagRole': 'a deletion takes no tag'
  }
}

test('each resource type of the template has its schema, and no other is kept', () => {
  expect(Object.keys(schemas).sort()).toEqual([...templateTypes].sort())
})

test.each(Object.entries(forms))(
  '%s allows what the handlers call, or says why not',
  (form, { files, handlers }) => {
    const named = new Set(
      Object.values(schemas).flatMap((schema) =>
        handlers.flatMap((one) => list(record(schema)[one]).map(String))
      )
    )
    const allowed = actionsOf(files)
    const lacking = [...named].filter((action) => !allowed.has(action))
    expect(lacking.sort()).toEqual(Object.keys(record(record(leftOut)[form])).sort())
  }
)

test('the service role of the stack is allowed nothing that no handler calls', () => {
  const named = new Set(
    Object.values(schemas).flatMap((schema) =>
      Object.values(record(schema)).flatMap((actions) => list(actions).map(String))
    )
  )
  expect([...actionsOf(['stack-role'])].filter((action) => !named.has(action))).toEqual([])
})
