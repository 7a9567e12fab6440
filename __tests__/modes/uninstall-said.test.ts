import { smokeTestLabel } from '../../src/smoke-test/objects.js'
import { status } from '../kubernetes/api-server.js'
import { type Ended, PlayedWorld } from './played-run.js'

const ours = { 'app.kubernetes.io/managed-by': 'setup-karpenter' }
const pools = '/apis/karpenter.sh/v1/nodepools/'
const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/'

let world: PlayedWorld
beforeEach(async () => {
  world = await PlayedWorld.start()
  await world.main({ 'smoke-test': 'false' })
})
afterEach(async () => world.stop())

interface Watched extends Ended {
  /** Milliseconds of each time that it let pass, in order. */
  readonly paused: readonly number[]
}

async function uninstall(given: Readonly<Record<string, string>> = {}): Promise<Watched> {
  const paused: number[] = []
  const ended = await world.main(
    { mode: 'uninstall', ...given },
    {
      ports: (ports) => ({
        ...ports,
        clock: {
          ...ports.clock,
          pause: async (milliseconds, signal) => {
            paused.push(milliseconds)
            return ports.clock.pause(milliseconds, signal)
          }
        }
      })
    }
  )
  return { ...ended, paused }
}

function deny(service: string, ...actions: readonly string[]): void {
  world.cloud.setFaults(
    actions.map((action) => ({
      service,
      action,
      effect: {
        kind: 'error',
        code: 'AccessDenied',
        message: `User: x is not authorized to perform: ${service}:${action}`,
        status: 403
      }
    }))
  )
}

function putPool(name: string, labels: Readonly<Record<string, string>>): void {
  world.server.put(`${pools}${name}`, {
    apiVersion: 'karpenter.sh/v1',
    kind: 'NodePool',
    metadata: { labels },
    spec: {}
  })
}

function putCrd(name: string, labels: Readonly<Record<string, string>>): void {
  const [plural = '', ...group] = name.split('.')
  world.server.put(`${crds}${name}`, {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { labels },
    spec: { group: group.join('.'), scope: 'Cluster', names: { kind: plural, plural }, versions: [] }
  })
}

const crdNames = (): readonly unknown[] => world.server.under(crds).map(({ metadata }) => metadata['name'])

test('its stages and the lines of its log stand there once, though it looks twice', async () => {
  const ended = await uninstall()
  const stages = Array.isArray(ended.report?.['stages']) ? ended.report['stages'] : []
  expect(stages).toMatchObject(
    ['Discover', 'Decide', 'Compare', 'Preflight', 'Remove', 'Proof', 'Record'].map((name) => ({ name }))
  )
  expect(
    ended.log.filter((line) => line.includes('arn:aws:eks:eu-west-1:111122223333:cluster/blue'))
  ).toHaveLength(1)
  expect(ended.log).toContain('deleted the record')
  expect(ended.paused).not.toContain(1_000)
})

