import type { Aws } from '../../src/aws/clients.js'
import type { AnyResource } from '../../src/engine/resource.js'
import { crds } from '../../src/resources/controller/crds.js'
import { flowSchemas } from '../../src/resources/controller/flow-schemas.js'
import { namespace } from '../../src/resources/controller/namespace.js'
import { ec2NodeClass } from '../../src/resources/nodes/ec2-node-class.js'
import { nodePool, type NodeObjectPorts } from '../../src/resources/nodes/node-pool.js'
import { RemovalView } from '../../src/resources/removal/removal-view.js'
import { awsWith } from '../aws/stand-in.js'
import { ApiServer, status } from '../kubernetes/api-server.js'
import { recordedStep } from './step.js'
import { inspect, ownership } from './walk-one.js'

let server: ApiServer
let ports: NodeObjectPorts
let aws: Aws
let closeAws: () => Promise<void>
beforeAll(async () => {
  ;({ aws, close: closeAws } = await awsWith({}))
})
afterAll(async () => closeAws())
beforeEach(async () => {
  server = await ApiServer.start()
  ports = {
    kubernetes: server.kubernetes,
    ownership,
    dependsOn: [],
    removal: { aws, forceDrain: false, view: new RemovalView(server.kubernetes) }
  }
})
afterEach(async () => server.stop())

const pool = {
  apiVersion: 'karpenter.sh/v1',
  kind: 'NodePool',
  metadata: { name: 'default' },
  spec: {}
}

test.each(['Namespace', 'FlowSchema', 'CustomResourceDefinition', 'NodePool', 'EC2NodeClass'])(
  'a %s that may not be read is not written',
  async (kind) => {
    const crd = { ...pool, kind: 'CustomResourceDefinition', metadata: { name: 'nodepools.karpenter.sh' } }
    const flows = flowSchemas({ namespace: 'karpenter', serviceAccount: 'karpenter' }, ports)
    const kinds: Readonly<Record<string, AnyResource | undefined>> = {
      Namespace: namespace({ name: 'karpenter' }, ports),
      FlowSchema: flows,
      CustomResourceDefinition: crds({ version: '1.14.0', crds: [crd] }, { ...ports, removable: true }),
      NodePool: nodePool(pool, ports),
      EC2NodeClass: ec2NodeClass({ ...pool, apiVersion: 'karpenter.k8s.aws/v1', kind: 'EC2NodeClass' }, ports)
    }
    const one = kinds[kind]
    if (one === undefined) throw new Error(`no ${kind}`)
    server.intercept = (_call, response) => {
      status(response, 403, 'Forbidden', 'no')
      return true
    }
    const found = await inspect(one)
    expect(found.state).toBe('unreadable')
    await expect(found.apply(recordedStep())).rejects.toThrow('could not be read: ')
    expect(server.calls.filter(({ method }) => method !== 'GET')).toEqual([])
  }
)
