import { isMap, type JsonMap, mapAt, picked } from '../../engine/json.js'
import type { Manifest } from '../../kubernetes/manifest.js'
import { defaultNodeClass, type NodeClassFacts } from '../default-node-pools.js'

export interface ConvertedNodeTemplate {
  readonly nodeClass: Manifest
  readonly warnings: readonly string[]
}

const aliases: Readonly<Record<string, string>> = {
  AL2: 'al2',
  AL2023: 'al2023',
  Bottlerocket: 'bottlerocket'
}

/** v1alpha1 AWSNodeTemplate to v1 EC2NodeClass. */
export function convertNodeTemplate(template: Manifest, facts: NodeClassFacts): ConvertedNodeTemplate {
  return nodeClassOf(
    template.metadata.name,
    `AWSNodeTemplate ${template.metadata.name}`,
    mapAt(template, 'spec'),
    facts
  )
}

/** The same fields stand in an AWSNodeTemplate's spec and in a Provisioner's inline `provider`. */
export function nodeClassOf(
  name: string,
  title: string,
  spec: JsonMap,
  facts: NodeClassFacts
): ConvertedNodeTemplate {
  const warnings: string[] = []
  const base = mapAt(defaultNodeClass(name, facts), 'spec')
  const { role, ...withoutRole } = base
  const instanceProfile = spec['instanceProfile']
  if (spec['launchTemplate'] !== undefined || spec['launchTemplateName'] !== undefined) {
    warnings.push(
      `${title}: launchTemplate has no equivalent in v1 and is dropped; put what it sets into the EC2NodeClass`
    )
  }
  if (instanceProfile === undefined) {
    warnings.push(`${title}: no instanceProfile is given, so nodes get the role ${facts.nodeRoleName}`)
  }
  if (!isMap(spec['metadataOptions'])) {
    warnings.push(`${title}: the metadata hop limit was 2 by default and is written out; v1 has 1`)
  }
  const nodeClass: Manifest = {
    apiVersion: 'karpenter.k8s.aws/v1',
    kind: 'EC2NodeClass',
    metadata: { name },
    spec: {
      ...withoutRole,
      ...(typeof instanceProfile === 'string' ? { instanceProfile } : { role }),
      ...images(title, spec, warnings),
      ...selector(spec, 'subnetSelector', 'subnetSelectorTerms'),
      ...selector(spec, 'securityGroupSelector', 'securityGroupSelectorTerms'),
      metadataOptions: isMap(spec['metadataOptions'])
        ? spec['metadataOptions']
        : {
            httpEndpoint: 'enabled',
            httpProtocolIPv6: 'disabled',
            httpPutResponseHopLimit: 2,
            httpTokens: 'required'
          },
      ...picked(spec, ['userData', 'blockDeviceMappings', 'detailedMonitoring', 'context']),
      ...mergedTags(spec, facts)
    }
  }
  return { nodeClass, warnings }
}

function mergedTags(spec: JsonMap, facts: NodeClassFacts): JsonMap {
  const tags = { ...facts.tags, ...mapAt(spec, 'tags') }
  return Object.keys(tags).length === 0 ? {} : { tags }
}

function images(title: string, spec: JsonMap, warnings: string[]): JsonMap {
  const family = typeof spec['amiFamily'] === 'string' ? spec['amiFamily'] : undefined
  const terms = selectorTerms(mapAt(spec, 'amiSelector'))
  if (family === 'Ubuntu') {
    warnings.push(
      `${title}: amiFamily Ubuntu is gone since 1.0; AL2023 is used, give amiSelectorTerms with amiFamily Custom for your own`
    )
  } else if (family === undefined) {
    warnings.push(
      `${title}: no amiFamily is given; it meant AL2, which has no images from Kubernetes 1.33 on, so AL2023 is used`
    )
  }
  if (terms.length > 0)
    return {
      amiFamily: family === undefined || family === 'Ubuntu' ? 'AL2023' : family,
      amiSelectorTerms: terms
    }
  const alias =
    aliases[family ?? ''] ?? (family?.startsWith('Windows') === true ? family.toLowerCase() : 'al2023')
  return { amiSelectorTerms: [{ alias: `${alias}@latest` }] }
}

function selector(spec: JsonMap, from: string, to: string): JsonMap {
  const terms = selectorTerms(mapAt(spec, from))
  return terms.length === 0 ? {} : { [to]: terms }
}

/** `aws-ids`, and lists in a tag's value, become a term each; the rest of the tags stands in every term. */
function selectorTerms(selected: JsonMap): readonly JsonMap[] {
  const ids = values(selected['aws-ids'] ?? selected['aws::ids'])
  if (ids.length > 0) return ids.map((id) => ({ id }))
  const names = values(selected['aws::name'])
  const owners = values(selected['aws::owners'])
  const tags = Object.entries(selected).filter(([key]) => !key.startsWith('aws'))
  let terms: JsonMap[] = tags.length === 0 ? [] : [{ tags: {} }]
  for (const [key, value] of tags) {
    terms = terms.flatMap((term) =>
      values(value).map((one) => ({ tags: { ...mapAt(term, 'tags'), [key]: one } }))
    )
  }
  if (names.length > 0)
    terms = spread(
      terms,
      names.map((name) => ({ name }))
    )
  if (owners.length > 0)
    terms = spread(
      terms,
      owners.map((owner) => ({ owner }))
    )
  return terms
}

function spread(terms: readonly JsonMap[], others: readonly JsonMap[]): JsonMap[] {
  return terms.length === 0
    ? [...others]
    : terms.flatMap((term) => others.map((other) => ({ ...term, ...other })))
}

function values(value: unknown): readonly string[] {
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') return []
  return String(value)
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '')
}
