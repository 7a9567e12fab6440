import { readdirSync, readFileSync } from 'node:fs'
import { isMap } from '../../src/engine/json.js'

const published = (name: string): unknown => JSON.parse(readFileSync(`docs/permissions/${name}.json`, 'utf8'))
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value])
const statements = ['install', 'install-iam']
  .map(published)
  .flatMap((policy) => (isMap(policy) ? listOf(policy['Statement']) : []))
  .filter(isMap)
const viaCloudFormation = (statement: Record<string, unknown>): boolean =>
  JSON.stringify(statement['Condition'] ?? {}).includes('aws:CalledVia')
const actionsOf = (of: readonly Record<string, unknown>[]): readonly string[] =>
  of
    .flatMap((statement) => listOf(statement['Action']).map(String))
    .map((action) => action.split(':')[1] ?? '')

/** Every API that src calls, by the SDK's own names of commands and paginators. */
const called = new Set(
  readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .flatMap((path) => [
      ...readFileSync(`src/${path}`, 'utf8').matchAll(
        /new (?:sdk\.)?([A-Z]\w+)Command\(|\bpaginate([A-Z]\w+)\(/g
      )
    ])
    .map((match) => match[1] ?? match[2] ?? '')
)

/** Calls that need no permission, or that are only a hint beside an error that stands without them. */
const free = ['AssumeRoleWithWebIdentity', 'GetCallerIdentity', 'ListClusters']
/** Calls of mode uninstall alone. */
const uninstall = published('uninstall')
const removal = actionsOf((isMap(uninstall) ? listOf(uninstall['Statement']) : []).filter(isMap))
/** Where the user's own template gives a role an inline policy: no published one does. */
const ownTemplate = ['PutRolePolicy']
/** What AWS asks for beside a call: a tag given at creation, a role that is passed on. */
const implied = ['PassRole', 'TagOpenIDConnectProvider', 'TagQueue', 'TagResource']

describe('docs/permissions/install.json and install-iam.json', () => {
  const own = new Set(actionsOf(statements.filter((statement) => !viaCloudFormation(statement))))

  it('allows every call that the action makes', () => {
    const allowed = new Set([...actionsOf(statements), ...free, ...removal, ...ownTemplate])
    expect([...called].filter((action) => !allowed.has(action))).toEqual([])
    expect(called.size).toBeGreaterThan(30)
  })

  it('allows nothing to the action itself that it does not call', () => {
    expect([...own].filter((action) => !called.has(action) && !implied.includes(action))).toEqual([])
  })

  it('has no wildcard action, and no statement on everything but reads without resources', () => {
    expect(JSON.stringify(statements.map((statement) => statement['Action']))).not.toContain('*')
    const onAll = statements.filter((statement) => listOf(statement['Resource']).includes('*'))
    expect(actionsOf(onAll).filter((action) => !/^(Describe|List|Get)/.test(action))).toEqual([])
  })

  it('has a name of its own for each statement', () => {
    const names = statements.map((statement) => statement['Sid'])
    expect(new Set(names).size).toBe(names.length)
  })
})

describe('docs/permissions/check.json', () => {
  const check = published('check')
  const reading = (isMap(check) ? listOf(check['Statement']) : []).filter(isMap)

  it('reads, and does nothing else', () => {
    const actions = actionsOf(reading)
    expect(actions.length).toBeGreaterThan(15)
    expect(actions.filter((action) => !/^(Describe|Get|List)/.test(action))).toEqual([])
  })

  it('allows what the action calls and no more, all of which install may read too', () => {
    expect(actionsOf(reading).filter((action) => !called.has(action))).toEqual([])
    const read = actionsOf(statements).filter((action) => /^(Describe|Get|List)/.test(action))
    expect(actionsOf(reading).filter((action) => !read.includes(action))).toEqual([])
  })
})
