import { awaitSelection, withSelected } from '../../../src/resources/nodes/selection.js'
import type { Step } from '../../../src/engine/resource.js'
import { ec2NodeClasses } from '../../../src/kubernetes/kinds.js'
import { waitsApart } from '../../../src/kubernetes/waits-together.js'
import type { Manifest } from '../../../src/kubernetes/manifest.js'
import { isMap } from '../../../src/engine/json.js'
import { ApiServer } from '../../kubernetes/api-server.js'
import { recordedStep } from '../step.js'

const path = '/apis/karpenter.k8s.aws/v1/ec2nodeclasses/default'
const tagged = { clusterName: 'blue', subnets: ['subnet-1'], securityGroups: ['sg-1', 'sg-2'] }
const ours = [{ tags: { 'karpenter.sh/discovery': 'blue' } }]

let server: ApiServer
beforeEach(async () => {
  server = await ApiServer.start()
})
afterEach(async () => server.stop())

function classWith(groups: readonly string[] | undefined, terms: readonly unknown[] = ours): Manifest {
  const object = {
    apiVersion: 'karpenter.k8s.aws/v1',
    kind: 'EC2NodeClass',
    metadata: { name: 'default' },
    spec: { subnetSelectorTerms: ours, securityGroupSelectorTerms: terms },
    status: {
      subnets: [{ id: 'subnet-1', zone: 'eu-west-1a' }],
      ...(groups !== undefined && { securityGroups: groups.map((id) => ({ id, name: id })) })
    }
  }
  server.put(path, object)
  return object
}

const selected = async (object: Manifest, step: Step): Promise<void> =>
  awaitSelection(server.kubernetes, waitsApart(server.kubernetes, ec2NodeClasses), { object, tagged }, step)

test.each<[string, readonly string[] | undefined, readonly unknown[]]>([
  ['has all that is tagged', ['sg-2', 'sg-1', 'sg-9'], ours],
  ['Karpenter has said nothing of yet', undefined, ours],
  ['finds by tags of its own', ['sg-9'], [{ tags: { team: 'a' } }]],
  ['asks for more than our tag', ['sg-9'], [{ tags: { 'karpenter.sh/discovery': 'blue', team: 'a' } }]],
  ['finds for another cluster', ['sg-9'], [{ tags: { 'karpenter.sh/discovery': 'green' } }]],
  ['names what it finds by its id', ['sg-7'], [{ id: 'sg-7' }]]
])('an EC2NodeClass that %s is not waited for, and costs no request', async (_what, groups, terms) => {
  const object = classWith(groups, terms)
  server.calls.length = 0
  const step = recordedStep()
  await selected(object, step)
  expect([step.waits, step.lines, server.calls]).toEqual([[], [], []])
})

test('a group that was tagged is waited for until the status has it, and Karpenter is asked to look', async () => {
  const object = classWith(['sg-1'])
  const step = recordedStep()
  await selected(object, {
    ...step,
    waiting: (what) => {
      step.waiting(what)
      if (what !== undefined && /rechecked/.test(JSON.stringify(server.at(path)))) classWith(['sg-1', 'sg-2'])
    }
  })
  expect([...new Set(step.waits)]).toEqual([
    'EC2NodeClass default: Karpenter to find security groups sg-2, which it looks for once a minute'
  ])
  expect(step.lines).toEqual([])
})

test('one that does not come is a warning after three minutes', async () => {
  const object = classWith([], [{ id: 'sg-7' }])
  let now = 0
  const step = recordedStep(() => (now += 60_000))
  await selected(object, step)
  expect(step.lines).toEqual([
    expect.stringMatching(
      /^warning: EC2NodeClass default: Karpenter has not found security groups sg-7 within 3 minutes, and makes nodes without/
    )
  ])
})

function statusOf(object: Manifest): Readonly<Record<string, unknown>> {
  const { status } = object
  return isMap(status) ? status : {}
}

test('of a status no more is kept than is looked at, and it is judged as the whole one', async () => {
  const conditions = [{ type: 'Ready', status: 'True' }]
  const whole = classWith(['sg-1', 'sg-2', 'sg-9'], [...ours, { id: 'sg-9' }])
  const found = { ...whole, status: { ...statusOf(whole), conditions, amis: [{ id: 'ami-1' }] } }
  expect(withSelected(found, tagged)).toEqual({
    ...whole,
    status: {
      conditions,
      subnets: [{ id: 'subnet-1' }],
      securityGroups: [{ id: 'sg-1' }, { id: 'sg-2' }, { id: 'sg-9' }]
    }
  })
  const { apiVersion, kind, metadata } = whole
  const unseen = { apiVersion, kind, metadata }
  expect(withSelected(unseen, tagged)).toBe(unseen)
  server.calls.length = 0
  const step = recordedStep()
  await selected(withSelected(whole, tagged), step)
  expect([step.waits, server.calls]).toEqual([[], []])
})
