import { showingWhatStands } from '../../../src/resources/controller/uninstall-watch.js'
import { ApiServer } from '../../kubernetes/api-server.js'
import { recordedStep } from '../step.js'

const path = '/apis/apps/v1/namespaces/karpenter/deployments/karpenter'
const podPath = '/api/v1/namespaces/karpenter/pods/karpenter-1'
const deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: {
    name: 'karpenter',
    namespace: 'karpenter',
    deletionTimestamp: '2026-01-01T00:00:00Z',
    finalizers: ['example.com/audit']
  }
}
const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: 'karpenter-1',
    namespace: 'karpenter',
    labels: { 'app.kubernetes.io/instance': 'karpenter' }
  },
  spec: { nodeName: 'ip-1', containers: [] }
}

let server: ApiServer
beforeEach(async () => {
  server = await ApiServer.start()
})
afterEach(async () => server.stop())

test('while helm uninstalls, it is shown what still stands, and what holds it', async () => {
  server.put(path, deployment)
  server.put(podPath, pod)
  const kind = await server.kubernetes.kindOf('apps/v1', 'Deployment')
  if (kind === undefined) throw new Error('no kind')
  const step = recordedStep()
  const objects = async () => Promise.resolve([{ kind, ...deployment.metadata }])
  const seen = async (text: string): Promise<void> => {
    while (step.waits.at(-1) !== text) await new Promise((resolve) => setImmediate(resolve))
  }
  await showingWhatStands(
    server.kubernetes,
    { name: 'karpenter', namespace: 'karpenter', objects },
    step,
    async () => {
      await seen(
        'helm to uninstall karpenter: Deployment karpenter, held by finalizer example.com/audit; Pod karpenter-1 on ip-1'
      )
      server.remove(path)
      await seen('helm to uninstall karpenter: Pod karpenter-1 on ip-1')
      server.remove(podPath)
      await seen('helm to uninstall karpenter')
    }
  )
  const shown = step.waits.length
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(step.waits).toHaveLength(shown)
  expect(step.waits[0]).toBe('helm to uninstall karpenter')
})

test("an error of helm's is thrown, and what cannot be read is not shown", async () => {
  const step = recordedStep()
  const failing = showingWhatStands(
    server.kubernetes,
    { name: 'karpenter', namespace: 'karpenter', objects: async () => Promise.resolve([]) },
    step,
    async () => Promise.reject(new Error('timed out'))
  )
  await expect(failing).rejects.toThrow('timed out')
  expect(step.waits).toEqual(['helm to uninstall karpenter'])
})
