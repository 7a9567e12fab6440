import { loadAll } from 'js-yaml'
import { list, record, text, textRecord } from '../values.js'

export interface Taint {
  readonly key: string
  readonly value?: string
  readonly effect: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute'
}

/** What an instance's user data tells its kubelet. */
export interface NodeBootstrap {
  readonly clusterName: string
  readonly endpoint: string
  /** Base64 of the cluster's CA. */
  readonly certificateAuthority: string
  readonly labels: Readonly<Record<string, string>>
  readonly taints: readonly Taint[]
  readonly maxPods: number | undefined
}

export type UserData =
  | { readonly kind: 'bootstrap'; readonly bootstrap: NodeBootstrap }
  | { readonly kind: 'unreadable'; readonly reason: string }

/**
 * Reads user data as the EKS images do: nodeadm's NodeConfig (node.eks.aws/v1alpha1; AL2023), Bottlerocket's TOML, or
 * a script that calls /etc/eks/bootstrap.sh (AL2); each alone or as a part of a MIME multi-part archive.
 */
export function parseUserData(userData: string): UserData {
  const parts = mimeParts(userData)
  const configs = parts.filter((part) => part.includes('node.eks.aws/')).map(nodeConfig)
  if (configs.length > 0) {
    return finished(mergedConfig(configs))
  }
  const script = parts.find((part) => part.includes('/etc/eks/bootstrap.sh'))
  if (script !== undefined) {
    return finished(bootstrapScript(script))
  }
  if (userData.includes('[settings.kubernetes]')) {
    return finished(bottlerocket(userData))
  }
  return { kind: 'unreadable', reason: 'no NodeConfig, no call of bootstrap.sh and no Bottlerocket settings' }
}

interface Draft {
  clusterName?: string | undefined
  endpoint?: string | undefined
  certificateAuthority?: string | undefined
  flags: readonly string[]
  maxPods?: string | undefined
  labels: Readonly<Record<string, string>>
  taints: readonly Taint[]
}

function finished(draft: Draft): UserData {
  const { clusterName, endpoint, certificateAuthority } = draft
  if (clusterName === undefined || endpoint === undefined || certificateAuthority === undefined) {
    return {
      kind: 'unreadable',
      reason: 'cluster name, API server endpoint or certificate authority is missing'
    }
  }
  const maxPods = Number(draft.maxPods ?? flag(draft.flags, 'max-pods'))
  return {
    kind: 'bootstrap',
    bootstrap: {
      clusterName,
      endpoint,
      certificateAuthority,
      labels: { ...draft.labels, ...labelsIn(flag(draft.flags, 'node-labels') ?? '') },
      taints: [...draft.taints, ...taintsIn(flag(draft.flags, 'register-with-taints') ?? '')],
      maxPods: Number.isFinite(maxPods) && maxPods > 0 ? maxPods : undefined
    }
  }
}

function nodeConfig(yaml: string): Draft {
  const document = loadAll(yaml)
    .map(record)
    .find((one) => text(one['kind']) === 'NodeConfig')
  const spec = record(document?.['spec'])
  const cluster = record(spec['cluster'])
  const kubelet = record(spec['kubelet'])
  const config = record(kubelet['config'])
  return {
    clusterName: text(cluster['name']),
    endpoint: text(cluster['apiServerEndpoint']),
    certificateAuthority: text(cluster['certificateAuthority']),
    flags: list(kubelet['flags']).flatMap((one) => text(one) ?? []),
    maxPods: text(config['maxPods']),
    labels: {},
    taints: list(config['registerWithTaints']).flatMap((one) => {
      const taint = textRecord(one)
      return taintOf(taint['key'] ?? '', taint['value'], taint['effect'] ?? '')
    })
  }
}

