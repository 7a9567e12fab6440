import { mapAt } from '../../src/engine/json.js'
import { smokeTestLabel } from '../../src/smoke-test/objects.js'
import { status } from '../kubernetes/api-server.js'
import { deploymentPath } from './played-helm.js'
import { type Ended, PlayedWorld } from './played-run.js'

const record = '/api/v1/namespaces/kube-system/configmaps/setup-karpenter'
const nodePool = '/apis/karpenter.sh/v1/nodepools/default'
const flowSchemas = '/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas/'

let world: PlayedWorld
beforeEach(async () => {
  world = await PlayedWorld.start()
})
afterEach(async () => world.stop())

async function install(): Promise<void> {
  expect((await world.main({ 'smoke-test': 'false' })).failed).toBeUndefined()
}

async function check(given: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const ended = await world.main({ mode: 'check', ...given })
  expect(ended.writes).toEqual({ aws: [], cluster: [] })
  return ended
}

const groups = ({ log }: Ended): readonly string[] =>
  log.flatMap((line) => /^::group::(.+) \(/.exec(line)?.[1] ?? [])

function findings({ report }: Ended): readonly Readonly<Record<string, unknown>>[] {
  const all: unknown = report?.['findings']
  return Array.isArray(all) ? all.map((one: unknown) => mapAt({ one }, 'one')) : []
}

function untag(...ids: readonly string[]): void {
  for (const id of ids) world.aws.tags.get(id)?.delete('karpenter.sh/discovery')
}

/** As somebody does it with `kubectl edit`. */
function limit(cpu: string): void {
  const live = world.server.at(nodePool)
  const spec = mapAt(live, 'spec')
  world.server.put(nodePool, { ...live, spec: { ...spec, limits: { ...mapAt(spec, 'limits'), cpu } } })
}

function breakController(): void {
  world.server.put(deploymentPath, { ...world.server.at(deploymentPath), status: { replicas: 2 } })
}

const deny = (service: string, ...actions: readonly string[]): void =>
  world.cloud.setFaults(
    actions.map((action) => ({
      service,
      action,
      effect: {
        kind: 'error',
        code: service === 'ec2' ? 'UnauthorizedOperation' : 'AccessDenied',
        message: `User: x is not authorized to perform: ${service}:${action}`,
        status: 403
      }
    }))
  )

/** The role may not look whether the Pod Identity agent is there. */
function forbidAgent(): void {
  const { intercept } = world.server
  world.server.intercept = (call, response) => {
    if (!call.path.endsWith('/daemonsets/eks-pod-identity-agent')) return intercept(call, response)
    status(response, 403, 'Forbidden', 'daemonsets.apps is forbidden: User "x" cannot get resource')
    return true
  }
}

describe('what a check fails with', () => {
  beforeEach(install)

  it('is up to five of what it found, and how many more there are', async () => {
    untag('subnet-1', 'subnet-2', 'sg-1')
    limit('7')
    for (const { metadata } of world.server.under(flowSchemas))
      world.server.remove(`${flowSchemas}${String(metadata['name'])}`)
    const more = await check()
    const all = findings(more).length
    expect(all).toBeGreaterThan(5)
    expect(more.failed).toContain(`Karpenter on blue: ${all} drift\n`)
    expect(more.failed).toContain(`and ${all - 5} more (see the report)`)
    expect(more.failed?.match(/^ {4}\S.*: .*$/gm)?.length).toBe(5)
  })

  it('is all of it where it is not more than five, in the order of fail-on, with what each kind needs', async () => {
    untag('subnet-1', 'subnet-2', 'sg-1')
    limit('7')
    const given = { 'helm-values': 'logLevel: debug', 'fail-on': 'pending,drift' }
    const { failed } = await check(given)
    expect(failed).toContain('Karpenter on blue: 1 pending, 4 drift\n')
    expect(failed).not.toContain('more (see the report)')
    expect(failed).toContain(
      'Mode install puts back what has drifted and applies what is pending; what is unhealthy needs what its line names.'
    )
  })

  it('names no kind that was not found', async () => {
    untag('subnet-1')
    expect((await check({ 'fail-on': 'drift,unhealthy,unknown' })).failed).toMatch(
      /Karpenter on blue: 1 drift\n {4}Subnet tags: .*\n {2}Nothing was changed\.\n/
    )
  })

  it('of what is sick or unknown alone is not that an install mends it', async () => {
    breakController()
    deny('iam', 'GetRole')
    const { failed } = await check()
    expect(failed).toContain('Do what each line of the log names: no install mends')
    world.cloud.setFaults([])
    untag('subnet-1')
    expect((await check()).failed).toContain('Mode install puts back what has drifted')
  })
})

describe('what may not be read', () => {
  beforeEach(install)

  it('of discovery is unknown, with all that is known of it', async () => {
    forbidAgent()
    const ended = await check()
    expect(findings(ended)).toEqual([
      {
        kind: 'unknown',
        id: 'discovery/Pod Identity agent',
        title: 'Pod Identity agent',
        layer: 'kubernetes',
        path: '',
        severity: 'cosmetic',
        reason: expect.stringContaining('the caller may not get daemonsets') as unknown,
        install: 'end before its first write, because it cannot read this',
        missingPermission: expect.stringContaining('get daemonsets') as unknown
      }
    ])
    expect(ended.failed).toContain(
      'Give the role what it lacks: docs/permissions/check.json and check-cluster-role.yaml beside it'
    )
  })

  it('is said once, by what it was read for', async () => {
    deny('ec2', 'DescribeSecurityGroups')
    const missing = findings(await check()).map(({ missingPermission }) => missingPermission)
    expect(missing).toContain('ec2:DescribeSecurityGroups')
    expect(new Set(missing).size).toBe(missing.length)
  })
})

describe('the stages of a check', () => {
  const stagesOf = ({ report }: Ended): readonly unknown[] => {
    const all: unknown = report?.['stages']
    return Array.isArray(all) ? all.map((one: unknown) => mapAt({ one }, 'one')['name']) : []
  }

  it('are those of an install before it writes, then the health', async () => {
    await install()
    const ended = await check()
    expect(stagesOf(ended)).toEqual(['Discover', 'Decide', 'Compare', 'Health'])
    expect(groups(ended)).toContain('Health')
    expect(ended.outputs).toMatchObject({ unhealthy: '0' })
  })

  it('have nothing to say of the health of what is not there, but of what costs money all the same', async () => {
    const ended = await check()
    expect(groups(ended)).not.toContain('Health')
    expect(ended.log.join('\n')).not.toContain('resources are as installed')
    world.server.put('/apis/karpenter.sh/v1/nodepools/smoke-test-lost', {
      apiVersion: 'karpenter.sh/v1',
      kind: 'NodePool',
      metadata: { labels: { [smokeTestLabel]: 'lost' } },
      spec: {}
    })
    const costly = await check()
    expect(costly.outputs['unhealthy']).toBe('1')
    expect(costly.log.slice(costly.log.findIndex((line) => line.startsWith('::group::Health')))).toEqual(
      expect.arrayContaining([expect.stringContaining('leftover smoke test')])
    )
  })

  it('have an upgrade among them where the version changes, and not where somebody has changed nodes by hand', async () => {
    await install()
    const live = world.server.at(nodePool)
    const spec = mapAt(live, 'spec')
    const template = mapAt(spec, 'template')
    const edited = { ...template, spec: { ...mapAt(template, 'spec'), expireAfter: '1h' } }
    world.server.put(nodePool, { ...live, spec: { ...spec, template: edited } })
    expect(stagesOf(await check())).not.toContain('Upgrade')
    expect(stagesOf(await check({ 'karpenter-version': '1.13.1', 'allow-downgrade': 'true' }))).toContain(
      'Upgrade'
    )
  })
})

describe('an installation of somebody else', () => {
  beforeEach(async () => {
    await install()
    world.server.remove(record)
    world.helm.disown({})
  })

  it('has no record that could be lost, and is listed with the parts that its cluster uses', async () => {
    const ended = await check()
    expect(findings(ended).map(({ id }) => id)).not.toContain('record')
    expect(groups(ended)).toContain('Compare')
    expect(ended.log.join('\n')).not.toContain('resources are as installed')
    expect(findings(ended).map(({ kind }) => kind)).not.toContain('drift')
  })

  it('has what may not be read unknown, as any other', async () => {
    forbidAgent()
    const ended = await check({ 'fail-on': 'never' })
    expect(ended.outputs['unknown']).toBe('1')
    expect(findings(ended).map(({ kind }) => kind)).toContain('unknown')
  })

  it('has what it ignores said beside the list, as any other', async () => {
    untag('subnet-1')
    const ignore = '- { resource: subnet-tags, field: subnet-1.*, reason: it is retired }'
    const ended = await check({ ignore })
    expect(ended.log.join('\n')).toContain('ignored: Subnet tags: subnet-1')
    expect(ended.report).toMatchObject({ ignored: [{ id: 'subnet-tags', reason: 'it is retired' }] })
  })
})

it('of an installation that was taken over goes by its names, whatever the guide calls them', async () => {
  await world.main({ 'smoke-test': 'false', 'controller-role-name': 'theirs' })
  world.server.remove(record)
  world.helm.disown({})
  const seen = await check({ 'fail-on': 'never' })
  expect(JSON.stringify(seen.report?.['findings'])).not.toContain('blue-karpenter')
  expect((await world.main({ 'smoke-test': 'false', adopt: 'true' })).failed).toBeUndefined()
  const ended = await check()
  expect(ended.failed).toBeUndefined()
  expect(ended.outputs).toMatchObject({
    drift: '0',
    pending: '0',
    'controller-role-arn': 'arn:aws:iam::111122223333:role/theirs'
  })
})

it('of a cluster without Karpenter says what it ignores as well', async () => {
  const ended = await check({ ignore: "- { resource: gone, field: '*', reason: x }" })
  expect(ended.log.join('\n')).toContain('ignore: gone * matches nothing that differs now')
})
