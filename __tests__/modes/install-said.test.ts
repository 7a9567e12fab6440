import { gzipSync } from 'node:zlib'
import { mapAt } from '../../src/engine/json.js'
import { smokeTestLabel } from '../../src/smoke-test/objects.js'
import { status } from '../kubernetes/api-server.js'
import { type Ended, PlayedWorld } from './played-run.js'

const quick = { 'smoke-test': 'false' }
const record = '/api/v1/namespaces/kube-system/configmaps/setup-karpenter'
const nodePools = '/apis/karpenter.sh/v1/nodepools/'
const secretValues = {
  'helm-values': '{"controller":{"env":[{"name":"API_TOKEN","value":"hunter2-hunter2"}]}}'
}

let world: PlayedWorld
beforeEach(async () => {
  world = await PlayedWorld.start()
})
afterEach(async () => world.stop())

const untag = (): unknown => world.aws.tags.get('subnet-1')?.delete('karpenter.sh/discovery')

/** What a run that was lost has left of its smoke test. */
function leave(): void {
  world.server.put(`${nodePools}smoke-test-lost`, {
    apiVersion: 'karpenter.sh/v1',
    kind: 'NodePool',
    metadata: { labels: { [smokeTestLabel]: 'lost' } },
    spec: {}
  })
}

function changeRecord(change: Readonly<Record<string, unknown>>): void {
  const live = world.server.at(record)
  const text = JSON.stringify({ ...world.record(), ...change })
  const binaryData = { ...mapAt(live, 'binaryData'), 'record.json.gz': gzipSync(text).toString('base64') }
  world.server.put(record, { ...live, binaryData })
}

/** An install whose smoke test cannot begin, which therefore says all that it had done until then. */
async function failing(given: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const { intercept } = world.server
  world.server.intercept = (call, response) => {
    if (call.method !== 'PATCH' || !call.path.includes('/deployments/smoke-test-'))
      return intercept(call, response)
    status(response, 403, 'Forbidden', 'deployments.apps is forbidden: User "x" cannot patch resource')
    return true
  }
  const ended = await world.main(given)
  world.server.intercept = intercept
  expect(ended.failed).toContain('deployments')
  return ended
}

/** Pods of the smoke test that an install would make now. */
async function podsPlanned(): Promise<unknown> {
  const { outputs } = await world.main({ mode: 'plan' })
  return mapAt({ plan: JSON.parse(outputs['plan'] ?? '') as unknown }, 'plan')['smokeTestPods']
}

describe('a run that fails after it', () => {
  it('says that the record was written anew', async () => {
    await world.main(quick)
    world.server.remove(record)
    const { failed } = await failing()
    expect(failed).toContain('- wrote the record of the install anew: ConfigMap kube-system/setup-karpenter')
    expect(failed).not.toContain('what an earlier run or somebody else had done')
  })

  it('says that the record was brought up to what had been done', async () => {
    await world.main(quick)
    changeRecord({ karpenterVersion: '1.2.1' })
    const { failed } = await failing()
    expect(failed).toContain(
      '- wrote into ConfigMap kube-system/setup-karpenter what an earlier run or somebody else had done'
    )
    expect(failed).not.toContain('anew')
  })

  it('says nothing of the record where only what differs was put back', async () => {
    await world.main(quick)
    untag()
    const { failed } = await failing()
    expect(failed).toContain('subnet-1')
    expect(failed).not.toContain('wrote')
  })

  it('says that values of the record went into a Secret', async () => {
    await world.main({ ...quick, ...secretValues })
    world.server.remove('/api/v1/namespaces/kube-system/secrets/setup-karpenter')
    expect((await failing(secretValues)).failed).toContain(
      '- wrote helm-values of the record into Secret kube-system/setup-karpenter'
    )
  })

  it('says what it removed of an earlier smoke test', async () => {
    await world.main(quick)
    leave()
    untag()
    world.cloud.setFaults([
      {
        service: 'ec2',
        action: 'CreateTags',
        effect: { kind: 'error', code: 'UnauthorizedOperation', message: 'no', status: 403 }
      }
    ])
    expect((await world.main(quick)).failed).toContain(
      '- removed NodePool smoke-test-lost, left by an earlier smoke test'
    )
  })
})

