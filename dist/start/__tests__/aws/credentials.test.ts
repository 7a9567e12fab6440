import { GetRoleCommand } from '@aws-sdk/client-iam'
import { connectAws, type ConnectInputs, type ConnectPorts } from '../../src/aws/connect.js'
import { failure } from './failure.js'
import { Refusal, standIn, type Handlers, type StandIn } from './stand-in.js'

const roleArn = 'arn:aws:iam::111122223333:role/deployer'

function jwt(claims: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part({ alg: 'RS256' })}.${part(claims)}.c2lnbmF0dXJl`
}

const claims = {
  iss: 'https://token.actions.githubusercontent.com',
  sub: 'repo:Org/repo:ref:refs/heads/main',
  aud: 'sts.amazonaws.com',
  repository: 'Org/repo',
  repository_id: '42',
  repository_owner_id: '7'
}

const session = (id: string, secondsLeft: number) => ({
  Credentials: {
    AccessKeyId: id,
    SecretAccessKey: `secret-of-${id}`,
    SessionToken: `session-of-${id}`,
    Expiration: new Date(Date.now() + secondsLeft * 1000).toISOString()
  }
})

const caller = {
  Arn: 'arn:aws:sts::111122223333:assumed-role/deployer/run',
  Account: '111122223333',
  UserId: 'AROA:run'
}

interface Run {
  readonly server: StandIn
  readonly masked: string[]
  readonly audiences: string[]
  readonly connect: (
    inputs?: Partial<ConnectInputs>,
    ports?: Partial<ConnectPorts>
  ) => ReturnType<typeof connectAws>
}

async function withAws(handlers: Handlers, test: (run: Run) => Promise<void>): Promise<void> {
  const server = await standIn(handlers)
  process.env['AWS_ENDPOINT_URL'] = server.url
  const [masked, audiences]: [string[], string[]] = [[], []]
  try {
    await test({
      server,
      masked,
      audiences,
      connect: async (inputs, ports) =>
        connectAws(
          {
            region: 'eu-west-1',
            credentials: {
              kind: 'oidc',
              roleArn,
              sessionName: 'run',
              durationSeconds: 3600,
              audience: undefined
            },
            allowedAccountIds: [],
            ...inputs
          },
          {
            env: { ACTIONS_ID_TOKEN_REQUEST_URL: 'http://x', ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'x' },
            idToken: async (audience) => {
              audiences.push(audience)
              return jwt({ ...claims, aud: audience })
            },
            mask: (secret) => void masked.push(secret),
            pause: async () => undefined,
            now: Date.now,
            ...ports
          }
        )
    })
  } finally {
    await server.close()
  }
}

describe('Credentials by GitHub OIDC', () => {
  it('prove the caller, and hide token, secret and session from the first moment', async () => {
    await withAws(
      { AssumeRoleWithWebIdentity: () => session('A', 3600), GetCallerIdentity: () => caller },
      async ({ connect, server, masked }) => {
        const aws = await connect()
        expect(aws.account).toEqual({
          id: '111122223333',
          partition: 'aws',
          region: 'eu-west-1',
          urlSuffix: 'amazonaws.com',
          callerArn: caller.Arn
        })
        expect(server.calls).toEqual(['AssumeRoleWithWebIdentity', 'GetCallerIdentity'])
        expect(masked).toEqual([jwt(claims), 'secret-of-A', 'session-of-A'])
        expect(aws.credentials.source).toBe(`role ${roleArn} by GitHub OIDC`)
        expect(server.headers[1]?.['user-agent']).toContain('app/setup-karpenter')
        expect(aws.requests.all.map((request) => [request.service, request.action, request.attempt])).toEqual(
          [
            ['sts', 'AssumeRoleWithWebIdentity', 1],
            ['sts', 'GetCallerIdentity', 1]
          ]
        )
        aws.destroy()
      }
    )
  })

  it('without id-token permission fail before any call, with the YAML to add', async () => {
    await withAws({}, async ({ connect, server }) => {
      const error = await failure(connect({}, { env: {} }))
      expect(error.message).toMatch(/^role-to-assume: .*ACTIONS_ID_TOKEN_REQUEST_URL/)
      expect(error.fix).toContain('id-token: write')
      expect(error.fix).toMatch(/fork.*Dependabot/s)
      expect(server.calls).toEqual([])
    })
  })

  it('say that STS cannot be reached, and not that the role is wrong, when it gives no answer', async () => {
    const away = () => {
      throw new Refusal('ServiceUnavailable', 'away', 503)
    }
    await withAws({ AssumeRoleWithWebIdentity: away }, async ({ connect, server }) => {
      const error = await failure(connect())
      expect(error.message).toMatch(/^region: STS in eu-west-1 could not be reached: .*away/)
      expect(error.fix).toContain('HTTPS_PROXY')
      expect(server.calls).toHaveLength(3)
    })
  })

  it('ask for a new token in every try, and try three times when AWS has trouble', async () => {
    let answers = 0
    await withAws(
      {
        AssumeRoleWithWebIdentity: () => {
          if (++answers < 3) throw new Refusal('InternalFailure', 'try again', 500)
          return session('A', 3600)
        },
        GetCallerIdentity: () => caller
      },
      async ({ connect, audiences }) => {
        const aws = await connect()
        expect(audiences).toHaveLength(3)
        aws.destroy()
      }
    )
  })

  it.each([
    ['IDPCommunicationError', 'There was an error communicating with the identity provider'],
    [
      'InvalidIdentityToken',
      "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements"
    ]
  ])(
    'are tried three times, seconds apart, when STS does not reach the issuer (%s)',
    async (code, message) => {
      let answers = 0
      const pauses: number[] = []
      const pause = async (milliseconds: number) => void pauses.push(milliseconds)
      const refuse = (upTo: number) => () => {
        if (++answers <= upTo) throw new Refusal(code, message)
        return session('A', 3600)
      }
      await withAws(
        { AssumeRoleWithWebIdentity: refuse(2), GetCallerIdentity: () => caller },
        async ({ connect, audiences }) => {
          const aws = await connect({}, { pause })
          expect(audiences).toHaveLength(3)
          expect(pauses).toEqual([3_000, 6_000])
          aws.destroy()
        }
      )
      answers = 0
      await withAws({ AssumeRoleWithWebIdentity: refuse(9) }, async ({ connect, server }) => {
        const error = await failure(connect({}, { pause }))
        expect(error.message).toMatch(/^role-to-assume: STS could not read the keys of /)
        expect(error.fix).toMatch(/^Run again/)
        expect(server.calls).toHaveLength(3)
      })
    }
  )

  it('denied once are not asked for again; the error shows both forms of the subject and never the token', async () => {
    await withAws(
      {
        AssumeRoleWithWebIdentity: () => {
          throw new Refusal('AccessDenied', 'Not authorized to perform sts:AssumeRoleWithWebIdentity', 403)
        }
      },
      async ({ connect, server }) => {
        const error = await failure(connect())
        expect(server.calls).toHaveLength(1)
        expect(error.message).toContain('sub                  repo:Org/repo:ref:refs/heads/main')
        expect(error.message).toContain('repository_owner_id  7')
        expect(error.fix).toContain(
          '"token.actions.githubusercontent.com:sub": "repo:Org/repo:ref:refs/heads/main"'
        )
        expect(error.fix).toContain(
          '"token.actions.githubusercontent.com:sub": "repo:Org@7/repo@42:ref:refs/heads/main"'
        )
        expect(error.fix).toContain(
          'arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com'
        )
        expect(error.message + error.fix).not.toContain(jwt(claims))
        expect(error.message + error.fix).not.toContain('c2lnbmF0dXJl')
      }
    )
  })

  it.each([
    ['InvalidIdentityToken', 'Incorrect token audience', /^audience: /],
    [
      'InvalidIdentityToken',
      'No OpenIDConnect provider found in your account for https://token.actions.githubusercontent.com',
      /has no IAM OIDC provider/
    ],
    [
      'ValidationError',
      'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
      /^role-duration-seconds: 3600/
    ]
  ])('refused with %s "%s" have their own message', async (code, message, expected) => {
    await withAws(
      {
        AssumeRoleWithWebIdentity: () => {
          throw new Refusal(code, message, 400)
        }
      },
      async ({ connect, server }) => {
        expect((await failure(connect())).message).toMatch(expected)
        expect(server.calls).toHaveLength(1)
      }
    )
  })

  it.each([
    [
      'Error message: Failed to get ID Token. \n \n        Error Code : 403\n \n        Error Message: denied',
      1
    ],
    [
      'Error message: Failed to get ID Token. \n \n        Error Code : undefined\n \n        Error Message: connect ECONNREFUSED',
      3
    ]
  ])('whose token is refused (%j) are asked for %d times', async (text, times) => {
    await withAws({}, async ({ connect }) => {
      let asked = 0
      const error = await failure(
        connect(
          {},
          {
            idToken: async () => {
              asked++
              throw new Error(text)
            }
          }
        )
      )
      expect(asked).toBe(times)
      expect(error.message).not.toContain('\n')
    })
  })

  it('take the China audience in China', async () => {
    await withAws(
      {
        AssumeRoleWithWebIdentity: () => session('A', 3600),
        GetCallerIdentity: () => ({
          ...caller,
          Arn: 'arn:aws-cn:sts::111122223333:assumed-role/deployer/run'
        })
      },
      async ({ connect, audiences }) => {
        const aws = await connect({ region: 'cn-north-1' })
        expect(audiences).toEqual(['sts.amazonaws.com.cn'])
        expect(aws.account).toMatchObject({ partition: 'aws-cn', urlSuffix: 'amazonaws.com.cn' })
        aws.destroy()
      }
    )
  })

  it('of a partition whose names are not known end the run', async () => {
    const Arn = 'arn:aws-eusc:sts::111122223333:assumed-role/deployer/run'
    const named = () => ({ ...caller, Arn })
    const calls = { AssumeRoleWithWebIdentity: () => session('A', 3600), GetCallerIdentity: named }
    await withAws(calls, async ({ connect }) => {
      const refused = connect({ region: 'eusc-de-east-1' })
      await expect(refused).rejects.toThrow(/^region: eusc-de-east-1 is in partition aws-eusc, and this/)
    })
  })

  it('of an account that is not allowed end the run', async () => {
    await withAws(
      { AssumeRoleWithWebIdentity: () => session('A', 3600), GetCallerIdentity: () => caller },
      async ({ connect }) => {
        const error = await failure(connect({ allowedAccountIds: ['999999999999'] }))
        expect(error.message).toMatch(/^allowed-account-ids: .*111122223333.*999999999999/)
      }
    )
  })

  it('are renewed when AWS says that they expired, and the call is made again', async () => {
    let sessions = 0
    const used: (string | undefined)[] = []
    const state: { server?: StandIn } = {}
    await withAws(
      {
        AssumeRoleWithWebIdentity: () => session(`KEY${++sessions}`, 3600),
        GetCallerIdentity: () => caller,
        GetRole: () => {
          const key = /Credential=(\w+)/.exec(state.server?.headers.at(-1)?.authorization ?? '')?.[1]
          used.push(key)
          if (key === 'KEY1')
            throw new Refusal('ExpiredToken', 'The security token included in the request is expired', 403)
          return { Role: { RoleName: 'x', Arn: 'arn' } }
        }
      },
      async ({ connect, server }) => {
        state.server = server
        const aws = await connect()
        const { Role } = await (await aws.iam()).send(new GetRoleCommand({ RoleName: 'x' }))
        expect(Role?.RoleName).toBe('x')
        expect(used).toEqual(['KEY1', 'KEY2'])
        aws.destroy()
      }
    )
  })

  it('are renewed before they expire', async () => {
    let sessions = 0
    const clock = { now: Date.now() }
    await withAws(
      {
        AssumeRoleWithWebIdentity: () => session(`KEY${++sessions}`, 900 * sessions),
        GetCallerIdentity: () => caller
      },
      async ({ connect }) => {
        const aws = await connect({}, { now: () => clock.now })
        expect((await aws.credentials.get()).accessKeyId).toBe('KEY1')
        clock.now += 700_000
        expect((await aws.credentials.get()).accessKeyId).toBe('KEY2')
        expect((await aws.credentials.get()).accessKeyId).toBe('KEY2')
        aws.destroy()
      }
    )
  })

  it('that cannot be renewed end with an error of their own', async () => {
    let sessions = 0
    await withAws(
      {
        AssumeRoleWithWebIdentity: () => {
          if (++sessions > 1) throw new Refusal('AccessDenied', 'no more', 403)
          return session('KEY1', 3600)
        },
        GetCallerIdentity: () => caller,
        GetRole: () => {
          throw new Refusal('ExpiredToken', 'expired', 403)
        }
      },
      async ({ connect }) => {
        const aws = await connect()
        const iam = await aws.iam()
        const error = await failure(iam.send(new GetRoleCommand({ RoleName: 'x' })))
        expect(error.message).toContain('expired during the run')
        aws.destroy()
      }
    )
  })
})

describe('Credentials by the standard chain', () => {
  it('come from the environment, and say so', async () => {
    await withAws({ GetCallerIdentity: () => caller }, async ({ connect, masked }) => {
      const env = {
        AWS_ACCESS_KEY_ID: 'ENVKEY',
        AWS_SECRET_ACCESS_KEY: 'env-secret',
        AWS_SESSION_TOKEN: 'env-session',
        AWS_CREDENTIAL_EXPIRATION: '2126-01-01T00:00:00Z'
      }
      const aws = await connect({ credentials: { kind: 'chain' } }, { env })
      expect(aws.credentials.source).toBe('environment variables')
      expect(await aws.credentials.get()).toMatchObject({
        accessKeyId: 'ENVKEY',
        sessionToken: 'env-session',
        expiration: new Date(Date.UTC(2126, 0, 1))
      })
      expect(masked).toEqual(['env-secret', 'env-session'])
      aws.destroy()
    })
  })
})
