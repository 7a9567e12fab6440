import type { AnyResource } from '../../../src/engine/resource.js'
import type { Manifest } from '../../../src/kubernetes/manifest.js'
import { isOurs } from '../../../src/kubernetes/ownership-label.js'
import { launchedInstances } from '../../../src/resources/removal/launched-instances.js'
import { awsWith, recordedStep, Refusal, type Handlers } from '../../aws/stand-in.js'
import { failure } from '../../aws/failure.js'
import { ApiServer } from '../../kubernetes/api-server.js'
import { inspect, ownership, unrecorded } from '../walk-one.js'

interface Machine {
  state: string
  readonly nodePool: string
}

let server: ApiServer
// Loading a client takes as long as the API server may take to answer.
beforeAll(async () => {
  await Promise.all([import('../../../src/aws/sdk/ec2.js'), import('../../../src/aws/sdk/iam.js')])
})
beforeEach(async () => {
  server = await ApiServer.start()
})
afterEach(async () => server.stop())

/** EC2 with these instances. One that is ended is shutting down at the next look, and terminated at the one after. */
function ec2(machines: Record<string, Machine>): Handlers {
  return {
    DescribeInstances: (input) => {
      const filters = JSON.stringify(input)
      if (!filters.includes('tag:eks:eks-cluster-name')) return { reservationSet: [] }
      const shown = Object.entries(machines).filter(([, { state }]) => state !== 'terminated')
      const instancesSet = shown.map(([instanceId, { state, nodePool }]) => ({
        instanceId,
        instanceState: { name: state },
        tagSet: [{ key: 'karpenter.sh/nodepool', value: nodePool }]
      }))
      for (const machine of Object.values(machines))
        if (machine.state === 'shutting-down') machine.state = 'terminated'
      return { reservationSet: [{ instancesSet }] }
    },
    TerminateInstances: (input) => {
      for (const id of Object.values(input)) {
        const machine = machines[String(id)]
        if (machine !== undefined) machine.state = 'shutting-down'
      }
      return { instancesSet: [] }
    }
  }
}

async function withInstances(
  handlers: Handlers,
  use: (instances: AnyResource, calls: readonly string[]) => Promise<void>
): Promise<void> {
  const { aws, server: cloud, close } = await awsWith(handlers)
  const goes = (object: Manifest): boolean => isOurs(object, ownership)
  const ports = { aws, kubernetes: server.kubernetes, goes, dependsOn: [] }
  await use(launchedInstances({ clusterName: 'blue', nodePools: ['default'] }, ports), cloud.calls)
  await close()
}

function claimOf(id: string): void {
  server.put('/apis/karpenter.sh/v1/nodeclaims/default-x', {
    apiVersion: 'karpenter.sh/v1',
    kind: 'NodeClaim',
    status: { providerID: `aws:///eu-west-1a/${id}` }
  })
}

test('instances that end by themselves are awaited, named with their state', async () => {
  const machines = { 'i-1': { state: 'shutting-down', nodePool: 'default' } }
  await withInstances(ec2(machines), async (instances, calls) => {
    const step = recordedStep()
    expect(await instances.remove(step, unrecorded)).toEqual({ outcome: 'removed' })
    expect(step.waits).toEqual(['1 EC2 instances to end: i-1 (shutting-down, NodePool default)'])
    expect(calls).not.toContain('TerminateInstances')
    expect((await inspect(instances)).present).toEqual([])
  })
})

test('an instance that no NodeClaim stands for is ended, one that has a NodeClaim is left to Karpenter', async () => {
  const machines = {
    'i-1': { state: 'running', nodePool: 'default' },
    'i-2': { state: 'stopped', nodePool: 'default' }
  }
  claimOf('i-2')
  await withInstances(ec2(machines), async (instances, calls) => {
    const step = recordedStep()
    const paced = {
      ...step,
      pause: async (milliseconds: number) => {
        if (machines['i-1'].state === 'terminated') machines['i-2'].state = 'terminated'
        await step.pause(milliseconds)
      }
    }
    expect(await instances.remove(paced, unrecorded)).toEqual({ outcome: 'removed' })
    expect(step.lines).toEqual(['terminated EC2 instances i-1'])
    expect(calls.filter((call) => call === 'TerminateInstances')).toHaveLength(1)
  })
})

test('instances of other NodePools are left and named', async () => {
  const machines = { 'i-1': { state: 'running', nodePool: 'batch' } }
  await withInstances(ec2(machines), async (instances, calls) => {
    expect((await inspect(instances)).present).toEqual(['EC2 instance i-1 (running, NodePool batch)'])
    expect(await instances.remove(recordedStep(), unrecorded)).toEqual({
      outcome: 'kept',
      reason: 'kept by NodePool batch: EC2 instance i-1 (running, NodePool batch)'
    })
    expect(calls).not.toContain('TerminateInstances')
  })
})

test('a NodePool of our name that somebody else made keeps its instances', async () => {
  server.put('/apis/karpenter.sh/v1/nodepools/default', { apiVersion: 'karpenter.sh/v1', kind: 'NodePool' })
  await withInstances(ec2({ 'i-1': { state: 'running', nodePool: 'default' } }), async (instances, calls) => {
    expect(await instances.remove(recordedStep(), unrecorded)).toMatchObject({ outcome: 'kept' })
    expect(calls).not.toContain('TerminateInstances')
  })
})

test('what is there of ours is listed for the proof, and nothing is absent', async () => {
  await withInstances(ec2({ 'i-1': { state: 'stopping', nodePool: 'default' } }), async (instances) => {
    const { state, present, differences } = await inspect(instances)
    expect({ state, present, differences }).toEqual({
      state: 'as wanted',
      present: ['EC2 instance i-1 (stopping, NodePool default)'],
      differences: []
    })
  })
  await withInstances(ec2({}), async (instances) => {
    expect(await instances.remove(recordedStep(), unrecorded)).toEqual({ outcome: 'absent' })
  })
})

test('an instance that EC2 will not end is an error with what AWS says', async () => {
  const handlers = {
    ...ec2({ 'i-1': { state: 'running', nodePool: 'default' } }),
    TerminateInstances: () => {
      throw new Refusal('OperationNotPermitted', "The instance 'i-1' may not be terminated.")
    }
  }
  await withInstances(handlers, async (instances) => {
    const error = await failure(instances.remove(recordedStep(), unrecorded))
    expect(error.message).toContain("i-1 could not be terminated: OperationNotPermitted: The instance 'i-1'")
    expect(error.fix).toContain('--no-disable-api-termination')
  })
})
