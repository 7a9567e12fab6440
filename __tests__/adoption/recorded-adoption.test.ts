import { recordedAdoption } from '../../src/adoption/adopt.js'
import { termsOf } from '../../src/adoption/terms.js'
import { idOf } from '../../src/resources/ids.js'
import { ApiServer } from '../kubernetes/api-server.js'
import { factsOf, nodeClass } from './found.js'

let server: ApiServer
beforeEach(async () => {
  server = await ApiServer.start()
})
afterEach(async () => server.stop())

test('what a run that was killed has only announced to take over is as it stands in the cluster', async () => {
  const terms = termsOf(factsOf({}))
  if (terms.kind !== 'compatible') throw new Error('not compatible')
  const pool = { apiVersion: 'karpenter.sh/v1', kind: 'NodePool', metadata: { name: 'gone' }, spec: {} }
  server.put('/apis/karpenter.k8s.aws/v1/ec2nodeclasses/default', { ...nodeClass })
  const announced = { before: ['EC2NodeClass default'], adopted: true, wanted: undefined } as const
  const adopted = await recordedAdoption({
    kubernetes: server.kubernetes,
    record: {
      schema: 1,
      karpenterVersion: '1.2.1',
      run: 'local',
      time: '2026-11-30T00:00:00Z',
      adoption: terms.adopted.adoption,
      resources: {
        [idOf.ec2NodeClass('default')]: announced,
        [idOf.ec2NodeClass('deleted-since')]: announced,
        [idOf.nodePool('gone')]: { before: [], adopted: true, wanted: pool }
      }
    }
  })
  expect(adopted?.nodeClasses.map(({ metadata, spec }) => [metadata, spec])).toEqual([
    [{ name: 'default' }, nodeClass['spec']]
  ])
  expect(adopted?.nodePools).toEqual([pool])
})
