import { trustDocument, trustStatement, type Trust } from '../../../src/aws/trust-policy.js'
import {
  controllerRole,
  type ControllerRoleWanted,
  narrowTrust
} from '../../../src/resources/controller/controller-role.js'
import {
  controllerRolePolicies,
  retiredPolicyArns
} from '../../../src/resources/controller/controller-role-policies.js'
import { oidcProvider, oidcProviderArn } from '../../../src/resources/access/oidc-provider.js'
import { spotServiceLinkedRole } from '../../../src/resources/stack/spot-service-linked-role.js'
import { account, awsWith, recordedStep, Refusal, type Handlers } from '../../aws/stand-in.js'
import { failure } from '../../aws/failure.js'
import { inspect, install, ownership, unrecorded } from '../walk-one.js'
import { entries, iam, tagsIn } from './iam-role-account.js'

const issuer = 'https://oidc.eks.eu-west-1.amazonaws.com/id/ABC'
const irsa: Trust = {
  kind: 'irsa',
  providerArn: oidcProviderArn(account, issuer),
  namespace: 'karpenter',
  serviceAccount: 'karpenter'
}
const tags = { team: 'platform', 'setup-karpenter:owner': 'blue' }

const wantedRole: ControllerRoleWanted = {
  clusterName: 'blue',
  roleName: 'blue-karpenter',
  arn: 'arn:aws:iam::111122223333:role/blue-karpenter',
  trust: irsa,
  tags
}

describe('The controller role', () => {
  it('is created with trust in exactly the one service account, tags, and boundary, and waited for', async () => {
    const state: Parameters<typeof iam>[0] = { attached: [], invisible: 3 }
    const { aws, close } = await awsWith(iam(state))
    const permissionsBoundary = 'arn:aws:iam::111122223333:policy/boundary'
    const { before, after, step } = await install(
      controllerRole({ ...wantedRole, permissionsBoundary }, { aws, ownership })
    )
    expect(before.state).toBe('absent')
    expect(after.state).toBe('as wanted')
    expect(step.lines).toEqual(['created IAM role blue-karpenter'])
    expect(step.waits).toContain('IAM role blue-karpenter to be visible')
    expect(state.role?.tags).toEqual({ ...tags, 'setup-karpenter:run': ownership.run })
    expect(JSON.parse(state.role?.trust ?? '')).toEqual({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Principal: {
            Federated: 'arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/ABC'
          },
          Action: 'sts:AssumeRoleWithWebIdentity',
          Condition: {
            StringEquals: {
              'oidc.eks.eu-west-1.amazonaws.com/id/ABC:aud': 'sts.amazonaws.com',
              'oidc.eks.eu-west-1.amazonaws.com/id/ABC:sub': 'system:serviceaccount:karpenter:karpenter'
            }
          }
        }
      ]
    })
    await close()
  })

  const account = {
    Effect: 'Allow',
    Principal: { AWS: 'arn:aws:iam::111122223333:root' },
    Action: 'sts:AssumeRole'
  }
  const loosened = { ...trustStatement(irsa), Condition: {} }

  it('of ours gets its trust back, and trusts nobody else', async () => {
    const state = { role: { trust: trustDocument([account, loosened]), tags: { ...tags } }, attached: [] }
    const { aws, close } = await awsWith(iam(state))
    const { before, after } = await install(controllerRole(wantedRole, { aws, ownership }))
    expect(before.differences).toMatchObject([{ path: 'trust', severity: 'breaks scaling' }])
    expect(after.state).toBe('as wanted')
    expect(JSON.parse(state.role.trust)).toMatchObject({ Statement: [trustStatement(irsa)] })
    await close()
  })

  it.each([
    ['every service account', loosened, 'weakens security'],
    ['the whole account', account, 'weakens security'],
    ['less than it should, by a denial', { ...account, Effect: 'Deny' }, 'breaks scaling']
  ])('of ours that trusts %s besides is reported, and corrected', async (_what, besides, severity) => {
    const state = {
      role: { trust: trustDocument([trustStatement(irsa), besides]), tags: { ...tags } },
      attached: []
    }
    const { aws, close } = await awsWith(iam(state))
    const { before, after } = await install(controllerRole(wantedRole, { aws, ownership }))
    expect(before.differences).toMatchObject([{ path: 'trust', live: [besides], severity }])
    expect(after.state).toBe('as wanted')
    await close()
  })

  it('of ours goes on trusting those whom running pods need, and nobody else for their sake', async () => {
    const podIdentity: Trust = { kind: 'pod-identity' }
    for (const [before, after] of [
      [[podIdentity], [irsa, podIdentity]],
      [[], [irsa]]
    ] as const) {
      const state = {
        role: { trust: trustDocument([loosened, ...before.map(trustStatement)]), tags: { ...tags } },
        attached: []
      }
      const { aws, close } = await awsWith(iam(state))
      const role = controllerRole(wantedRole, { aws, ownership, stillUsed: async () => [podIdentity] })
      await (await inspect(role)).apply(recordedStep())
      expect(JSON.parse(state.role.trust)).toMatchObject({ Statement: after.map(trustStatement) })
      await close()
    }
  })

  it.each([
    ['of ours is narrowed to the one', tags, [irsa]],
    ["of somebody else's keeps whom it trusts", {}, [irsa, { kind: 'pod-identity' }]]
  ] as const)('%s when nothing that runs needs more', async (_what, own, after) => {
    const both: readonly Trust[] = [irsa, { kind: 'pod-identity' }]
    const state = { role: { trust: trustDocument(both.map(trustStatement)), tags: { ...own } }, attached: [] }
    const { aws, close } = await awsWith(iam(state))
    await narrowTrust(aws, { name: 'blue-karpenter', clusterName: 'blue', trust: irsa }, recordedStep())
    expect(JSON.parse(state.role.trust)).toMatchObject({ Statement: after.map(trustStatement) })
    await close()
  })

  it('of somebody else that trusts the account is taken as it is', async () => {
    const state = {
      role: { trust: trustDocument([{ Sid: 'Eksctl', ...trustStatement(irsa) }]), tags: {} },
      attached: []
    }
    const { aws, server, close } = await awsWith(iam(state))
    expect((await inspect(controllerRole(wantedRole, { aws, ownership }))).state).toBe('as wanted')
    expect(server.calls).toEqual(['GetRole'])
    await close()
  })

  it.each([
    ['trusts something else', { trust: trustDocument([]), tags: {} }],
    ['lies under another path', { trust: trustDocument([trustStatement(irsa)]), tags: {}, path: '/own/' }]
  ])('of somebody else that %s is refused and left alone', async (_why, role) => {
    const { aws, server, close } = await awsWith(iam({ role, attached: [] }))
    const error = await failure(install(controllerRole(wantedRole, { aws, ownership })))
    expect(error.message).toMatch(/^controller-role-name: /)
    expect(error.state).toBe('Nothing was changed.')
    expect(error.fix).toContain('system:serviceaccount:karpenter:karpenter')
    expect(server.calls.filter((call) => !call.startsWith('Get'))).toEqual([])
    await close()
  })

  it('is deleted with its attachments when it is ours, and kept when it is not', async () => {
    const state: Parameters<typeof iam>[0] = {
      role: { trust: trustDocument([]), tags: { ...tags } },
      attached: ['arn:aws:iam::111122223333:policy/x']
    }
    const { aws, close } = await awsWith(iam(state))
    const resource = controllerRole(wantedRole, { aws, ownership })
    expect(await resource.remove(recordedStep(), unrecorded)).toEqual({ outcome: 'removed' })
    expect(await resource.remove(recordedStep(), unrecorded)).toEqual({ outcome: 'absent' })
    state.role = { trust: trustDocument([]), tags: {} }
    expect(await resource.remove(recordedStep(), unrecorded)).toMatchObject({ outcome: 'kept' })
    await close()
  })
})

