import { nodeMapping, parseMapRoles } from '../../../src/aws/map-roles.js'
import { isMap } from '../../../src/engine/json.js'
import type { Kubernetes } from '../../../src/kubernetes/client.js'
import type { Patch } from '../../../src/kubernetes/patch.js'
import { KubernetesError } from '../../../src/kubernetes/errors.js'
import type { Kind } from '../../../src/kubernetes/kinds.js'
import { nodeAccess, type NodeAccessPorts } from '../../../src/resources/access/node-access.js'
import { awsWith, recordedStep, Refusal, type Handlers } from '../../aws/stand-in.js'
import { failure } from '../../aws/failure.js'
import { inspect, install, ownership, recordedAsOurs, unrecorded } from '../walk-one.js'

const nodeRoleArn = 'arn:aws:iam::111122223333:role/KarpenterNodeRole-blue'
const wanted = { clusterName: 'blue', nodeRoleArn, tags: { 'setup-karpenter:owner': 'blue' } }

interface Entry {
  type: string
  kubernetesGroups?: string[]
  tags?: Record<string, string>
  /** Seconds since the epoch. */
  createdAt?: number
}

function eks(state: { entry?: Entry; policies?: string[]; unseen?: number }): Handlers {
  return {
    DescribeAccessEntry: () => {
      if (state.entry === undefined) throw new Refusal('ResourceNotFoundException', 'no entry', 404)
      return { accessEntry: { principalArn: nodeRoleArn, ...state.entry } }
    },
    CreateAccessEntry: (input) => {
      if ((state.unseen ?? 0) > 0) {
        state.unseen = (state.unseen ?? 0) - 1
        throw new Refusal(
          'InvalidParameterException',
          'The specified principalArn is invalid: invalid principal.',
          400
        )
      }
      if (state.entry !== undefined) throw new Refusal('ResourceInUseException', 'in use', 409)
      state.entry = {
        type: String(input['type']),
        tags: input['tags'] as Record<string, string>,
        createdAt: 2000
      }
      return { accessEntry: state.entry }
    },
    DeleteAccessEntry: () => {
      delete state.entry
    },
    ListAssociatedAccessPolicies: () => ({
      associatedAccessPolicies: (state.policies ?? []).map((policyArn) => ({ policyArn }))
    })
  }
}

/** `data` of a ConfigMap. */
function textsOf(manifest: unknown): Record<string, string> {
  const data = isMap(manifest) ? manifest['data'] : undefined
  return Object.fromEntries(Object.entries(isMap(data) ? data : {}).map(([key, text]) => [key, String(text)]))
}

/** A cluster's aws-auth; `conflicts`: writes that find that somebody else was faster. */
function configMap(state: { data?: Record<string, string>; version: number; conflicts?: number }) {
  const object = () => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'aws-auth', namespace: 'kube-system', resourceVersion: String(state.version) },
    data: state.data
  })
  const typed = <T>(kind: Kind<T>, value: unknown): T => {
    if (!kind.is(value)) throw new Error('not of that kind')
    return value
  }
  const kubernetes: Pick<Kubernetes, 'get' | 'create' | 'patch'> = {
    get: async (kind) => (state.data === undefined ? undefined : typed(kind, object())),
    create: async (kind, manifest) => {
      state.data = textsOf(manifest)
      state.version++
      return typed(kind, object())
    },
    patch: async (kind, _at, patch: Patch) => {
      const value = patch.type === 'merge' ? patch.value : undefined
      const metadata = isMap(value) ? value['metadata'] : undefined
      const version = isMap(metadata) ? metadata['resourceVersion'] : undefined
      if ((state.conflicts ?? 0) > 0) {
        state.conflicts = (state.conflicts ?? 0) - 1
        state.version++
        state.data = { ...state.data, mapUsers: '- userarn: arn:new\n' }
      }
      if (version !== String(state.version)) {
        throw new KubernetesError('configmaps aws-auth', 'conflict', 'again', {
          status: 409,
          reason: 'Conflict'
        })
      }
      state.data = { ...state.data, ...textsOf(value) }
      state.version++
      return typed(kind, object())
    }
  }
  return kubernetes
}