describe('the smoke test of an install', () => {
  it('is left out where it has passed and nothing is otherwise since', async () => {
    expect(await podsPlanned()).toBe(5)
    await world.main(quick)
    expect(await podsPlanned()).toBe(5)
    await world.main()
    expect(await podsPlanned()).toBe(0)
    untag()
    expect(await podsPlanned()).toBe(5)
  })

  it('is made again on another Kubernetes, and where the record is not that of what stands', async () => {
    await world.main()
    changeRecord({ kubernetesVersion: '1.34' })
    expect(await podsPlanned()).toBe(5)
    changeRecord({ kubernetesVersion: '1.35', karpenterVersion: '1.2.1' })
    expect(await podsPlanned()).toBe(5)
    changeRecord({ karpenterVersion: '1.14.1' })
    expect(await podsPlanned()).toBe(0)
  })

  it('removes by itself what another has left', async () => {
    await world.main(quick)
    leave()
    const ended = await world.main()
    expect([ended.failed, ended.outputs['nodes-added']]).toEqual([undefined, '1'])
    expect(world.server.at(`${nodePools}smoke-test-lost`)).toBeUndefined()
  })
})

describe('helm', () => {
  it('is chosen where the release changes, and said in log and report', async () => {
    const ended = await world.main(quick)
    const { helm } = mapAt(ended.report, 'choices')
    expect(helm).toMatch(/^3\.22\.0 \(satisfies /)
    expect(ended.log).toContain(`helm: ${String(helm)}`)
    // And nothing of a take-over, which it is not.
    expect(ended.log).toContain('create Helm release karpenter')
    expect(ended.report).not.toHaveProperty('adoption')
    expect(ended.report).toMatchObject({ preflight: [] })
  })

  it('is none of the choices of a run that leaves the release as it is', async () => {
    await world.main(quick)
    untag()
    const again = await world.main(quick)
    expect(again.outputs['changed']).toBe('true')
    expect(mapAt(again.report, 'choices')).not.toHaveProperty('helm')
    expect(again.log.filter((line) => line.startsWith('helm:'))).toEqual([])
  })
})

test('a take-over lists what it finds, with what is ignored of it', async () => {
  await world.main(quick)
  world.server.remove(record)
  world.helm.disown({})
  untag()
  const ignore = '- { resource: subnet-tags, field: subnet-1.*, reason: it is retired }'
  const ended = await world.main({ ...quick, adopt: 'true', ignore })
  expect(ended.failed).toBeUndefined()
  expect(ended.report?.['adoption']).toContainEqual(expect.objectContaining({ id: 'helm-release' }))
  expect(ended.log.join('\n')).toContain('ignored: Subnet tags: subnet-1')
  expect(ended.log.join('\n')).not.toContain('resources are as wanted')
})

test('a run that is refused ends after its last read, which nothing cuts off', async () => {
  await world.main(quick)
  const { intercept } = world.server
  let read: 'under way' | 'answered' | undefined
  world.server.intercept = (call, response) => {
    if (call.query.get('labelSelector')?.startsWith(`${smokeTestLabel},`) !== true)
      return intercept(call, response)
    read = 'under way'
    // Long after the refusal, as a slow server may.
    setTimeout(() => {
      read = 'answered'
      response.end(
        JSON.stringify({ kind: 'NodePoolList', apiVersion: 'karpenter.sh/v1', metadata: {}, items: [] })
      )
    }, 300)
    return true
  }
  const { failed } = await world.main({ ...quick, 'helm-values': 'replicaz: 3' })
  expect([failed, read]).toEqual([expect.stringContaining('helm-values'), 'answered'])
})

test('what was taken over once is ours, and nothing is written of it again', async () => {
  await world.main(quick)
  world.server.remove(record)
  world.helm.disown({})
  expect((await world.main({ ...quick, adopt: 'true' })).report).toHaveProperty('adoption')
  const again = await world.main({ ...quick, adopt: 'true' })
  expect([again.failed, again.outputs['changed'], again.writes]).toEqual([
    undefined,
    'false',
    { aws: [], cluster: [] }
  ])
  expect(again.report).not.toHaveProperty('adoption')
})
