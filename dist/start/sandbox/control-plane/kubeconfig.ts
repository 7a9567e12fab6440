import type { IssuedCertificate } from '../certificates.js'

/** A kubeconfig, as the JSON that every reader of YAML takes. */
export function kubeconfig(
  server: string,
  caPem: string | undefined,
  user: IssuedCertificate | undefined
): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: 'sandbox',
        cluster: { server, ...(caPem === undefined ? {} : { 'certificate-authority-data': base64(caPem) }) }
      }
    ],
    users: [
      {
        name: 'sandbox',
        user:
          user === undefined
            ? {}
            : { 'client-certificate-data': base64(user.certPem), 'client-key-data': base64(user.keyPem) }
      }
    ],
    contexts: [{ name: 'sandbox', context: { cluster: 'sandbox', user: 'sandbox' } }],
    'current-context': 'sandbox'
  })
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}
