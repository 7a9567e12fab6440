import { expect, test } from '@jest/globals'
import type { ApiAnswer, ApiClient, ApiRequest } from '../../../sandbox/nodes/api-client.js'
import { Pods } from '../../../sandbox/nodes/pods.js'

const node = {
  name: 'node-1',
  identity: { username: 'system:node:node-1', groups: ['system:nodes'] },
  allocatable: {}
}
const pod = {
  metadata: { name: 'web', namespace: 'default', uid: 'u-1' },
  spec: { nodeName: 'node-1', containers: [{ name: 'web', image: 'nginx' }] }
}

/** Runs the pod above against answers given in turn, the last of them for good; resolves when all were given. */
async function statuses(answers: readonly (ApiAnswer | Error)[]): Promise<readonly ApiRequest[]> {
  const sent: ApiRequest[] = []
  const log: string[] = []
  const done = Promise.withResolvers<readonly ApiRequest[]>()
  const api: ApiClient = {
    request: async (request) => {
      sent.push(request)
      const answer = answers[sent.length - 1]
      if (sent.length === answers.length) done.resolve(sent)
      if (answer instanceof Error || answer === undefined) throw answer ?? new Error('asked once too often')
      return answer
    },
    watch: () => ({ stop: () => undefined }),
    close: () => undefined
  }
  const pods = new Pods({
    api,
    node: () => node,
    imageExists: () => true,
    controllerBinary: () => undefined,
    folder: '/nowhere',
    apiEndpoint: 'https://127.0.0.1:1',
    apiCaData: '',
    cloudUrl: 'http://127.0.0.1:1',
    agentUrl: () => '',
    network: async () => ({ dns: true, api: true }),
    containerTime: 0,
    log: (line) => log.push(line),
    onProcess: () => undefined
  })
  pods.take('ADDED', pod)
  await done.promise
  await pods.stop()
  expect(log).toHaveLength(answers.length - 1)
  return sent
}

test('a status that the API server did not take is sent again', async () => {
  const sent = await statuses([
    { status: 409, body: { message: 'the object has been modified' } },
    new Error('ECONNRESET'),
    { status: 200, body: {} }
  ])
  expect(sent.map(({ path }) => path)).toEqual(Array(3).fill('/api/v1/namespaces/default/pods/web/status'))
})

test('the status of a pod that is gone is sent once', async () => {
  expect(await statuses([{ status: 404, body: { message: 'not found' } }])).toHaveLength(1)
})
