import type { AnyResource } from '../../../src/engine/resource.js'
import type { Manifest } from '../../../src/kubernetes/manifest.js'
import { isOurs } from '../../../src/kubernetes/ownership-label.js'
import { launchLeftovers } from '../../../src/resources/removal/launch-leftovers.js'
import { awsWith, recordedStep, Refusal, type Handlers } from '../../aws/stand-in.js'
import { failure } from '../../aws/failure.js'
import { ApiServer } from '../../kubernetes/api-server.js'
import { inspect, ownership, unrecorded } from '../walk-one.js'

let server: ApiServer
// Loading a client takes as long as the API server may take to answer.
beforeAll(async () => {
  await Promise.all([import('../../../src/aws/sdk/ec2.js'), import('../../../src/aws/sdk/iam.js')])
})
beforeEach(async () => {
  server = await ApiServer.start()
})
afterEach(async () => server.stop())

type Tags = Readonly<Record<string, string>>
const tagSet = (tags: Tags): object[] => Object.entries(tags).map(([key, value]) => ({ key, value }))
const ofClass = (name: string): Tags => ({
  'eks:eks-cluster-name': 'blue',
  'karpenter.k8s.aws/ec2nodeclass': name
})
const ofPool = (name: string): Tags => ({ 'eks:eks-cluster-name': 'blue', 'karpenter.sh/nodepool': name })

interface Profile {
  readonly path: string
  role: string | undefined
  readonly tags: Tags
}

interface Scene {
  readonly templates: Record<string, Tags>
  readonly profiles: Record<string, Profile>
  readonly volumes: Record<string, Tags>
  readonly interfaces: Record<string, Tags>
  readonly roleTags: Tags
}

/** AWS with these things; EC2's filters are by the cluster's name in either spelling. */
function cloudOf(scene: Scene): Handlers {
  const asked = (input: Readonly<Record<string, unknown>>): boolean =>
    String(input['Filter.1.Name']) === 'tag:eks:eks-cluster-name'
  const take = (things: Record<string, unknown>, id: unknown, code: string): object => {
    if (!(String(id) in things)) throw new Refusal(code, 'does not exist')
    Reflect.deleteProperty(things, String(id))
    return {}
  }
  const shown = (name: string): object => {
    const profile = scene.profiles[name]
    return {
      InstanceProfileName: name,
      Path: profile?.path,
      Roles: profile?.role === undefined ? [] : [{ RoleName: profile.role }],
      Tags: Object.entries(profile?.tags ?? {}).map(([Key, Value]) => ({ Key, Value }))
    }
  }
  return {
    DescribeLaunchTemplates: (input) => ({
      launchTemplates: asked(input)
        ? Object.entries(scene.templates).map(([launchTemplateId, tags]) => ({
            launchTemplateId,
            tagSet: tagSet(tags)
          }))
        : []
    }),
    DescribeVolumes: (input) => ({
      volumeSet: asked(input)
        ? Object.entries(scene.volumes).map(([volumeId, tags]) => ({ volumeId, tagSet: tagSet(tags) }))
        : []
    }),
    DescribeNetworkInterfaces: (input) => ({
      networkInterfaceSet: asked(input)
        ? Object.entries(scene.interfaces).map(([networkInterfaceId, tags]) => ({
            networkInterfaceId,
            tagSet: tagSet(tags)
          }))
        : []
    }),
    ListInstanceProfiles: () => ({
      InstanceProfiles: Object.keys(scene.profiles).map(shown),
      IsTruncated: false
    }),
    ListInstanceProfilesForRole: ({ RoleName }) => ({
      InstanceProfiles: Object.entries(scene.profiles)
        .filter(([, { role }]) => role === RoleName)
        .map(([name]) => shown(name)),
      IsTruncated: false
    }),
    GetInstanceProfile: ({ InstanceProfileName }) => ({
      InstanceProfile: shown(String(InstanceProfileName))
    }),
    RemoveRoleFromInstanceProfile: ({ InstanceProfileName }) => {
      const profile = scene.profiles[String(InstanceProfileName)]
      if (profile !== undefined) profile.role = undefined
      return {}
    },
    DeleteInstanceProfile: ({ InstanceProfileName: name }) => {
      if (scene.profiles[String(name)]?.role !== undefined)
        throw new Refusal('DeleteConflict', 'has a role', 409)
      return take(scene.profiles, name, 'NoSuchEntity')
    },
    DeleteLaunchTemplate: (input) =>
      take(scene.templates, input['LaunchTemplateId'], 'InvalidLaunchTemplateId.NotFound'),
    DeleteVolume: (input) => take(scene.volumes, input['VolumeId'], 'InvalidVolume.NotFound'),
    DeleteNetworkInterface: (input) =>
      take(scene.interfaces, input['NetworkInterfaceId'], 'InvalidNetworkInterfaceID.NotFound'),
    GetRole: () => ({
      Role: { Arn: 'a', Tags: Object.entries(scene.roleTags).map(([Key, Value]) => ({ Key, Value })) }
    })
  }
}

