import { randomUUID } from 'node:crypto'
import { optionalText, textMap } from '../input.js'
import { type Operations, resourceTags } from '../operations.js'
import { AwsError, type AwsCall } from '../service.js'
import { invalidParameter, page, required } from './pages.js'
import { clusterQuestion, creation, onCluster, tagPairs } from './questions.js'
import { type Addon, type EksState } from './state.js'

/** Versions on offer, newest first. */
const offered: Readonly<Record<string, readonly string[]>> = {
  'eks-pod-identity-agent': ['v1.3.10-eksbuild.2', 'v1.3.4-eksbuild.1'],
  'vpc-cni': ['v1.20.4-eksbuild.2'],
  coredns: ['v1.12.4-eksbuild.1'],
  'kube-proxy': ['v1.34.0-eksbuild.4']
}

/** Add-ons: CREATING until whoever runs the cluster has put the add-on's objects into it. */
export function addonOperations(state: EksState): Operations {
  const onAddon = (action: string) => (call: AwsCall) => {
    const clusterName = required(call.input, 'clusterName')
    const name = required(call.input, 'addonName')
    const addon = state.addons.get(`${clusterName} ${name}`)
    return [
      {
        action: `eks:${action}`,
        resource: addon?.addonArn ?? state.arn(`addon/${clusterName}/${name}/*`),
        context: resourceTags('eks', tagPairs(addon?.tags ?? {}))
      }
    ]
  }
  const addonOf = (input: AwsCall['input']) =>
    state.addon(state.cluster(required(input, 'clusterName')).name, required(input, 'addonName'))
  return {
    ListAddons: {
      questions: onCluster(state, 'ListAddons'),
      answer: ({ input }) => {
        const cluster = state.cluster(required(input, 'clusterName'))
        const addons = state.addons.values().filter((addon) => addon.clusterName === cluster.name)
        return page(
          input,
          'addons',
          addons.map((addon) => addon.addonName)
        )
      }
    },
    CreateAddon: {
      questions: (call) => {
        const clusterName = required(call.input, 'clusterName')
        const resource = state.arn(`addon/${clusterName}/${required(call.input, 'addonName')}/*`)
        return creation(clusterQuestion(state, 'eks:CreateAddon', clusterName), call, resource)
      },
      answer: ({ input }) => ({ addon: output(createAddon(state, input)) })
    },
    DescribeAddon: {
      questions: onAddon('DescribeAddon'),
      answer: ({ input }) => ({ addon: output(addonOf(input)) })
    },
    DeleteAddon: {
      questions: onAddon('DeleteAddon'),
      answer: ({ input }) => {
        const addon: Addon = { ...addonOf(input), status: 'DELETING' }
        state.saveAddon(addon)
        void state.installAddon('remove', addon).finally(() => {
          state.addons.delete(`${addon.clusterName} ${addon.addonName}`)
        })
        return { addon: output(addon) }
      }
    },
    DescribeAddonVersions: {
      questions: () => [{ action: 'eks:DescribeAddonVersions', resource: '*' }],
      answer: ({ input }) => {
        const wanted = optionalText(input, 'addonName')
        const version = optionalText(input, 'kubernetesVersion')
        const names = Object.keys(offered).filter((name) => wanted === undefined || name === wanted)
        return page(
          input,
          'addons',
          names.map((name) => versionsOutput(name, version))
        )
      }
    }
  }
}

function createAddon(state: EksState, input: AwsCall['input']): Addon {
  const cluster = state.cluster(required(input, 'clusterName'))
  const name = required(input, 'addonName')
  const versions = offered[name]
  const [newest = ''] = versions ?? []
  const version = optionalText(input, 'addonVersion') ?? newest
  if (versions === undefined) throw invalidParameter(`Addon ${name} specified is not supported`)
  if (!versions.includes(version)) throw invalidParameter(`Addon version specified is not supported`)
  if (state.addons.has(`${cluster.name} ${name}`)) {
    throw new AwsError('ResourceInUseException', 'Addon already exists.', 409)
  }
  const at = new Date(state.now())
  const addon: Addon = {
    clusterName: cluster.name,
    addonName: name,
    addonArn: state.arn(`addon/${cluster.name}/${name}/${randomUUID()}`),
    addonVersion: version,
    status: 'CREATING',
    tags: textMap(input, 'tags'),
    createdAt: at,
    modifiedAt: at
  }
  state.saveAddon(addon)
  const settle = (status: Addon['status']) => {
    if (state.addons.get(`${cluster.name} ${name}`)?.addonArn !== addon.addonArn) return
    state.saveAddon({ ...addon, status, modifiedAt: new Date(state.now()) })
  }
  // A turn of the event loop at least: nobody sees a new add-on ACTIVE at once.
  setImmediate(() => {
    void state.installAddon('install', addon).then(
      () => settle('ACTIVE'),
      () => settle('CREATE_FAILED')
    )
  })
  return addon
}

function output(addon: Addon): Readonly<Record<string, unknown>> {
  return { ...addon, health: { issues: [] }, owner: 'aws', publisher: 'eks' }
}

function versionsOutput(name: string, clusterVersion: string | undefined): Readonly<Record<string, unknown>> {
  const clusterVersions = clusterVersion === undefined ? ['1.35', '1.34', '1.33', '1.32'] : [clusterVersion]
  return {
    addonName: name,
    type: name === 'eks-pod-identity-agent' ? 'security' : 'networking',
    owner: 'aws',
    publisher: 'eks',
    addonVersions: (offered[name] ?? []).map((addonVersion, index) => ({
      addonVersion,
      architecture: ['amd64', 'arm64'],
      computeTypes: ['ec2', 'hybrid'],
      compatibilities: clusterVersions.map((version) => ({
        clusterVersion: version,
        platformVersions: ['*'],
        defaultVersion: index === 0
      })),
      requiresConfiguration: false,
      requiresIamPermissions: false
    }))
  }
}
