import type { Step } from '../engine/resource.js'
import { briefly } from '../helm/download.js'
import type { Inputs } from '../inputs/inputs.js'
import { factsOf, parseFacts, tableFacts, type VersionFacts } from '../karpenter/version-facts.js'
import { exactVersion } from '../karpenter/versions.js'
import type { Ports } from '../run/ports.js'
import type { Discovery } from './discovery.js'
import { type ChosenVersion, chooseVersion, versionToRemove } from './version-choice.js'

export interface DecidedVersion extends ChosenVersion {
  /** The version that runs in the namespace now; undefined when none does. */
  readonly installed: string | undefined
  readonly facts: VersionFacts
}

type VersionFound = Pick<Discovery, 'record' | 'controllers' | 'denied'> & {
  readonly cluster: Pick<Discovery['cluster'], 'kubernetesVersion'>
}

/** Chooses the version and finds what holds for it. A version that is asked for or installed, and was tested, takes no request. */
export async function decideVersion(
  inputs: Inputs,
  found: VersionFound,
  ports: Ports,
  step: Pick<Step, 'signal' | 'note'>
): Promise<DecidedVersion> {
  const { record, cluster } = found
  const installed = installedVersion(inputs, found)
  const facts = { requested: inputs.karpenterVersion, installed, recorded: record?.karpenterVersion }
  if (inputs.mode === 'uninstall') {
    const chosen = versionToRemove(facts)
    return { ...chosen, installed, facts: tableFacts(chosen.version) }
  }
  const options = { proxyEnv: ports.env, signal: step.signal, ...briefly }
  const factsFor = remembered(async (version) =>
    factsOf(version, {
      fetchText: inputs.template.kind === 'built-in' ? undefined : fetchText(ports, step.signal, briefly),
      ...(inputs.template.kind === 'built-in' && { notAsked: 'template: built-in' }),
      recorded: parseFacts(record?.facts),
      // The stack's own template is read by itself, where it is upstream's.
      template: inputs.template.kind === 'path' || inputs.template.kind === 'url'
    })
  )
  const chosen = await chooseVersion(
    {
      ...facts,
      kubernetes: cluster.kubernetesVersion,
      published: async () => ports.helm.versions(inputs.chart, options),
      rangeOf: async (version) => (await factsFor(version)).kubernetes.value
    },
    inputs.mode !== 'check'
  )
  for (const note of chosen.notes) step.note(`karpenter-version: ${note}`)
  return { ...chosen, installed, facts: await factsFor(chosen.version) }
}

/** Where the controllers may not be read, the record is the next best word. */
function installedVersion(
  { namespace }: Inputs,
  { controllers, record, denied }: VersionFound
): string | undefined {
  if (denied.some(({ what }) => what === 'controllers')) return record?.karpenterVersion
  const version = controllers.find((controller) => controller.namespace === namespace)?.version
  return exactVersion(version) ?? (version || undefined)
}

function remembered<T>(read: (key: string) => Promise<T>): (key: string) => Promise<T> {
  const known = new Map<string, Promise<T>>()
  return async (key) => {
    const result = known.get(key) ?? read(key)
    known.set(key, result)
    return result
  }
}

/** The body of a 200 answer; rejects for everything else. */
export function fetchText(
  ports: Ports,
  signal: AbortSignal,
  patience: Partial<typeof briefly> = {}
): (url: string) => Promise<string> {
  return async (url) => {
    const text = await ports.download(new URL(url), { proxyEnv: ports.env, signal, ...patience })
    if (text === undefined) throw new Error('it does not exist')
    return text
  }
}