function scene(more: Partial<Scene> = {}): Scene {
  return {
    templates: { 'lt-1': ofClass('default') },
    profiles: {
      blue_123: { path: '/', role: 'NodeRole', tags: ofClass('default') },
      blue_456: { path: '/karpenter/eu-west-1/blue/uid/', role: undefined, tags: ofClass('default') }
    },
    volumes: { 'vol-1': ofPool('default') },
    interfaces: { 'eni-1': ofPool('default') },
    roleTags: { 'setup-karpenter:owner': 'blue' },
    ...more
  }
}

async function withLeftovers(
  handlers: Handlers,
  use: (leftovers: AnyResource, calls: readonly string[]) => Promise<void>
): Promise<void> {
  const { aws, server: cloud, close } = await awsWith(handlers)
  const wanted = {
    clusterName: 'blue',
    region: 'eu-west-1',
    nodeRoleName: 'NodeRole',
    nodePools: ['default'],
    nodeClasses: ['default']
  }
  const goes = (object: Manifest): boolean => isOurs(object, ownership)
  const ports = { aws, kubernetes: server.kubernetes, goes, dependsOn: [] }
  await use(launchLeftovers(wanted, ports), cloud.calls)
  await close()
}

test('everything that Karpenter left of ours goes, the role out of its profile first', async () => {
  await withLeftovers(cloudOf(scene()), async (leftovers) => {
    expect((await inspect(leftovers)).present).toEqual([
      'launch template lt-1',
      'instance profile blue_123',
      'instance profile blue_456',
      'network interface eni-1',
      'volume vol-1'
    ])
    const step = recordedStep()
    expect(await leftovers.remove(step, unrecorded)).toEqual({ outcome: 'removed' })
    expect(step.lines).toContain('deleted instance profile blue_123, which Karpenter had left')
    expect((await inspect(leftovers)).present).toEqual([])
    expect(await leftovers.remove(recordedStep(), unrecorded)).toEqual({ outcome: 'absent' })
  })
})

test('what is of another EC2NodeClass, NodePool or region stays and is named', async () => {
  const others = scene({
    templates: { 'lt-2': ofClass('batch') },
    profiles: {
      blue_9: {
        path: '/',
        role: undefined,
        tags: { ...ofClass('default'), 'topology.kubernetes.io/region': 'us-east-1' }
      }
    },
    volumes: { 'vol-2': ofPool('batch') },
    interfaces: {}
  })
  await withLeftovers(cloudOf(others), async (leftovers, calls) => {
    expect((await inspect(leftovers)).present).toEqual([
      'launch template lt-2',
      'instance profile blue_9',
      'volume vol-2'
    ])
    expect(await leftovers.remove(recordedStep(), unrecorded)).toEqual({
      outcome: 'kept',
      reason:
        'kept by EC2NodeClass batch: launch template lt-2; kept by EC2NodeClass default: instance profile blue_9; kept by NodePool batch: volume vol-2'
    })
    expect(calls.filter((call) => call.startsWith('Delete'))).toEqual([])
  })
})

test('things of a class of our name that somebody else made stay', async () => {
  server.put('/apis/karpenter.k8s.aws/v1/ec2nodeclasses/default', {
    apiVersion: 'karpenter.k8s.aws/v1',
    kind: 'EC2NodeClass'
  })
  const own = scene({ volumes: {}, interfaces: {}, profiles: {} })
  await withLeftovers(cloudOf(own), async (leftovers, calls) => {
    expect(await leftovers.remove(recordedStep(), unrecorded)).toMatchObject({ outcome: 'kept' })
    expect(calls).not.toContain('DeleteLaunchTemplate')
  })
})

test("a profile that is not Karpenter's and holds our node role is an error before the stack is touched", async () => {
  const held = scene({
    profiles: { bastion: { path: '/', role: 'NodeRole', tags: {} } },
    volumes: {},
    interfaces: {},
    templates: {}
  })
  await withLeftovers(cloudOf(held), async (leftovers, calls) => {
    const error = await failure(leftovers.remove(recordedStep(), unrecorded))
    expect(error.message).toContain(
      "Node role NodeRole: instance profiles bastion hold it and are not Karpenter's"
    )
    expect(error.fix).toContain('aws iam remove-role-from-instance-profile --instance-profile-name bastion')
    expect(calls).not.toContain('GetInstanceProfile')
    expect(calls).not.toContain('DeleteInstanceProfile')
  })
})

test('a listing that is denied is unreadable, with the action to allow', async () => {
  const handlers = {
    ...cloudOf(scene()),
    ListInstanceProfiles: () => {
      throw new Refusal(
        'AccessDenied',
        'User: x is not authorized to perform: iam:ListInstanceProfiles on y',
        403
      )
    }
  }
  await withLeftovers(handlers, async (leftovers, calls) => {
    expect(await inspect(leftovers)).toMatchObject({
      state: 'unreadable',
      unreadable: { missingPermission: 'iam:ListInstanceProfiles' }
    })
    expect((await failure(leftovers.remove(recordedStep(), unrecorded))).fix).toContain(
      'iam:ListInstanceProfiles'
    )
    expect(calls.filter((call) => call.startsWith('Delete'))).toEqual([])
  })
})
