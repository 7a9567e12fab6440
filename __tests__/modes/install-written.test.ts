import { mapAt } from '../../src/engine/json.js'
import { PlayedWorld } from './played-run.js'

const quick = { 'smoke-test': 'false' }

let world: PlayedWorld
beforeEach(async () => {
  world = await PlayedWorld.start()
  await world.main(quick)
})
afterEach(async () => world.stop())

const untag = (id: string): unknown => world.aws.tags.get(id)?.delete('karpenter.sh/discovery')

/** How often an install reads who changes what is written to the cluster. */
async function mutatorsRead(change: () => void, given = {}): Promise<number> {
  change()
  const calls = world.server.calls.length
  expect((await world.main({ ...quick, ...given })).outputs['changed']).toBe('true')
  const paths = world.server.calls.slice(calls).map(({ path }) => path)
  return paths.filter((path) => path.endsWith('/mutatingwebhookconfigurations')).length
}

describe('who changes what is written is asked', () => {
  it.each<[string, () => void, Readonly<Record<string, string>>]>([
    ['a NodePool', () => world.server.remove('/apis/karpenter.sh/v1/nodepools/default'), {}],
    ['the namespace', () => world.server.remove('/api/v1/namespaces/karpenter'), {}],
    ['the release', () => undefined, { 'helm-values': 'logLevel: debug' }]
  ])('again after a write of %s', async (_what, change, given) => {
    const ofAws = await mutatorsRead(() => untag('subnet-1'))
    expect(await mutatorsRead(change, given)).toBe(ofAws + 1)
  })
})

test('what fails is told each by itself', async () => {
  for (const id of ['subnet-1', 'sg-1']) untag(id)
  const effect = { kind: 'error', code: 'UnauthorizedOperation', message: 'no', status: 403 } as const
  world.cloud.setFaults([{ service: 'ec2', action: 'CreateTags', effect }])
  const { failed } = await world.main(quick)
  expect(failed?.match(/^setup-karpenter:/gm)).toHaveLength(2)
  for (const title of ['Subnet tags', 'Security group tags']) expect(failed).toContain(title)
})

test('what is changed stands in the log under the name of its resource', async () => {
  untag('subnet-1')
  const { log } = await world.main(quick)
  const groups = log.filter((line) => line.startsWith('::group::'))
  expect(groups).toContainEqual(expect.stringMatching(/^::group::Subnet tags \(1 change, /))
})

test('the record has what else bore the discovery tag, which is no drift afterwards', async () => {
  world.aws.tags.set('subnet-9', new Map([['karpenter.sh/discovery', 'blue']]))
  untag('subnet-1')
  await world.main(quick)
  expect(world.record()).toMatchObject({ alsoTagged: ['subnet-9'] })
})

test("with aws-auth the nodes' line is added to what is there, which is kept in the report", async () => {
  const config = await PlayedWorld.start({ authenticationMode: 'CONFIG_MAP' })
  const path = '/api/v1/namespaces/kube-system/configmaps/aws-auth'
  const theirs = '- rolearn: arn:aws:iam::111122223333:role/theirs\n  username: theirs\n'
  config.server.put(path, { apiVersion: 'v1', kind: 'ConfigMap', data: { mapRoles: theirs } })
  try {
    const ended = await config.main({ 'smoke-test': 'false' })
    expect(ended.failed).toBeUndefined()
    expect(ended.report).toMatchObject({ kept: { 'aws-auth': expect.stringContaining('theirs') as unknown } })
    const mapped = (): string => String(mapAt(config.server.at(path), 'data')['mapRoles'])
    expect(mapped()).toContain('role/theirs')
    expect(mapped()).toContain('role/KarpenterNodeRole-blue')
    const removal = await config.main({ mode: 'uninstall' })
    expect(removal.failed).toBeUndefined()
    expect(removal.report).toMatchObject({
      kept: { 'aws-auth': expect.stringContaining('KarpenterNodeRole-blue') as unknown }
    })
    expect(mapped()).toContain('role/theirs')
    expect(mapped()).not.toContain('KarpenterNodeRole-blue')
  } finally {
    await config.stop()
  }
})