describe("The controller role's policies", () => {
  const arn = (name: string) => `arn:aws:iam::111122223333:policy/${name}-blue`
  const policyArns = ['KarpenterControllerNodeLifecyclePolicy', 'KarpenterControllerInterruptionPolicy'].map(
    arn
  )
  const wanted = {
    clusterName: 'blue',
    roleName: 'blue-karpenter',
    policyArns,
    retiredPolicyArns: retiredPolicyArns(account, 'blue', policyArns)
  }

  it('of the new version are attached; the old ones stay, and those of others', async () => {
    const state: Parameters<typeof iam>[0] = {
      role: { trust: trustDocument([]), tags: {} },
      attached: [arn('KarpenterControllerPolicy'), 'arn:aws:iam::111122223333:policy/own']
    }
    const { aws, server, close } = await awsWith(iam(state))
    const { after, step } = await install(controllerRolePolicies(wanted, { aws, keep: () => undefined }))
    expect(after.state).toBe('as wanted')
    expect(state.attached.toSorted()).toEqual(
      ['arn:aws:iam::111122223333:policy/own', arn('KarpenterControllerPolicy'), ...policyArns].toSorted()
    )
    expect(server.calls).not.toContain('DetachRolePolicy')
    expect(step.notes).toEqual(["left alone: own, not of Karpenter's stack"])
    await close()
  })

  it('are waited for while IAM does not see them yet', async () => {
    const state: Parameters<typeof iam>[0] = { role: { trust: trustDocument([]), tags: {} }, attached: [] }
    let refusals = 2
    const { aws, close } = await awsWith({
      ...iam(state),
      AttachRolePolicy: (input) => {
        if (refusals-- > 0)
          throw new Refusal('NoSuchEntity', 'Policy does not exist or is not attachable.', 404)
        state.attached.push(String(input['PolicyArn']))
      }
    })
    expect((await install(controllerRolePolicies(wanted, { aws, keep: () => undefined }))).after.state).toBe(
      'as wanted'
    )
    await close()
  })

  it('that are all there cost no write', async () => {
    const { aws, server, close } = await awsWith(iam({ role: { trust: '', tags: {} }, attached: policyArns }))
    expect((await inspect(controllerRolePolicies(wanted, { aws, keep: () => undefined }))).state).toBe(
      'as wanted'
    )
    expect(server.calls.toSorted()).toEqual(['GetRole', 'ListAttachedRolePolicies', 'ListRolePolicies'])
    await close()
  })
})

