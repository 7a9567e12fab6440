import {
  type MappingState,
  mappingState,
  nodeMapping,
  parseMapRoles,
  withMapping,
  withoutMapping
} from '../../aws/map-roles.js'
import { missing, type Author, type Difference } from '../../engine/difference.js'
import { UserError } from '../../engine/errors.js'
import { isMap } from '../../engine/json.js'
import {
  resource,
  type AnyResource,
  type Live as LiveState,
  type Removal,
  type Step
} from '../../engine/resource.js'
import type { Kubernetes } from '../../kubernetes/client.js'
import { isKubernetesError, KubernetesError } from '../../kubernetes/errors.js'
import { configMaps } from '../../kubernetes/kinds.js'
import { authorOf, writerOf } from '../../kubernetes/managed-fields.js'
import { ourName } from '../../engine/owner.js'
import { idOf } from '../ids.js'

export interface AwsAuthWanted {
  readonly nodeRoleArn: string
}

interface Live {
  /** Undefined when the ConfigMap is not there. */
  readonly resourceVersion: string | undefined
  readonly mapRoles: string
  /** The whole of data, for the copy. */
  readonly data: Readonly<Record<string, string>>
  /** Who wrote mapRoles last. */
  readonly by?: Author
}

interface Ports {
  /** Whether the role is this installation's, and for its nodes alone; what others' roles get besides is theirs to say. */
  readonly ownRole: boolean
  readonly kubernetes: Pick<Kubernetes, 'get' | 'create' | 'patch'>
  /** Called with the ConfigMap's data as it was, before it is written. */
  readonly keepCopy: (data: Readonly<Record<string, string>>) => void
  readonly dependsOn?: readonly string[]
}

const title = 'Node access (aws-auth)'
const at = { name: 'aws-auth', namespace: 'kube-system' }

/** Lets nodes with the node role join, by a line in aws-auth's mapRoles. All else in it stays as it is. */
export function awsAuth(wanted: AwsAuthWanted, ports: Ports): AnyResource {
  const mapping = nodeMapping(wanted.nodeRoleArn)
  const stateOf = (mapRoles: string): MappingState =>
    mappingState(parseMapRoles(mapRoles), mapping, ports.ownRole)

  async function get(): Promise<Live> {
    const found = await ports.kubernetes.get(configMaps, at.name, at.namespace)
    const data = found?.data ?? {}
    const writer = writerOf(found, 'data.mapRoles', ({ manager }) => manager === ourName)
    return {
      resourceVersion: found?.metadata?.resourceVersion,
      mapRoles: data['mapRoles'] ?? '',
      data,
      ...(writer !== undefined && { by: authorOf(writer) })
    }
  }

  async function read(): Promise<LiveState<Live>> {
    try {
      const live = await get()
      return live.resourceVersion === undefined ? { state: 'absent' } : { state: 'present', value: live }
    } catch (error) {
      if (!(error instanceof KubernetesError) || error.permission === undefined) throw error
      return { state: 'unreadable', reason: error.message, missingPermission: error.permission }
    }
  }

  /** Rejects with 409 when somebody else was faster: the resource version is part of the write. */
  async function write(live: Live, mapRoles: string): Promise<void> {
    ports.keepCopy(live.data)
    await (live.resourceVersion === undefined
      ? ports.kubernetes.create(configMaps, {
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { ...at, labels: { 'app.kubernetes.io/managed-by': ourName } },
          data: { mapRoles }
        })
      : ports.kubernetes.patch(configMaps, at, {
          type: 'merge',
          value: { metadata: { resourceVersion: live.resourceVersion }, data: { mapRoles } }
        }))
  }

  async function change(next: (live: Live) => string | undefined): Promise<'written' | 'nothing to do'> {
    for (let attempt = 1; ; attempt++) {
      const live = await get()
      const mapRoles = next(live)
      if (mapRoles === undefined || mapRoles === live.mapRoles) return 'nothing to do'
      try {
        await write(live, mapRoles)
        return 'written'
      } catch (error) {
        if (attempt === 5 || !isKubernetesError(error, 409)) throw error
      }
    }
  }

  async function apply(step: Step): Promise<void> {
    let line = ''
    const outcome = await change((live) => {
      const state = stateOf(live.mapRoles)
      line =
        state.state === 'different'
          ? `corrected the line of ${wanted.nodeRoleArn} in aws-auth (${[...state.lacks, ...state.surplus.map((group) => `without ${group}`)].join(', ')})`
          : `added ${wanted.nodeRoleArn} to aws-auth`
      return withMapping(live.mapRoles, mapping, ports.ownRole)
    })
    if (outcome === 'written') step.changed(line)
    const back = await get()
    if (stateOf(back.mapRoles).state !== 'as wanted') {
      throw new UserError(
        'ConfigMap kube-system/aws-auth',
        `the line of ${wanted.nodeRoleArn} was written and is gone again`,
        'Another tool writes this ConfigMap (eksctl, Terraform, GitOps): put the line there, then run again.'
      )
    }
  }

  return resource<AwsAuthWanted, Live>(
    {
      id: idOf.nodeAccess,
      layer: 'kubernetes',
      title,
      dependsOn: ports.dependsOn ?? [idOf.stack],
      wanted,
      read,
      compare: (want, live) => differencesOf(want, live, stateOf(live.mapRoles)),
      absent: (want) => [missing('ConfigMap kube-system/aws-auth', want.nodeRoleArn)],
      apply: async (_live, _differences, step) => apply(step),
      // A line does not say who wrote it.
      sign: { by: 'record' },
      present: (live) =>
        stateOf(live.mapRoles).state === 'missing' ? [] : [`the line of ${wanted.nodeRoleArn} in aws-auth`],
      remove: async (_live, step): Promise<Removal> => {
        await change((now) => withoutMapping(now.mapRoles, mapping))
        step.changed(`removed ${wanted.nodeRoleArn} from aws-auth`)
        return { outcome: 'removed' }
      }
    },
    (value): value is AwsAuthWanted => isMap(value) && typeof value['nodeRoleArn'] === 'string'
  )
}

function differencesOf(wanted: AwsAuthWanted, live: Live, state: MappingState): readonly Difference[] {
  const difference = (found: Omit<Difference, 'by'>): Difference => ({
    ...found,
    ...(live.by !== undefined && { by: live.by })
  })
  if (state.state === 'as wanted') return []
  if (state.state === 'missing') {
    return [
      difference({
        path: 'mapRoles',
        wanted: wanted.nodeRoleArn,
        live: undefined,
        reason: `aws-auth has no line for ${wanted.nodeRoleArn}, so nodes cannot join`,
        severity: 'breaks scaling'
      })
    ]
  }
  const { lacks, surplus } = state
  return [
    ...(lacks.length === 0
      ? []
      : [
          difference({
            path: 'mapRoles',
            wanted: wanted.nodeRoleArn,
            live: lacks,
            reason: `the line of ${wanted.nodeRoleArn} in aws-auth lacks ${lacks.join(', ')}, so nodes cannot join`,
            severity: 'breaks scaling'
          })
        ]),
    ...surplus.map((group) =>
      difference({
        path: `mapRoles.groups.${group}`,
        wanted: undefined,
        live: group,
        reason: `the line of ${wanted.nodeRoleArn} in aws-auth gives every node, and every pod that gets at its credentials, the group ${group}`,
        severity: 'weakens security'
      })
    )
  ]
}
