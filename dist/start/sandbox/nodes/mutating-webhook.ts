import { createServer } from 'node:https'
import type { Authority } from '../certificates.js'
import { listen } from '../listen.js'
import { record, text } from '../values.js'
import type { ApiClient } from './api-client.js'

/** A webhook that changes what is written: EKS's own do so with pods as they are created. */
export interface MutatingWebhookOptions {
  readonly api: Pick<ApiClient, 'request'>
  readonly authority: Authority
  /** Of the MutatingWebhookConfiguration: webhooks are called in the order of these names. */
  readonly configuration: string
  readonly name: string
  /** What it is called for; pods that are created when absent. */
  readonly rules?: readonly object[]
  /** Operations of a JSON patch (RFC 6902); none leaves the object as it is. */
  readonly patch: (object: Readonly<Record<string, unknown>>, namespace: string) => Promise<readonly object[]>
}

/**
 * Milliseconds, longer than the API server keeps a connection that it does not use (90 s): a call on one that ends in that
 * moment fails, and the pod is let through as it is.
 */
const keepAliveTimeout = 120_000

/** Serves a webhook on loopback and registers it; as on EKS, a pod is let through when it does not answer. */
export async function startMutatingWebhook(
  options: MutatingWebhookOptions
): Promise<{ stop(): Promise<void> }> {
  const { certPem, keyPem } = await options.authority.issue({
    commonName: options.configuration,
    dnsNames: ['localhost'],
    ipAddresses: ['127.0.0.1'],
    usage: 'server'
  })
  const server = createServer({ cert: certPem, key: keyPem, keepAliveTimeout }, (request, response) => {
    let body = ''
    request.setEncoding('utf8')
    request.on('data', (chunk: string) => (body += chunk))
    request.on('end', () => {
      review(options, body).then(
        (answer) => {
          response.writeHead(200, { 'content-type': 'application/json' })
          response.end(answer)
        },
        (error: unknown) => {
          response.writeHead(500)
          response.end(String(error))
        }
      )
    })
  })
  const listening = await listen(server)
  const created = await options.api.request({
    method: 'POST',
    path: '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations',
    body: {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'MutatingWebhookConfiguration',
      metadata: { name: options.configuration },
      webhooks: [
        {
          name: options.name,
          admissionReviewVersions: ['v1'],
          sideEffects: 'None',
          failurePolicy: 'Ignore',
          reinvocationPolicy: 'IfNeeded',
          clientConfig: {
            url: `https://127.0.0.1:${listening.port}/mutate`,
            caBundle: Buffer.from(options.authority.certPem).toString('base64')
          },
          rules: options.rules ?? [
            { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }
          ]
        }
      ]
    }
  })
  if (created.status !== 201) {
    await listening.close()
    throw new Error(`${options.configuration}: the API server answered ${created.status}`)
  }
  return { stop: listening.close }
}

async function review(options: MutatingWebhookOptions, body: string): Promise<string> {
  const request = record(record(JSON.parse(body))['request'])
  const patch = await options.patch(record(request['object']), text(request['namespace']) ?? '')
  return JSON.stringify({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response: {
      uid: request['uid'],
      allowed: true,
      ...(patch.length === 0
        ? {}
        : { patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(patch)).toString('base64') })
    }
  })
}
