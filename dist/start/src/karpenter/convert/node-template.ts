import { type NodeClassSettings, selectorTerms } from '../default-node-pools.js'
import type { AmiSelectorTerm, EC2NodeClass, SelectorTerm } from '../types.js'
import { kubernetesMinor } from '../versions.js'
import { Fields } from './fields.js'
import type { DocumentFindings } from './findings.js'
import { convertAmiSelector, convertSelector } from './selectors.js'

export interface NodeTemplateSettings extends NodeClassSettings {
  /** 1.32 */
  readonly kubernetesVersion: string
}

const passed = ['userData', 'blockDeviceMappings', 'detailedMonitoring', 'context']
const known = new Set([
  ...passed,
  'apiVersion',
  'kind',
  'subnetSelector',
  'securityGroupSelector',
  'amiSelector',
  'amiFamily',
  'instanceProfile',
  'metadataOptions',
  'tags',
  'launchTemplate'
])

/** What the old API gave instances that said nothing; v1 has a hop limit of 1. */
export const metadataDefaults = {
  httpEndpoint: 'enabled',
  httpProtocolIPv6: 'disabled',
  httpPutResponseHopLimit: 2,
  httpTokens: 'required'
}

/** Tags that Karpenter sets itself; EC2NodeClass v1 refuses them. */
const reservedTag =
  /^(eks:eks-cluster-name$|kubernetes\.io\/cluster\/|karpenter\.sh\/(nodepool|nodeclaim|provisioner-name|managed-by)$|karpenter\.k8s\.aws\/(ec2nodeclass|cluster)$)/

const aliases: Readonly<Record<string, string>> = {
  AL2: 'al2@latest',
  AL2023: 'al2023@latest',
  Bottlerocket: 'bottlerocket@latest',
  Windows2019: 'windows2019@latest',
  Windows2022: 'windows2022@latest'
}

/**
 * AWSNodeTemplate v1alpha1 as an EC2NodeClass v1. What has no equal, or means something else now, is a warning. Source:
 * upstream's v1beta1 and v1 migration guides, and its converter at v0.32.
 */
export function convertNodeTemplate(
  name: string,
  value: unknown,
  settings: NodeTemplateSettings,
  findings: DocumentFindings
): EC2NodeClass {
  const spec = new Fields(value, 'spec', findings)
  for (const field of spec.names().filter((one) => !known.has(one)))
    findings.warn(`spec.${field} is left out: an AWSNodeTemplate has no such field`)
  if (spec.has('launchTemplate'))
    findings.problem(
      'spec.launchTemplate has no equal in v1: say what it holds in amiSelector, userData, blockDeviceMappings and tags'
    )
  const instanceProfile = nameOf(spec, 'instanceProfile')
  if (instanceProfile !== undefined) {
    findings.warn(
      `spec.instanceProfile ${instanceProfile} is kept: its role must be one that may join the cluster; this action gives access to ${settings.nodeRoleName}`
    )
  }
  const images = imagesOf(spec, settings)
  const tags = { ...settings.tags, ...tagsOf(spec) }
  return {
    apiVersion: 'karpenter.k8s.aws/v1',
    kind: 'EC2NodeClass',
    metadata: { name },
    spec: {
      ...(instanceProfile === undefined ? { role: settings.nodeRoleName } : { instanceProfile }),
      amiSelectorTerms: images.terms,
      subnetSelectorTerms: termsOf(spec, 'subnetSelector', settings),
      securityGroupSelectorTerms: termsOf(spec, 'securityGroupSelector', settings),
      metadataOptions: metadataOf(spec),
      ...Object.fromEntries(
        passed.filter((field) => spec.has(field)).map((field) => [field, spec.raw(field)])
      ),
      ...images.more,
      ...(Object.keys(tags).length > 0 && { tags })
    }
  }
}

function termsOf(
  spec: Fields,
  field: 'subnetSelector' | 'securityGroupSelector',
  settings: NodeTemplateSettings
): readonly SelectorTerm[] {
  const selector = spec.texts(field)
  if (Object.keys(selector).length === 0) {
    const taken =
      settings.ids === undefined
        ? `karpenter.sh/discovery: ${settings.clusterName} is`
        : 'the ids of the inputs are'
    spec.findings.warn(`spec.${field} is missing; ${taken} taken`)
    return selectorTerms(settings, field === 'subnetSelector' ? 'subnets' : 'securityGroups')
  }
  return convertSelector(`spec.${field}`, selector, spec.findings)
}

function metadataOf(spec: Fields): Readonly<Record<string, unknown>> {
  const own = spec.map('metadataOptions')
  return { ...metadataDefaults, ...Object.fromEntries(own.names().map((name) => [name, own.raw(name)])) }
}