async function ports(
  handlers: Handlers,
  kubernetes: NodeAccessPorts['kubernetes'] = configMap({ version: 1 })
): Promise<NodeAccessPorts & { close: () => Promise<void>; calls: string[]; copies: unknown[] }> {
  const { aws, server, close } = await awsWith(handlers)
  const copies: unknown[] = []
  return {
    aws,
    kubernetes,
    ownership,
    ownRole: true,
    keepCopy: (data) => void copies.push(data),
    close,
    calls: server.calls,
    copies
  }
}

describe('Node access by access entry', () => {
  it('is made of type EC2_LINUX, as soon as EKS sees the role', async () => {
    const state: Parameters<typeof eks>[0] = { unseen: 2 }
    const own = await ports(eks(state))
    const { after, step } = await install(nodeAccess('access-entry', wanted, own))
    expect(after.state).toBe('as wanted')
    expect(state.entry).toMatchObject({ type: 'EC2_LINUX', tags: { 'setup-karpenter:owner': 'blue' } })
    expect(step.lines).toEqual([`created access entry EC2_LINUX for ${nodeRoleArn}`])
    expect(step.waits).toContain(`EKS to see role ${nodeRoleArn}`)
    await own.close()
  })

  it('of type STANDARD without rights is made anew', async () => {
    const state: Parameters<typeof eks>[0] = { entry: { type: 'STANDARD' } }
    const own = await ports(eks(state))
    const { before, after } = await install(nodeAccess('access-entry', wanted, own))
    expect(before.differences).toMatchObject([{ path: 'type', live: 'STANDARD' }])
    expect(after.state).toBe('as wanted')
    await own.close()
  })

  it.each([
    ['groups', { entry: { type: 'STANDARD', kubernetesGroups: ['admins'] } }],
    ['access policies', { entry: { type: 'STANDARD' }, policies: ['AmazonEKSViewPolicy'] }]
  ])("of type STANDARD with somebody's %s is refused and left", async (_what, state) => {
    const own = await ports(eks(state))
    const error = await failure(install(nodeAccess('access-entry', wanted, own)))
    expect(error.message).toContain('has type STANDARD, with which no node can join, and it grants')
    expect(error.state).toBe('The entry was left as it is.')
    expect(state.entry.type).toBe('STANDARD')
    await own.close()
  })

  it.each([
    ['is there no longer', undefined, 'deleted'],
    ['was made after it', 2000, 'deleted, and made again']
  ])('of a role that %s is made anew: EKS ties it to the role of then', async (_what, madeAt, found) => {
    const state = { entry: { type: 'EC2_LINUX', createdAt: 1000 } }
    const own = await ports(eks(state))
    const role = { madeAt }
    const nodeRole = async () => {
      if (role.madeAt === undefined) {
        throw Object.assign(new Error('no role'), {
          name: 'NoSuchEntityException',
          $metadata: { httpStatusCode: 404 }
        })
      }
      return { createdAt: new Date(role.madeAt * 1000) }
    }
    const resource = nodeAccess('access-entry', wanted, { ...own, nodeRole })
    const before = await inspect(resource)
    expect(before.differences).toMatchObject([{ path: 'role', live: found, severity: 'breaks scaling' }])
    role.madeAt = 2000
    const step = recordedStep()
    await before.apply(step)
    expect(step.lines).toEqual([
      `deleted the access entry of an earlier role ${nodeRoleArn}`,
      `created access entry EC2_LINUX for ${nodeRoleArn}`
    ])
    expect((await inspect(resource)).state).toBe('as wanted')
    await own.close()
  })

  it('is told nothing by a role that may not be read', async () => {
    const own = await ports(eks({ entry: { type: 'EC2_LINUX', createdAt: 1000 } }))
    const nodeRole = async () => Promise.reject(new Error('denied'))
    expect((await inspect(nodeAccess('access-entry', wanted, { ...own, nodeRole }))).state).toBe('as wanted')
    await own.close()
  })

  it('that is right costs one call', async () => {
    const own = await ports(eks({ entry: { type: 'EC2_LINUX' } }))
    expect((await inspect(nodeAccess('access-entry', wanted, own))).state).toBe('as wanted')
    expect(own.calls).toEqual(['DescribeAccessEntry'])
    await own.close()
  })

  it('is removed only when it is ours', async () => {
    const state: Parameters<typeof eks>[0] = { entry: { type: 'EC2_LINUX' } }
    const own = await ports(eks(state))
    const resource = nodeAccess('access-entry', wanted, own)
    expect(await resource.remove(recordedStep(), unrecorded)).toMatchObject({ outcome: 'kept' })
    state.entry = { type: 'EC2_LINUX', tags: wanted.tags }
    expect(await resource.remove(recordedStep(), unrecorded)).toEqual({ outcome: 'removed' })
    expect(await resource.remove(recordedStep(), unrecorded)).toEqual({ outcome: 'absent' })
    await own.close()
  })
})

