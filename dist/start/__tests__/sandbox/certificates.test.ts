import { X509Certificate, createPrivateKey } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer, type TLSSocket } from 'node:tls'
import type { AddressInfo } from 'node:net'
import { createAuthority } from '../../sandbox/certificates.js'

describe('an authority', () => {
  it('issues certificates that it has signed, for the names and the groups asked for', async () => {
    const authority = await createAuthority('sandbox')
    const issued = await authority.issue({
      commonName: 'admin',
      organization: ['system:masters', 'system:nodes'],
      dnsNames: ['*.eks.amazonaws.com', 'localhost'],
      ipAddresses: ['127.0.0.1'],
      usage: 'client'
    })
    const certificate = new X509Certificate(issued.certPem)
    expect(certificate.verify(new X509Certificate(authority.certPem).publicKey)).toBe(true)
    expect(certificate.checkIssued(new X509Certificate(authority.certPem))).toBe(true)
    expect(certificate.checkPrivateKey(createPrivateKey(issued.keyPem))).toBe(true)
    expect(certificate.subject.split('\n')).toEqual(['O=system:masters', 'O=system:nodes', 'CN=admin'])
    expect(certificate.subjectAltName).toBe('DNS:*.eks.amazonaws.com, DNS:localhost, IP Address:127.0.0.1')
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2'])
    expect(certificate.ca).toBe(false)
  })

  it('vouches for a TLS server and for the client that calls it', async () => {
    const authority = await createAuthority('sandbox')
    const own = await authority.issue({ commonName: 'server', dnsNames: ['localhost'], usage: 'server' })
    const caller = await authority.issue({ commonName: 'caller', usage: 'client' })
    const server = createServer({
      cert: own.certPem,
      key: own.keyPem,
      ca: authority.certPem,
      requestCert: true,
      rejectUnauthorized: true
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const accepted = once(server, 'secureConnection') as Promise<[TLSSocket]>
    const { port } = server.address() as AddressInfo
    const client = connect({
      host: '127.0.0.1',
      port,
      servername: 'localhost',
      ca: authority.certPem,
      cert: caller.certPem,
      key: caller.keyPem
    })
    await once(client, 'secureConnect')
    const [socket] = await accepted
    expect(client.authorized).toBe(true)
    expect(socket.getPeerCertificate().subject.CN).toBe('caller')
    client.destroy()
    socket.destroy()
    server.close()
  })
})
