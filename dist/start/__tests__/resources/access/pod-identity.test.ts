import { podIdentityAgent } from '../../../src/resources/access/pod-identity-agent.js'
import { podIdentityAssociation } from '../../../src/resources/access/pod-identity-association.js'
import { retiredAssociation } from '../../../src/resources/access/retired-association.js'
import { awsWith, recordedStep, Refusal, type Handlers } from '../../aws/stand-in.js'
import { inspect, install, ownership, unrecorded } from '../walk-one.js'

const tags = { 'setup-karpenter:owner': 'blue' }

describe('The Pod Identity agent', () => {
  const wanted = { clusterName: 'blue', addonName: 'eks-pod-identity-agent', tags }
  /** Each read takes the next status; the last one stays. */
  function addon(state: {
    statuses?: string[]
    issues?: string[]
    tags?: Record<string, string>
    associations?: number
  }): Handlers {
    return {
      DescribeAddon: () => {
        const status = (state.statuses?.length ?? 0) > 1 ? state.statuses?.shift() : state.statuses?.[0]
        if (status === undefined) throw new Refusal('ResourceNotFoundException', 'no addon', 404)
        return {
          addon: {
            addonName: wanted.addonName,
            status,
            tags: state.tags ?? {},
            health: {
              issues: (state.issues ?? []).map((message) => ({ code: 'AdmissionRequestDenied', message }))
            }
          }
        }
      },
      CreateAddon: (input) => {
        state.statuses ??= ['CREATING', 'CREATING', 'ACTIVE']
        state.tags = input['tags'] as Record<string, string>
        return { addon: {} }
      },
      DeleteAddon: () => {
        delete state.statuses
        return { addon: {} }
      },
      ListPodIdentityAssociations: () => ({
        associations: Array.from({ length: state.associations ?? 0 }, () => ({
          namespace: 'app',
          serviceAccount: 'web'
        }))
      })
    }
  }
  const busy = 'Cluster blue currently has update 0ab1 in progress'
  const agent = async (handlers: Handlers, selfManaged = false) => {
    const { aws, server, close } = await awsWith(handlers)
    return {
      resource: podIdentityAgent(wanted, { aws, ownership, selfManaged: async () => selfManaged }),
      server,
      close
    }
  }

  it('is created as add-on and waited for', async () => {
    const state: Parameters<typeof addon>[0] = {}
    const { resource, close } = await agent(addon(state))
    const { after, step } = await install(resource)
    expect(after.state).toBe('as wanted')
    expect(step.lines).toEqual(['created add-on eks-pod-identity-agent'])
    expect(step.waits).toContain('add-on eks-pod-identity-agent: CREATING')
    expect(state.tags).toEqual({ ...tags, 'setup-karpenter:run': ownership.run })
    await close()
  })

  it.each([
    ['ResourceInUseException', 409],
    ['InvalidRequestException', 400]
  ])(
    'is created again after %s while it is not there: a cluster that is being updated says so too',
    async (code, status) => {
      const state: Parameters<typeof addon>[0] = {}
      const handlers = addon(state)
      let refusals = 2
      const { resource, server, close } = await agent({
        ...handlers,
        CreateAddon: (input) => {
          if (refusals-- > 0) throw new Refusal(code, busy, status)
          return handlers['CreateAddon']?.(input)
        }
      })
      const { after, step } = await install(resource)
      expect(after.state).toBe('as wanted')
      expect(step.lines).toEqual(['created add-on eks-pod-identity-agent'])
      expect(step.waits[0]).toBe(`add-on eks-pod-identity-agent: ${busy}`)
      expect(server.calls.filter((call) => call === 'CreateAddon')).toHaveLength(3)
      await close()
    }
  )

  it('that somebody else has made after "in use" is theirs', async () => {
    const state: Parameters<typeof addon>[0] = {}
    const { resource, close } = await agent({
      ...addon(state),
      CreateAddon: () => {
        state.statuses = ['CREATING', 'ACTIVE']
        throw new Refusal('ResourceInUseException', 'Addon already exists.', 409)
      }
    })
    const { after, step } = await install(resource)
    expect(after.state).toBe('as wanted')
    expect(step.lines).toEqual([])
    await close()
  })

  it('that a busy cluster never takes ends with what EKS says', async () => {
    const { resource, close } = await agent({
      ...addon({}),
      CreateAddon: () => {
        throw new Refusal('ResourceInUseException', busy, 409)
      }
    })
    await expect(install(resource)).rejects.toThrow(
      `Pod Identity agent: could not be created in ten minutes: ResourceInUseException: ${busy}`
    )
    await close()
  })

  it('that an earlier try is deleting is waited for, and one that EKS will not delete is not', async () => {
    const statuses = ['ACTIVE', 'DELETING', 'DELETING']
    const { resource, close } = await agent({
      ...addon({}),
      DescribeAddon: () => {
        const status = statuses.shift()
        if (status === undefined) throw new Refusal('ResourceNotFoundException', 'no addon', 404)
        return { addon: { addonName: wanted.addonName, status, tags } }
      },
      DeleteAddon: () => {
        throw new Refusal('InvalidRequestException', 'not in this state')
      }
    })
    expect(await resource.remove(recordedStep(), unrecorded)).toEqual({ outcome: 'removed' })
    statuses.push('ACTIVE', 'ACTIVE')
    await expect(resource.remove(recordedStep(), unrecorded)).rejects.toThrow(
      /could not be deleted: .*not in this state/
    )
    await close()
  })

  it('is shown with what EKS says of it while it is waited for', async () => {
    const { resource, close } = await agent(addon({ issues: ['denied by a webhook'] }))
    const { step } = await install(resource)
    expect(step.waits).toContain(
      'add-on eks-pod-identity-agent: CREATING (AdmissionRequestDenied: denied by a webhook)'
    )
    await close()
  })

  it('that EKS could not delete is not waited for any longer', async () => {
    const { resource, close } = await agent({
      ...addon({ statuses: ['ACTIVE', 'DELETING', 'DELETE_FAILED'], issues: ['denied by a webhook'], tags }),
      DeleteAddon: () => ({ addon: {} })
    })
    await expect(resource.remove(recordedStep(), unrecorded)).rejects.toThrow(
      'the add-on could not be deleted: it is DELETE_FAILED (AdmissionRequestDenied: denied by a webhook)'
    )
    await close()
  })

  it('that somebody runs without EKS is left to them', async () => {
    const { resource, server, close } = await agent(addon({}), true)
    expect((await inspect(resource)).state).toBe('as wanted')
    expect(server.calls).toEqual(['DescribeAddon'])
    await close()
  })

  it('that could not be created ends with the reason EKS gives', async () => {
    const { resource, close } = await agent(
      addon({ statuses: ['CREATE_FAILED'], issues: ['denied by a webhook'] })
    )
    await expect(install(resource)).rejects.toThrow(
      /CREATE_FAILED: AdmissionRequestDenied: denied by a webhook/
    )
    await close()
  })

  it.each([
    ['DEGRADED', ['InsufficientNumberOfReplicas: no nodes'], 'is DEGRADED: AdmissionRequestDenied: Insuff'],
    ['UPDATE_FAILED', [], 'is UPDATE_FAILED: EKS gives no reason']
  ])('that is %s is as wanted, and unhealthy', async (status, issues, said) => {
    const { resource, close } = await agent(addon({ statuses: [status], issues }))
    const found = await inspect(resource)
    expect(found.state).toBe('as wanted')
    const { ailments } = await found.health(recordedStep())
    expect(ailments).toMatchObject([{ live: status, reason: expect.stringContaining(said) as unknown }])
    await close()
  })

  it('is not removed while other service accounts use it', async () => {
    const state: Parameters<typeof addon>[0] = { statuses: ['ACTIVE'], tags, associations: 1 }
    const { resource, close } = await agent(addon(state))
    expect(await resource.remove(recordedStep(), unrecorded)).toEqual({
      outcome: 'kept',
      reason: 'other service accounts use it: app/web'
    })
    state.associations = 0
    expect(await resource.remove(recordedStep(), unrecorded)).toEqual({ outcome: 'removed' })
    await close()
  })
})