function tagsOf(spec: Fields): Readonly<Record<string, string>> {
  const tags = spec.texts('tags')
  const reserved = Object.keys(tags).filter((key) => reservedTag.test(key))
  if (reserved.length > 0)
    spec.findings.warn(`spec.tags: ${reserved.join(', ')} is left out: Karpenter sets it itself`)
  return Object.fromEntries(Object.entries(tags).filter(([key]) => !reserved.includes(key)))
}

interface Images {
  readonly terms: readonly AmiSelectorTerm[]
  /** The family, where no alias says it, and what else it takes. */
  readonly more: Readonly<Record<string, unknown>>
}

function imagesOf(spec: Fields, settings: NodeTemplateSettings): Images {
  const written = spec.text('amiFamily')
  if (!spec.has('amiSelector')) return { terms: [{ alias: aliasOf(written, spec, settings) }], more: {} }
  const family = written ?? 'AL2'
  const terms = convertAmiSelector(spec.texts('amiSelector'), spec.findings)
  if (family === 'Ubuntu') return { terms, more: ubuntuAsAl2(spec) }
  if (family === 'Custom') checkCustom(spec)
  else if (aliases[family] === undefined) spec.findings.problem(`spec.amiFamily: ${family} is not known`)
  return { terms, more: { amiFamily: family } }
}

/**
 * Ubuntu's images boot as those of AL2 do, from another root volume. Source: upstream's converter at 1.0.
 */
export function ubuntuAsAl2(spec: Fields): Readonly<Record<string, unknown>> {
  const volume = { volumeSize: '20Gi', volumeType: 'gp3', encrypted: true }
  const own = spec.has('blockDeviceMappings')
  spec.findings.warn(
    `spec.amiFamily Ubuntu was removed in 1.0: AL2 is taken, which boots the selected images alike${own ? '' : ', and the root volume that Ubuntu had (/dev/sda1, gp3, 20Gi, encrypted)'}`
  )
  return {
    amiFamily: 'AL2',
    ...(!own && { blockDeviceMappings: [{ deviceName: '/dev/sda1', rootVolume: true, ebs: volume }] })
  }
}

/** A node that registers without this taint is taken for none of Karpenter's. Source: v1 migration guide, 1.0. */
export function checkCustom(spec: Fields): void {
  if (spec.text('userData')?.includes('karpenter.sh/unregistered') === true) return
  spec.findings.warn(
    'spec.userData of amiFamily Custom does not set the taint karpenter.sh/unregistered:NoExecute, without which 1.0 and later take no node for registered: pass it to kubelet (--register-with-taints)'
  )
}

/** A role or instance profile by its name; an ARN, or a name behind a path, is taken for the name at its end. */
export function nameOf(spec: Fields, field: 'role' | 'instanceProfile'): string | undefined {
  const given = spec.text(field)
  const name =
    /^(?:arn:[\w-]+:iam::\d{12}:(?:role|instance-profile)\/|\/?[\w+=,.@-]+\/|\/)(?:.*\/)?([^/]+)$/.exec(
      given ?? ''
    )?.[1]
  if (name === undefined) return given
  spec.findings.warn(
    `spec.${field} is ${given?.startsWith('arn:') === true ? 'an ARN' : 'a path'}: its name ${name} is taken, which is what an EC2NodeClass holds`
  )
  return name
}

/** The newest image of a family that still has images; what is taken in place of one that has none is a warning. */
export function aliasOf(family: string | undefined, spec: Fields, settings: NodeTemplateSettings): string {
  const { findings } = spec
  const taken = `al2023@latest is taken${spec.has('userData') ? '; check that userData suits Amazon Linux 2023' : ''}`
  const alias = aliases[family ?? '']
  if (family === undefined) {
    findings.warn(`spec.amiFamily is missing and meant Amazon Linux 2, which is at its end; ${taken}`)
  } else if (family === 'Custom') {
    findings.problem(
      'spec.amiFamily Custom needs images: amiSelector (v1alpha1), or amiSelectorTerms (v1beta1)'
    )
  } else if (family === 'Ubuntu') {
    findings.warn(`spec.amiFamily Ubuntu was removed in 1.0; ${taken}`)
  } else if (family === 'AL2' && kubernetesMinor(settings.kubernetesVersion) >= 33) {
    findings.warn(`Amazon Linux 2 has no images for Kubernetes ${settings.kubernetesVersion}; ${taken}`)
  } else if (alias === undefined) {
    findings.problem(`spec.amiFamily: ${family} is not known`)
  } else return alias
  return 'al2023@latest'
}