describe('The IAM OIDC provider', () => {
  const wanted = {
    clusterName: 'blue',
    arn: oidcProviderArn(account, issuer),
    issuer,
    audience: 'sts.amazonaws.com',
    tags
  }
  const provider = (state: { audiences?: string[]; tags?: Record<string, string> }): Handlers => ({
    GetOpenIDConnectProvider: () => {
      if (state.audiences === undefined) throw new Refusal('NoSuchEntity', 'no provider', 404)
      return { Url: issuer.slice(8), ClientIDList: state.audiences, Tags: entries(state.tags ?? {}) }
    },
    CreateOpenIDConnectProvider: (input) => {
      state.audiences = [String(input['ClientIDList.member.1'])]
      state.tags = tagsIn(input)
      return {}
    },
    AddClientIDToOpenIDConnectProvider: (input) => void state.audiences?.push(String(input['ClientID']))
  })

  it('is created with audience and tags', async () => {
    const state: Parameters<typeof provider>[0] = {}
    const { aws, close } = await awsWith(provider(state))
    const { after } = await install(oidcProvider(wanted, { aws, ownership }))
    expect(after.state).toBe('as wanted')
    expect(state.audiences).toEqual(['sts.amazonaws.com'])
    expect(state.tags).toMatchObject(tags)
    await close()
  })

  it('that lacks the audience is given it, and keeps the others', async () => {
    const state = { audiences: ['other'] }
    const { aws, server, close } = await awsWith(provider(state))
    const { after, step } = await install(oidcProvider(wanted, { aws, ownership }))
    expect(after.state).toBe('as wanted')
    expect(state.audiences).toEqual(['other', 'sts.amazonaws.com'])
    expect(step.lines).toHaveLength(1)
    expect(server.calls).not.toContain('CreateOpenIDConnectProvider')
    await close()
  })

  it('that was there before is kept by a removal', async () => {
    const { aws, close } = await awsWith(provider({ audiences: ['sts.amazonaws.com'] }))
    expect(await oidcProvider(wanted, { aws, ownership }).remove(recordedStep(), unrecorded)).toMatchObject({
      outcome: 'kept'
    })
    await close()
  })

  it('that is ours goes when it is asked for, and not otherwise: others may use it by then', async () => {
    const state = { audiences: ['sts.amazonaws.com'], tags }
    const { aws, server, close } = await awsWith({
      ...provider(state),
      DeleteOpenIDConnectProvider: () => ({})
    })
    expect(await oidcProvider(wanted, { aws, ownership }).remove(recordedStep(), unrecorded)).toMatchObject({
      outcome: 'kept',
      reason: expect.stringContaining('`remove-oidc-provider: true`') as unknown
    })
    expect(server.calls).not.toContain('DeleteOpenIDConnectProvider')
    const asked = oidcProvider(wanted, { aws, ownership, removable: true })
    expect(await asked.remove(recordedStep(), unrecorded)).toEqual({ outcome: 'removed' })
    await close()
  })

  it('has the ARN of its partition', () => {
    expect(oidcProviderArn({ ...account, partition: 'aws-cn' }, issuer)).toMatch(
      /^arn:aws-cn:iam::111122223333:oidc-provider\/oidc\.eks/
    )
  })
})

describe('The spot service-linked role', () => {
  it('that somebody else makes at the same time is as wanted', async () => {
    const { aws, close } = await awsWith({
      GetRole: () => {
        throw new Refusal('NoSuchEntity', 'no role', 404)
      },
      CreateServiceLinkedRole: () => {
        throw new Refusal(
          'InvalidInput',
          'Service role name AWSServiceRoleForEC2Spot has been taken in this account',
          400
        )
      }
    })
    const { step } = await install(spotServiceLinkedRole({ aws }))
    expect(step.lines).toEqual([])
    await close()
  })

  it('is created, and never removed', async () => {
    let made = false
    const { aws, close } = await awsWith({
      GetRole: () => {
        if (!made) throw new Refusal('NoSuchEntity', 'no role', 404)
        return { Role: { Arn: 'arn' } }
      },
      CreateServiceLinkedRole: () => void (made = true)
    })
    const { after, step } = await install(spotServiceLinkedRole({ aws }))
    expect(after.state).toBe('as wanted')
    expect(step.lines).toEqual(['created service-linked role AWSServiceRoleForEC2Spot'])
    expect(await spotServiceLinkedRole({ aws }).remove(recordedStep(), unrecorded)).toMatchObject({
      outcome: 'kept'
    })
    await close()
  })
})
