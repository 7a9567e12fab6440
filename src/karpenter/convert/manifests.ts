import { isMap, type JsonMap } from '../../engine/json.js'
import { isManifest } from '../../kubernetes/manifest.js'
import { ownGroups } from '../crd-names.js'
import { defaultNodeClass } from '../default-node-pools.js'
import type { EC2NodeClass, NodePool } from '../types.js'
import { convertBetaNodeClass, convertBetaNodePool } from './beta.js'
import { checkNodeClass, checkNodePool } from './check-v1.js'
import { readDocuments, type ReadDocument } from './documents.js'
import { textOf } from './fields.js'
import { type DocumentFindings, ManifestFindings } from './findings.js'
import { convertNodeTemplate, type NodeTemplateSettings } from './node-template.js'
import { replacePlaceholders } from './placeholders.js'
import { type ConvertedProvisioner, convertProvisioner } from './provisioner.js'

export interface ManifestSettings extends NodeTemplateSettings {
  /** What errors call the text: its path, or `node-pools`. */
  readonly source: string
}

export interface ReadManifests {
  readonly nodePools: readonly NodePool[]
  readonly nodeClasses: readonly EC2NodeClass[]
  /** Every step that is not lossless, with its document and line. */
  readonly warnings: readonly string[]
}

/**
 * NodePools and EC2NodeClasses out of the user's text: v1 as it is, Provisioner v1alpha5 and AWSNodeTemplate v1alpha1
 * converted. Throws one UserError that lists every problem with its document and line.
 */
export function readManifests(text: string, settings: ManifestSettings): ReadManifests {
  const reader = new ManifestReader(settings)
  for (const document of readDocuments(text, settings.source)) reader.read(document)
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

  constructor(settings: ManifestSettings) {
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
    const metadata = isMap(value['metadata']) ? value['metadata'] : {}
    const name = metadata['name']
    if (typeof name !== 'string' || !/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/.test(name))
      return findings.problem('metadata.name is missing or is no name: use letters, digits, - and .')
    if (kind === 'NodePool' || kind === 'EC2NodeClass')
      return this.#current(value, kind, apiVersion, findings)
    if (kind === 'Provisioner' || kind === 'AWSNodeTemplate') {
      const right = kind === 'Provisioner' ? 'karpenter.sh/v1alpha5' : 'karpenter.k8s.aws/v1alpha1'
      if (!ownGroups.includes(group) || !/^v1alpha\d$/.test(version))
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
    findings.problem(
      `${kind === '' ? 'an object without a kind' : kind} is not taken; ${source} is for NodePools and EC2NodeClasses only`
    )
  }

  #current(
    value: JsonMap,
    kind: 'NodePool' | 'EC2NodeClass',
    apiVersion: string,
    findings: DocumentFindings
  ): void {
    const right = kind === 'NodePool' ? 'karpenter.sh/v1' : 'karpenter.k8s.aws/v1'
    if (value['apiVersion'] === right.replace('/v1', '/v1beta1')) {
      findings.warn(`apiVersion ${right}beta1 is not served since 1.1; it is converted to ${right}`)
      return this.#beta(value, kind, findings)
    }
    if (value['apiVersion'] !== right)
      return findings.problem(`apiVersion ${apiVersion} is not known; use ${right}`)
    if (isNodePool(value)) {
      checkNodePool(value, findings)
      return this.#addPool(value, findings)
    }
    if (isNodeClass(value)) {
      checkNodeClass(value, findings)
      const { role } = value.spec
      if (role !== undefined && role !== this.#settings.nodeRoleName) {
        findings.warn(
          `spec.role is ${role}, and node-role-name ${this.#settings.nodeRoleName}: the controller may pass only the latter, and only it is given access to the cluster`
        )
      }
      return this.#add(value, findings)
    }
    findings.problem('spec is missing')
  }

  #beta(value: JsonMap, kind: 'NodePool' | 'EC2NodeClass', findings: DocumentFindings): void {
    if (kind === 'EC2NodeClass') {
      const converted = convertBetaNodeClass(value, this.#settings, findings)
      return this.#current(converted, kind, 'karpenter.k8s.aws/v1', findings)
    }
    const { manifest, kubelet } = convertBetaNodePool(value, findings)
    this.#current(manifest, kind, 'karpenter.sh/v1', findings)
    if (kubelet === undefined || !isNodePool(manifest)) return
    const own = { nodePool: manifest, kubelet, nodeTemplate: undefined, inlineTemplate: undefined }
    this.#kubelets.push({ value: own, findings })
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
      this.#all
        .at({ source: this.#settings.source, document: 1, line: 1 }, '')
        .problem('there is no manifest')
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
    } else if (!this.#nodeClasses.has(name)) {
      findings.warn(
        `its AWSNodeTemplate ${value.nodeTemplate ?? '(none named)'} is not in ${this.#settings.source}: EC2NodeClass ${name} is made with the defaults of node-pools: default`
      )
      this.#nodeClasses.set(name, defaultNodeClass(name, this.#settings))
    }
  }

  /** Kubelet settings belong to the EC2NodeClass now. */
  #giveKubelet({ value, findings }: Read<ConvertedProvisioner>): void {
    const { nodePool, kubelet } = value
    if (kubelet === undefined) return
    const { name } = nodePool.spec.template.spec.nodeClassRef
    const nodeClass = this.#nodeClasses.get(name)
    if (nodeClass === undefined) {
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