describe('The Pod Identity association', () => {
  const roleArn = 'arn:aws:iam::111122223333:role/blue-karpenter'
  const wanted = { clusterName: 'blue', namespace: 'karpenter', serviceAccount: 'karpenter', roleArn, tags }
  function associations(state: {
    roleArn?: string
    targetRoleArn?: string
    policy?: string
    tags?: Record<string, string>
    unseen?: number
  }): Handlers {
    return {
      ListPodIdentityAssociations: () => ({
        associations: state.roleArn === undefined ? [] : [{ associationId: 'a-1' }]
      }),
      DescribePodIdentityAssociation: () => ({
        association: {
          associationId: 'a-1',
          roleArn: state.roleArn,
          targetRoleArn: state.targetRoleArn,
          policy: state.policy,
          tags: state.tags ?? {}
        }
      }),
      CreatePodIdentityAssociation: (input) => {
        if ((state.unseen ?? 0) > 0) {
          state.unseen = (state.unseen ?? 0) - 1
          throw new Refusal('InvalidParameterException', 'Role provided in the request does not exist.', 400)
        }
        state.roleArn = String(input['roleArn'])
        state.tags = input['tags'] as Record<string, string>
        return { association: {} }
      },
      UpdatePodIdentityAssociation: (input) => {
        state.roleArn = String(input['roleArn'])
        return { association: {} }
      },
      DeletePodIdentityAssociation: () => {
        delete state.roleArn
        return { association: {} }
      }
    }
  }

  it.each([
    ['ours', { 'setup-karpenter:owner': 'blue' }, undefined],
    ["somebody else's", {}, "controller-identity: irsa: somebody else's Pod Identity association"]
  ])('by IRSA must not be there: %s', async (_whose, owned, refused) => {
    const state = { roleArn, tags: owned }
    const { aws, server, close } = await awsWith(associations(state))
    const retired = retiredAssociation(
      { clusterName: 'blue', namespace: 'karpenter', serviceAccount: 'karpenter' },
      { aws, dependsOn: [] }
    )
    const found = await inspect(retired)
    expect(found.differences).toMatchObject([{ live: roleArn, severity: 'breaks scaling' }])
    if (refused === undefined) {
      const { after, step } = await install(retired)
      expect([after.state, after.differences]).toEqual(['as wanted', []])
      expect(step.lines).toEqual(['deleted Pod Identity association of karpenter/karpenter'])
    } else {
      expect(found.refusal?.message).toContain(refused)
      expect(server.calls.map(String)).not.toContain('DeletePodIdentityAssociation')
    }
    await close()
  })

  it('is made once EKS sees the role', async () => {
    const state: Parameters<typeof associations>[0] = { unseen: 2 }
    const { aws, close } = await awsWith(associations(state))
    const { after, step } = await install(podIdentityAssociation(wanted, { aws, ownership }))
    expect(after.state).toBe('as wanted')
    expect(state.roleArn).toBe(roleArn)
    expect(step.lines).toEqual([`associated service account karpenter/karpenter with ${roleArn}`])
    await close()
  })

  it('with another role is turned to ours, with a warning when somebody else made it', async () => {
    const state: Parameters<typeof associations>[0] = { roleArn: 'arn:aws:iam::111122223333:role/old' }
    const { aws, close } = await awsWith(associations(state))
    const { before, after, step } = await install(podIdentityAssociation(wanted, { aws, ownership }))
    expect(before.differences).toMatchObject([{ path: 'roleArn' }])
    expect(after.state).toBe('as wanted')
    expect(step.warnings).toHaveLength(1)
    await close()
  })

  it.each([
    [{ targetRoleArn: 'arn:aws:iam::111122223333:role/other' }, 'leads to the role arn:aws:iam'],
    [{ policy: '{"Version":"2012-10-17"}' }, 'has a policy that takes permissions away']
  ])(
    'that gives the pods something else than the role is found, and left to a person: %j',
    async (change, said) => {
      const { aws, close } = await awsWith(associations({ roleArn, ...change }))
      const found = await inspect(podIdentityAssociation(wanted, { aws, ownership }))
      expect(found.differences).toMatchObject([{ path: Object.keys(change)[0], severity: 'breaks scaling' }])
      expect(found.refusal?.message).toContain(said)
      expect(found.refusal?.fix).toContain(
        'aws eks delete-pod-identity-association --cluster-name blue --association-id a-1'
      )
      await close()
    }
  )

  it('is removed only when it is ours', async () => {
    const state: Parameters<typeof associations>[0] = { roleArn }
    const { aws, close } = await awsWith(associations(state))
    const resource = podIdentityAssociation(wanted, { aws, ownership })
    expect(await resource.remove(recordedStep(), unrecorded)).toMatchObject({ outcome: 'kept' })
    state.tags = tags
    expect(await resource.remove(recordedStep(), unrecorded)).toEqual({ outcome: 'removed' })
    await close()
  })
})
