import { isMap, type JsonMap } from '../../engine/json.js'
import { isManifest } from '../../kubernetes/manifest.js'
import { ownGroups } from '../crd-names.js'
import type { EC2NodeClass, NodePool } from '../types.js'
import { convertBetaNodeClass, convertBetaNodePool } from './beta.js'
import { checkNodeClass, checkNodePool, isAutoMode } from './check-v1.js'
import { readDocuments, type ReadDocument } from './documents.js'
import { Fields, textOf } from './fields.js'
import { type DocumentFindings, ManifestFindings } from './findings.js'
import { convertNodeTemplate, nameOf, type NodeTemplateSettings } from './node-template.js'
import { replacePlaceholders } from './placeholders.js'
import { asWritten } from './server-fields.js'
import { type ConvertedProvisioner, convertProvisioner } from './provisioner.js'

export interface ManifestSettings extends NodeTemplateSettings {
  /** Names of the EC2NodeClasses that the cluster has; undefined where it does not matter that one is missing. */
  readonly liveNodeClasses?: readonly string[] | undefined
}

/** One file, or the input itself. */
export interface ManifestText {
  /** What errors call it: its path, or `node-pools`. */
  readonly source: string
  readonly text: string
}

export interface ReadManifests {
  readonly nodePools: readonly NodePool[]
  readonly nodeClasses: readonly EC2NodeClass[]
  /** Every step that is not lossless, with its document and line. */
  readonly warnings: readonly string[]
}

/**
 * NodePools and EC2NodeClasses out of the user's texts: v1 as it is, v1beta1, Provisioner v1alpha5 and AWSNodeTemplate
 * v1alpha1 converted. Throws one UserError that lists every problem with its document and line.
 */
export function readManifests(texts: readonly ManifestText[], settings: ManifestSettings): ReadManifests {
  const [first] = texts
  const source = texts.length === 1 && first !== undefined ? first.source : 'node-pools'
  const reader = new ManifestReader(settings, source)
  for (const { text, source: of } of texts)
    for (const document of readDocuments(text, of)) reader.read(document)
  return reader.result()
}

interface Read<T> {
  readonly value: T
  readonly findings: DocumentFindings
}

class ManifestReader {
  readonly #settings: ManifestSettings
  readonly #all = new ManifestFindings()
  readonly #nodePools: NodePool[] = []
  readonly #nodeClasses = new Map<string, EC2NodeClass>()
  readonly #provisioners: Read<ConvertedProvisioner>[] = []
  /** NodePools v1beta1 with kubelet settings; they make no EC2NodeClass. */
  readonly #kubelets: Read<ConvertedProvisioner>[] = []
  #documents = 0

  constructor(
    settings: ManifestSettings,
    /** What all of the texts are called. */
    readonly source: string
  ) {
    this.#settings = settings
  }

