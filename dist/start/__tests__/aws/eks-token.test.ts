import { eksTokens } from '../../src/aws/eks-token.js'
import { UserError } from '../../src/engine/errors.js'

describe('The EKS token', () => {
  it('is a presigned GetCallerIdentity at the STS endpoint for this cluster, and is kept for 14 minutes', async () => {
    const clock = { now: Date.UTC(2026, 10, 24, 12) }
    const masked: string[] = []
    const token = eksTokens(
      {
        account: {
          id: '1',
          partition: 'aws',
          region: 'eu-west-1',
          urlSuffix: 'amazonaws.com',
          callerArn: ''
        },
        credentials: {
          source: '',
          get: async () => ({ accessKeyId: 'AKID', secretAccessKey: 's', sessionToken: 't/+=' }),
          renew: async () => undefined,
          expired: () => new UserError('a', 'b', 'c')
        },
        stsEndpoint: new URL('https://sts.eu-west-1.amazonaws.com')
      },
      'blue',
      { now: () => clock.now, mask: (secret) => void masked.push(secret) }
    )
    const first = await token()
    expect(first.token).toMatch(/^k8s-aws-v1\.[\w-]+$/)
    const url = new URL(Buffer.from(first.token.slice('k8s-aws-v1.'.length), 'base64url').toString())
    expect(url.origin).toBe('https://sts.eu-west-1.amazonaws.com')
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      Action: 'GetCallerIdentity',
      Version: '2011-06-15',
      'X-Amz-Expires': '60',
      'X-Amz-SignedHeaders': 'host;x-k8s-aws-id',
      'X-Amz-Security-Token': 't/+=',
      'X-Amz-Date': '20261124T120000Z'
    })
    expect(masked).toEqual([first.token])
    clock.now += 13 * 60_000
    expect((await token()).token).toBe(first.token)
    clock.now += 61_000
    expect((await token()).token).not.toBe(first.token)
  })
})