test('what is removed stands in the log under the name of its resource', async () => {
  const groups = (await uninstall()).log.filter((line) => line.startsWith('::group::'))
  expect(groups).toContainEqual(expect.stringMatching(/^::group::Subnet tags \(/))
})

describe('the proof', () => {
  it('looks again after longer and longer, for a minute, and says for what it waits', async () => {
    world.aws.tagsStay = true
    const { paused, failed } = await uninstall()
    const proof = paused.slice(paused.indexOf(1_000))
    const seconds = proof.reduce((sum, one) => sum + one, 0) / 1_000
    expect(proof.slice(0, 6)).toEqual([1_000, 2_000, 4_000, 8_000, 8_000, 8_000])
    // No more than a pause beyond the minute.
    expect([seconds > 60, seconds <= 68]).toEqual([true, true])
    expect(failed).toContain('; and 2 more are left')
  })

  it('says how it goes on where one thing alone is left', async () => {
    for (const id of ['subnet-2', 'sg-1']) world.aws.tags.get(id)?.delete('karpenter.sh/discovery')
    world.aws.tagsStay = true
    const { failed } = await uninstall()
    expect(failed).toMatch(/was removed and still shows$/m)
    expect(failed).not.toContain('more are left')
  })

  it('waits for nothing where something could not be removed', async () => {
    world.aws.tagsStay = true
    deny('iam', 'DeleteRole')
    expect((await uninstall()).paused).not.toContain(1_000)
  })
})

describe('what fails', () => {
  it('is told each by itself', async () => {
    deny('ec2', 'DeleteTags')
    const { failed } = await uninstall()
    expect(failed?.match(/^setup-karpenter:/gm)?.length).toBeGreaterThan(1)
    expect(failed).toContain('Subnet tags')
    expect(failed).toContain('Security group tags')
  })

  it('is told with what was removed before it, what an earlier smoke test had left too', async () => {
    putPool('smoke-test-lost', { ...ours, [smokeTestLabel]: 'lost' })
    world.helm.fails = 'timed out'
    const { failed } = await uninstall()
    expect(failed).toMatch(/^setup-karpenter: Helm release karpenter: timed out\n/)
    expect(failed).toContain('- removed NodePool smoke-test-lost, left by an earlier smoke test')
  })

  it('to be read is told each by itself, and nothing is changed', async () => {
    deny('iam', 'GetRole', 'GetPolicy')
    const { failed, writes } = await uninstall()
    expect(failed?.match(/^setup-karpenter:/gm)?.length).toBeGreaterThan(1)
    expect(failed?.match(/^ {2}Nothing was changed\.$/gm)).toHaveLength(
      failed?.match(/^setup-karpenter:/gm)?.length ?? 0
    )
    expect(writes).toEqual({ aws: [], cluster: [] })
  })

  it('to be read alone is told by its name', async () => {
    deny('eks', 'ListPodIdentityAssociations')
    const { failed, writes } = await uninstall()
    expect(failed).toMatch(/^setup-karpenter: .*eks:ListPodIdentityAssociations/)
    expect(failed?.match(/^setup-karpenter:/gm)).toHaveLength(1)
    expect(writes).toEqual({ aws: [], cluster: [] })
  })

  it('by the hundred is in the report as a whole, and in the output as far as a script needs it', async () => {
    for (let number = 0; number < 205; number++) putPool(`pool-${number}`, ours)
    const { intercept } = world.server
    world.server.intercept = (call, response) => {
      if (call.method !== 'DELETE' || !call.path.startsWith(`${pools}pool-`)) return intercept(call, response)
      status(response, 403, 'Forbidden', 'nodepools is forbidden')
      return true
    }
    const ended = await uninstall()
    const listed: unknown = JSON.parse(ended.outputs['leftovers'] ?? '')
    expect(listed).toHaveLength(200)
    const removal = ended.report?.['removal']
    expect(JSON.stringify(removal).match(/NodePool pool-\d+"/g)?.length).toBeGreaterThanOrEqual(205)
  })
})

describe('CRDs that a newer version has left', () => {
  const overlays = 'nodeoverlays.karpenter.sh'

  it('go with the recorded ones where they are ours', async () => {
    putCrd(overlays, ours)
    expect((await uninstall({ 'remove-crds': 'true' })).failed).toBeUndefined()
    expect(crdNames()).toEqual([])
  })

  it("stay where they are somebody else's", async () => {
    putCrd(overlays, {})
    expect((await uninstall({ 'remove-crds': 'true' })).failed).toBeUndefined()
    expect(crdNames()).toEqual([overlays])
  })

  it('stay where no record is, and they are no CRDs of Karpenter', async () => {
    world.server.remove('/api/v1/namespaces/kube-system/configmaps/setup-karpenter')
    putCrd('certificates.cert-manager.io', ours)
    expect((await uninstall({ 'remove-crds': 'true' })).failed).toBeUndefined()
    expect(crdNames()).toEqual(['certificates.cert-manager.io'])
  })
})

test('NodePools of others do not go, whatever else carries our name, and hinder nothing that does not go either', async () => {
  world.helm.disown({})
  putPool('theirs', { 'app.kubernetes.io/managed-by': 'argocd' })
  const { failed } = await uninstall()
  expect(failed).toBeUndefined()
  expect(world.server.under(pools).map(({ metadata }) => metadata['name'])).toEqual(['theirs'])
})