/** nodeadm merges its documents, later ones over earlier ones; flags are appended. */
function mergedConfig(configs: readonly Draft[]): Draft {
  return configs.reduce((earlier, later) => ({
    clusterName: later.clusterName ?? earlier.clusterName,
    endpoint: later.endpoint ?? earlier.endpoint,
    certificateAuthority: later.certificateAuthority ?? earlier.certificateAuthority,
    flags: [...earlier.flags, ...later.flags],
    maxPods: later.maxPods ?? earlier.maxPods,
    labels: {},
    taints: [...earlier.taints, ...later.taints]
  }))
}

function bootstrapScript(script: string): Draft {
  const command = script.slice(script.indexOf('/etc/eks/bootstrap.sh'))
  const words = [...command.replaceAll('\\\n', ' ').matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    (match) => match[1] ?? match[2] ?? match[3] ?? ''
  )
  const option = (name: string): string | undefined => {
    const at = words.indexOf(name)
    return at < 0 ? undefined : words[at + 1]
  }
  return {
    clusterName: words[1],
    endpoint: option('--apiserver-endpoint'),
    certificateAuthority: option('--b64-cluster-ca'),
    flags: (option('--kubelet-extra-args') ?? '').split(/\s+/),
    labels: {},
    taints: []
  }
}

function bottlerocket(toml: string): Draft {
  const settings: Record<string, string> = {}
  const labels: Record<string, string> = {}
  const taints: Taint[] = []
  let section = ''
  for (const line of toml.split('\n')) {
    section = /^\s*\[(.+)\]\s*$/.exec(line)?.[1] ?? section
    const [, key = '', value = ''] = /^\s*["']?([^"'=]+?)["']?\s*=\s*(.+?)\s*$/.exec(line) ?? []
    if (key === '') {
      continue
    }
    if (section === 'settings.kubernetes') {
      settings[key] = unquoted(value)
    } else if (section === 'settings.kubernetes.node-labels') {
      labels[key] = unquoted(value)
    } else if (section === 'settings.kubernetes.node-taints') {
      for (const one of value.replace(/^\[|\]$/g, '').split(',')) {
        const [taintValue = '', effect = ''] = unquoted(one.trim()).split(':')
        taints.push(...taintOf(key, taintValue, effect))
      }
    }
  }
  return {
    clusterName: settings['cluster-name'],
    endpoint: settings['api-server'],
    certificateAuthority: settings['cluster-certificate'],
    flags: [],
    maxPods: settings['max-pods'],
    labels,
    taints
  }
}

function mimeParts(userData: string): readonly string[] {
  const boundary = /^content-type:\s*multipart\/\w+;\s*boundary="?([^"\r\n]+)"?/im.exec(userData)?.[1]
  if (boundary === undefined) {
    return [userData]
  }
  return userData
    .split(`--${boundary}`)
    .slice(1, -1)
    .map((part) => part.replace(/^[\s\S]*?\r?\n\r?\n/, ''))
}

function flag(flags: readonly string[], name: string): string | undefined {
  const found = flags.filter((one) => one.startsWith(`--${name}=`)).at(-1)
  return found === undefined ? undefined : unquoted(found.slice(name.length + 3))
}

function labelsIn(value: string): Record<string, string> {
  return Object.fromEntries(
    value
      .split(',')
      .filter((pair) => pair.includes('='))
      .map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)])
  )
}

/** key=value:Effect or key:Effect, as --register-with-taints has them. */
function taintsIn(value: string): readonly Taint[] {
  return value.split(',').flatMap((one) => {
    const [, key = '', taintValue, effect = ''] = /^([^=:]+)(?:=([^:]*))?:(\w+)$/.exec(one) ?? []
    return taintOf(key, taintValue, effect)
  })
}

function taintOf(key: string, value: string | undefined, effect: string): readonly Taint[] {
  if (key === '' || (effect !== 'NoSchedule' && effect !== 'PreferNoSchedule' && effect !== 'NoExecute')) {
    return []
  }
  return [{ key, effect, ...(value === undefined || value === '' ? {} : { value }) }]
}

function unquoted(value: string): string {
  return value.replace(/^(["'])(.*)\1$/, '$2')
}
