import { createServer } from 'node:https'
import { createAuthority } from '../sandbox/certificates.js'
import type { Sandbox } from '../sandbox/index.js'
import { listen } from '../sandbox/listen.js'
import { record } from '../sandbox/values.js'

const path = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations'
const name = 'policies'

export interface WebhookScene {
  /** `dead`: nobody listens at its address. */
  readonly answer: 'dead' | { readonly denies: string }
  readonly apiGroup: string
  readonly resource: string
  /** Every namespace, and what has none, when absent. */
  readonly namespace?: string
}

/** Runs while a validating webhook, of which failures count, is asked about whatever is made of a resource. */
export async function withWebhook<T>(
  sandbox: Sandbox,
  scene: WebhookScene,
  run: () => Promise<T>
): Promise<T> {
  const authority = await createAuthority(name)
  const { certPem, keyPem } = await authority.issue({
    commonName: name,
    dnsNames: ['localhost'],
    ipAddresses: ['127.0.0.1'],
    usage: 'server'
  })
  const server = createServer({ cert: certPem, key: keyPem }, (request, response) => {
    let body = ''
    request.setEncoding('utf8')
    request.on('data', (chunk: string) => (body += chunk))
    request.on('end', () => {
      const { uid } = record(record(JSON.parse(body))['request'])
      const message = scene.answer === 'dead' ? '' : scene.answer.denies
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(
        JSON.stringify({
          apiVersion: 'admission.k8s.io/v1',
          kind: 'AdmissionReview',
          response: { uid, allowed: false, status: { code: 403, message } }
        })
      )
    })
  })
  const listening = await listen(server)
  if (scene.answer === 'dead') await listening.close()
  const created = await sandbox.kubernetes('POST', path, {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name },
    webhooks: [
      {
        name: 'validate.policies.example.com',
        clientConfig: {
          url: `https://127.0.0.1:${listening.port}/validate`,
          caBundle: Buffer.from(authority.certPem).toString('base64')
        },
        rules: [
          {
            apiGroups: [scene.apiGroup],
            apiVersions: ['*'],
            operations: ['CREATE', 'UPDATE'],
            resources: [scene.resource]
          }
        ],
        ...(scene.namespace !== undefined && {
          namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': scene.namespace } }
        }),
        failurePolicy: 'Fail',
        sideEffects: 'None',
        timeoutSeconds: 5,
        admissionReviewVersions: ['v1']
      }
    ]
  })
  if (created.status !== 201)
    throw new Error(`ValidatingWebhookConfiguration: the API server answered ${created.status}`)
  try {
    return await run()
  } finally {
    await sandbox.kubernetes('DELETE', `${path}/${name}`)
    if (scene.answer !== 'dead') await listening.close()
  }
}
