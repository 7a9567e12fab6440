import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import type { Sandbox } from '../sandbox/index.js'

const path = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations'
const name = 'unanswered'

/**
 * Deployments of a namespace are asked about at a webhook that takes the connection and never answers, so that whoever
 * makes one waits for half a minute: time enough to stop it there. Resolves with what ends that.
 */
export async function holdDeployments(sandbox: Sandbox, namespace: string): Promise<() => Promise<void>> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    // The API server ends the connection when its patience is over.
    socket.on('error', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the webhook has no port')
  const { status } = await sandbox.kubernetes('POST', path, {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name },
    webhooks: [
      {
        name: 'unanswered.example.com',
        clientConfig: { url: `https://127.0.0.1:${address.port}/` },
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
        rules: [
          { apiGroups: ['apps'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['deployments'] }
        ],
        failurePolicy: 'Ignore',
        sideEffects: 'None',
        timeoutSeconds: 30,
        admissionReviewVersions: ['v1']
      }
    ]
  })
  if (status !== 201) throw new Error(`ValidatingWebhookConfiguration: the API server answered ${status}`)
  return async () => {
    await sandbox.kubernetes('DELETE', `${path}/${name}`)
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  }
}