describe('Node access by aws-auth', () => {
  const mapRoles =
    '- rolearn: arn:aws:iam::111122223333:role/group\n  username: x\n  groups: [system:nodes]\n'

  it('adds one line, keeps a copy, and leaves all else byte for byte', async () => {
    const state = { data: { mapRoles, mapUsers: '- userarn: arn:u\n' }, version: 7 }
    const own = await ports({}, configMap(state))
    const { after, step } = await install(nodeAccess('aws-auth', wanted, own))
    expect(after.state).toBe('as wanted')
    expect(state.data.mapUsers).toBe('- userarn: arn:u\n')
    expect(state.data.mapRoles.startsWith(mapRoles)).toBe(true)
    expect(parseMapRoles(state.data.mapRoles).at(-1)).toEqual(nodeMapping(nodeRoleArn))
    expect(own.copies).toEqual([{ mapRoles, mapUsers: '- userarn: arn:u\n' }])
    expect(step.lines).toEqual([`added ${nodeRoleArn} to aws-auth`])
    await own.close()
  })

  it('reads again and does not overwrite when somebody else was faster', async () => {
    const state: { data: Record<string, string>; version: number; conflicts: number } = {
      data: { mapRoles },
      version: 7,
      conflicts: 1
    }
    const own = await ports({}, configMap(state))
    expect((await install(nodeAccess('aws-auth', wanted, own))).after.state).toBe('as wanted')
    expect(state.data['mapUsers']).toBe('- userarn: arn:new\n')
    await own.close()
  })

  it('takes a group back that every node was given, but not of a role that is not ours', async () => {
    const more = `- ${JSON.stringify({ ...nodeMapping(nodeRoleArn), groups: ['system:bootstrappers', 'system:nodes', 'system:masters'] })}\n`
    const state = { data: { mapRoles: mapRoles + more }, version: 7 }
    const own = await ports({}, configMap(state))
    expect((await inspect(nodeAccess('aws-auth', wanted, { ...own, ownRole: false }))).state).toBe(
      'as wanted'
    )
    const { before, after, step } = await install(nodeAccess('aws-auth', wanted, own))
    expect(before.differences).toMatchObject([
      { path: 'mapRoles.groups.system:masters', live: 'system:masters', severity: 'weakens security' }
    ])
    expect(after.state).toBe('as wanted')
    expect(parseMapRoles(state.data.mapRoles).at(-1)).toEqual(nodeMapping(nodeRoleArn))
    expect(step.lines).toEqual([`corrected the line of ${nodeRoleArn} in aws-auth (without system:masters)`])
    await own.close()
  })

  it('makes the ConfigMap when there is none', async () => {
    const state: { data?: Record<string, string>; version: number } = { version: 1 }
    const own = await ports({}, configMap(state))
    const { before, after } = await install(nodeAccess('aws-auth', wanted, own))
    expect(before.state).toBe('absent')
    expect(after.state).toBe('as wanted')
    await own.close()
  })

  it('refuses what it cannot read, and writes nothing', async () => {
    const state = { data: { mapRoles: '- rolearn: [' }, version: 7 }
    const own = await ports({}, configMap(state))
    await expect(install(nodeAccess('aws-auth', wanted, own))).rejects.toThrow(
      /^ConfigMap kube-system\/aws-auth: mapRoles cannot be read/
    )
    expect(state.version).toBe(7)
    await own.close()
  })

  it('takes its line away again, and only when the record says that it is ours', async () => {
    const state = { data: { mapRoles }, version: 7 }
    const own = await ports({}, configMap(state))
    await install(nodeAccess('aws-auth', wanted, own))
    expect(await nodeAccess('aws-auth', wanted, own).remove(recordedStep(), unrecorded)).toMatchObject({
      outcome: 'kept'
    })
    const removal = await nodeAccess('aws-auth', wanted, own).remove(recordedStep(), recordedAsOurs)
    expect(removal).toEqual({ outcome: 'removed' })
    expect(state.data.mapRoles).toBe(mapRoles)
    await own.close()
  })
})
