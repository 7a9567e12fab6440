import { loadAll } from 'js-yaml'
import { messageOf, UserError } from '../../engine/errors.js'
import { mapAt } from '../../engine/json.js'
import { isManifest, type Manifest } from '../../kubernetes/manifest.js'
import { defaultNodeClass, type NodeClassFacts } from '../default-node-pools.js'
import { convertNodeTemplate } from './node-template.js'
import { convertProvisioner } from './provisioner.js'

export interface ReadManifests {
  readonly nodePools: readonly Manifest[]
  readonly nodeClasses: readonly Manifest[]
  /** One for each lossy step. */
  readonly warnings: readonly string[]
}

interface Collected {
  readonly nodePools: Manifest[]
  readonly nodeClasses: Manifest[]
  readonly warnings: string[]
  readonly problems: string[]
  /** EC2NodeClass and Provisioner that refers to it: converted text often leaves the EC2NodeClass out. */
  readonly referred: Map<string, string>
}

/**
 * The user's NodePools and EC2NodeClasses. v1 is taken as it stands; v1alpha5 Provisioners and v1alpha1 AWSNodeTemplates
 * are converted, also under the group `karpenter.k8s.aws` that the guide once gave to Provisioners. Throws one UserError
 * that lists every problem with its document.
 */
export function readManifests(text: string, source: string, facts: NodeClassFacts): ReadManifests {
  const collected: Collected = {
    nodePools: [],
    nodeClasses: [],
    warnings: [],
    problems: [],
    referred: new Map()
  }
  const filled = text.replaceAll(/\$\{?CLUSTER_NAME\}?/g, facts.clusterName)
  if (filled !== text)
    collected.warnings.push(`${source}: CLUSTER_NAME is filled in with ${facts.clusterName}`)
  for (const [index, document] of documentsOf(filled, source).entries()) {
    if (document === null || document === undefined) continue
    add(document, `document ${index + 1}`, facts, collected)
  }
  addMissingNodeClasses(facts, collected)
  const [first, ...more] = collected.problems
  if (first !== undefined) {
    throw new UserError(
      'node-pools',
      [`${source}: ${first}`, ...more].join('\n'),
      'Correct the manifest and run again.',
      {
        state: 'Nothing was changed.'
      }
    )
  }
  if (collected.nodePools.length + collected.nodeClasses.length === 0) {
    throw new UserError('node-pools', `${source} has no manifest`, 'Pass NodePools, or `node-pools: none`.', {
      state: 'Nothing was changed.'
    })
  }
  return collected
}

function documentsOf(text: string, source: string): readonly unknown[] {
  try {
    return loadAll(text)
  } catch (error) {
    throw new UserError(
      'node-pools',
      `${source} is not YAML: ${messageOf(error)}`,
      'Correct it and run again.',
      {
        state: 'Nothing was changed.',
        cause: error
      }
    )
  }
}

function add(document: unknown, place: string, facts: NodeClassFacts, to: Collected): void {
  if (!isManifest(document)) {
    to.problems.push(`${place}: apiVersion, kind and metadata.name are needed`)
    return
  }
  const { kind, apiVersion } = document
  const group = apiVersion.split('/')[0] ?? ''
  const title = `${place}: ${kind} ${document.metadata.name}`
  if (kind === 'NodePool' && apiVersion === 'karpenter.sh/v1') to.nodePools.push(document)
  else if (kind === 'EC2NodeClass' && apiVersion === 'karpenter.k8s.aws/v1') to.nodeClasses.push(document)
  else if (kind === 'Provisioner' && /^karpenter\.(sh|k8s\.aws)\/v1alpha5$/.test(apiVersion)) {
    if (group !== 'karpenter.sh') to.warnings.push(`${title}: its group is karpenter.sh, not ${group}`)
    const converted = convertProvisioner(document, facts)
    to.nodePools.push(converted.nodePool)
    to.referred.set(converted.nodeClassName, document.metadata.name)
    if (converted.nodeClass !== undefined) to.nodeClasses.push(withKubelet(converted.nodeClass, document))
    to.warnings.push(...converted.warnings)
  } else if (kind === 'AWSNodeTemplate' && apiVersion === 'karpenter.k8s.aws/v1alpha1') {
    const converted = convertNodeTemplate(document, facts)
    to.nodeClasses.push(converted.nodeClass)
    to.warnings.push(...converted.warnings)
  } else if (group.startsWith('karpenter')) {
    to.problems.push(
      `${title} (${apiVersion}) is not supported; write it as karpenter.sh/v1 or karpenter.k8s.aws/v1`
    )
  } else to.problems.push(`${title} (${apiVersion}) is neither a NodePool nor an EC2NodeClass`)
}

/** The kubelet's settings moved from the Provisioner to the EC2NodeClass; the container runtime is no setting any more. */
function withKubelet(nodeClass: Manifest, provisioner: Manifest): Manifest {
  const kubelet = Object.entries(mapAt(mapAt(provisioner, 'spec'), 'kubeletConfiguration')).filter(
    ([key]) => key !== 'containerRuntime'
  )
  if (kubelet.length === 0) return nodeClass
  return { ...nodeClass, spec: { ...mapAt(nodeClass, 'spec'), kubelet: Object.fromEntries(kubelet) } }
}

/** A Provisioner's AWSNodeTemplate that is not in the text becomes the default EC2NodeClass of that name. */
function addMissingNodeClasses(facts: NodeClassFacts, to: Collected): void {
  const given = new Set(to.nodeClasses.map((nodeClass) => nodeClass.metadata.name))
  for (const [name, provisioner] of to.referred) {
    if (given.has(name)) continue
    to.nodeClasses.push(defaultNodeClass(name, facts))
    to.warnings.push(
      `Provisioner ${provisioner}: AWSNodeTemplate ${name} is not in the manifest, so a default EC2NodeClass of that name is made`
    )
  }
}