  read(document: ReadDocument): void {
    this.#documents += 1
    const { source } = document.place
    const what = isMap(document.value) ? describe(document.value) : ''
    const findings = this.#all.at(document.place, what)
    const known = { CLUSTER_NAME: this.#settings.clusterName, ALIAS_VERSION: 'latest' }
    const value = replacePlaceholders(document.value, known, findings)
    if (!isMap(value)) return findings.problem(`is not a manifest; ${source} must hold Kubernetes objects`)
    const [apiVersion, kind] = [textOf(value['apiVersion']) ?? '', textOf(value['kind']) ?? '']
    const [group = '', version = ''] = apiVersion.split('/')
    if (!/^(NodePool|EC2NodeClass|NodeClass|Provisioner|AWSNodeTemplate)$/.test(kind))
      return findings.problem(notTaken(kind, source))
    const metadata = isMap(value['metadata']) ? value['metadata'] : {}
    const name = metadata['name']
    if (typeof name !== 'string' || !/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/.test(name))
      return findings.problem(
        typeof name === 'number' || typeof name === 'boolean'
          ? `metadata.name is read as ${JSON.stringify(name)}: write it in quotes`
          : 'metadata.name is missing or is no name: use small letters, digits, - and .'
      )
    if (kind === 'NodePool' || kind === 'EC2NodeClass') return this.#recent(value, kind, apiVersion, findings)
    if (kind === 'Provisioner' || kind === 'AWSNodeTemplate') {
      const right = kind === 'Provisioner' ? 'karpenter.sh/v1alpha5' : 'karpenter.k8s.aws/v1alpha1'
      if (ownGroups.includes(group) && /^v1alpha[2-4]$/.test(version))
        return findings.problem(
          `apiVersion ${apiVersion} is older than ${right}, and has other fields: write it as NodePool and EC2NodeClass v1`
        )
      if (!ownGroups.includes(group) || !/^v1alpha[15]$/.test(version))
        return findings.problem(`apiVersion ${apiVersion} is not known; ${kind} is in ${right}`)
      if (apiVersion !== right)
        findings.warn(`apiVersion ${apiVersion} is taken for ${right}, where ${kind} is`)
      if (Object.keys(metadata).some((key) => key === 'labels' || key === 'annotations'))
        findings.warn('labels and annotations of the object itself are left out')
      if (kind === 'AWSNodeTemplate')
        return this.#add(convertNodeTemplate(name, value['spec'], this.#settings, findings), findings)
      const converted = convertProvisioner(name, value['spec'], findings)
      this.#provisioners.push({ value: converted, findings })
      return this.#addPool(converted.nodePool, findings)
    }
    if (isAutoMode(group))
      return findings.problem(
        `${kind} is EKS Auto Mode's, which AWS runs beside this Karpenter; ${source} is for NodePools and EC2NodeClasses`
      )
    findings.problem(notTaken(kind, source))
  }

  /** v1beta1 or v1. */
  #recent(
    value: JsonMap,
    kind: 'NodePool' | 'EC2NodeClass',
    apiVersion: string,
    findings: DocumentFindings
  ): void {
    const right = kind === 'NodePool' ? 'karpenter.sh/v1' : 'karpenter.k8s.aws/v1'
    if (apiVersion === right) return this.#current(asWritten(value, findings), findings)
    if (apiVersion !== `${right}beta1`)
      return findings.problem(`apiVersion ${apiVersion} is not known; use ${right}`)
    findings.warn(`apiVersion ${apiVersion} is not served since 1.1; it is converted to ${right}`)
    if (kind === 'EC2NodeClass') {
      const converted = convertBetaNodeClass(value, this.#settings, findings)
      return this.#current(asWritten(converted, findings), findings)
    }
    const converted = convertBetaNodePool(value, findings)
    const manifest = asWritten(converted.manifest, findings)
    this.#current(manifest, findings)
    if (converted.kubelet === undefined || !isNodePool(manifest)) return
    const own = {
      nodePool: manifest,
      kubelet: converted.kubelet,
      nodeTemplate: undefined,
      inlineTemplate: undefined
    }
    this.#kubelets.push({ value: own, findings })
  }

  #current(value: JsonMap, findings: DocumentFindings): void {
    if (isNodePool(value)) {
      checkNodePool(value, findings)
      return this.#addPool(value, findings)
    }
    if (!isNodeClass(value)) return findings.problem('spec is missing')
    checkNodeClass(value, findings)
    const spec = new Fields(value.spec, 'spec', findings)
    const [role, instanceProfile] = [nameOf(spec, 'role'), nameOf(spec, 'instanceProfile')]
    const own = this.#settings.nodeRoleName
    if (role !== undefined && role !== own) {
      findings.warn(
        `spec.role is ${role}, and node-role-name ${own}: the controller may pass only the latter, and only it is given access to the cluster`
      )
    }
    this.#add(
      {
        ...value,
        spec: {
          ...value.spec,
          ...(role !== undefined && { role }),
          ...(instanceProfile !== undefined && { instanceProfile })
        }
      },
      findings
    )
  }

  #addPool(nodePool: NodePool, findings: DocumentFindings): void {
    if (this.#nodePools.some((one) => one.metadata.name === nodePool.metadata.name))
      findings.problem(`NodePool ${nodePool.metadata.name} is there twice`)
    this.#nodePools.push(nodePool)
  }

  #add(nodeClass: EC2NodeClass, findings: DocumentFindings): void {
    const { name } = nodeClass.metadata
    if (this.#nodeClasses.has(name)) findings.problem(`EC2NodeClass ${name} is there twice`)
    this.#nodeClasses.set(name, nodeClass)
  }

  result(): ReadManifests {
    if (this.#documents === 0)
      this.#all.at({ source: this.source, document: 1, line: 1 }, '').problem('there is no manifest')
    for (const provisioner of this.#provisioners) this.#giveNodeClass(provisioner)
    for (const own of [...this.#provisioners, ...this.#kubelets]) this.#giveKubelet(own)
    this.#all.throwIfAny()
    return {
      nodePools: this.#nodePools,
      nodeClasses: [...this.#nodeClasses.values()],
      warnings: this.#all.warnings
    }
  }

  /** A converted Provisioner has the EC2NodeClass that it refers to. */
  #giveNodeClass({ value, findings }: Read<ConvertedProvisioner>): void {
    const { name } = value.nodePool.spec.template.spec.nodeClassRef
    if (value.inlineTemplate !== undefined) {
      this.#add(convertNodeTemplate(name, value.inlineTemplate, this.#settings, findings), findings)
      return
    }
    if (this.#nodeClasses.has(name)) return
    const template = `its AWSNodeTemplate ${value.nodeTemplate ?? '(none named)'} is not in ${this.source}`
    const live = this.#settings.liveNodeClasses
    if (live?.includes(name) === true)
      findings.warn(`${template}: EC2NodeClass ${name} of the cluster is taken as it is`)
    else if (live !== undefined)
      findings.problem(
        `${template}, and the cluster has no EC2NodeClass ${name}: add the file that has it (node-pools takes several paths and globs)`
      )
  }

  /** Kubelet settings belong to the EC2NodeClass now. */
  #giveKubelet({ value, findings }: Read<ConvertedProvisioner>): void {
    const { nodePool, kubelet } = value
    if (kubelet === undefined) return
    const { name } = nodePool.spec.template.spec.nodeClassRef
    const nodeClass = this.#nodeClasses.get(name)
    if (nodeClass === undefined) {
      if (this.#settings.liveNodeClasses === undefined) return
      findings.problem(
        `its kubelet settings belong to EC2NodeClass ${name} now; put that into the text as well`
      )
      return
    }
    const users = this.#nodePools.filter((one) => one.spec.template.spec.nodeClassRef.name === name)
    if (users.length === 1) {
      findings.warn(`its kubelet settings moved to EC2NodeClass ${name}`)
      this.#nodeClasses.set(name, { ...nodeClass, spec: { ...nodeClass.spec, kubelet } })
      return
    }
    // The other NodePools that use it have settings of their own, or none.
    const own = `${name}-${nodePool.metadata.name}`
    findings.warn(`its kubelet settings need an EC2NodeClass of their own: ${own}, a copy of ${name}`)
    this.#add({ ...nodeClass, metadata: { name: own }, spec: { ...nodeClass.spec, kubelet } }, findings)
    this.#nodePools[this.#nodePools.indexOf(nodePool)] = referringTo(nodePool, own)
  }
}

function referringTo(nodePool: NodePool, name: string): NodePool {
  const { template } = nodePool.spec
  const nodeClassRef = { ...template.spec.nodeClassRef, name }
  return {
    ...nodePool,
    spec: { ...nodePool.spec, template: { ...template, spec: { ...template.spec, nodeClassRef } } }
  }
}

function notTaken(kind: string, source: string): string {
  const instead = kind === 'Kustomization' ? ': give what `kustomize build` prints' : ''
  return `${kind === '' ? 'an object without a kind' : kind} is not taken; ${source} is for NodePools and EC2NodeClasses only${instead}`
}

function describe(value: JsonMap): string {
  const name = isMap(value['metadata']) ? value['metadata']['name'] : undefined
  return [value['kind'], name].filter((part) => typeof part === 'string').join(' ')
}

function isNodePool(value: unknown): value is NodePool {
  return isManifest(value) && value.kind === 'NodePool' && isMap(value['spec'])
}

function isNodeClass(value: unknown): value is EC2NodeClass {
  return isManifest(value) && value.kind === 'EC2NodeClass' && isMap(value['spec'])
}
