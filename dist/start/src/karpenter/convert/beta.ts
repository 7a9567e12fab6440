import type { JsonMap } from '../../engine/json.js'
import { Fields } from './fields.js'
import type { DocumentFindings } from './findings.js'
import { aliasOf, metadataDefaults, type NodeTemplateSettings, ubuntuAsAl2 } from './node-template.js'
import { kubeletOf } from './provisioner.js'

/**
 * karpenter.sh/v1beta1 (0.32 to 1.0) as v1: few fields moved. What these fields mean now is in upstream's v1 migration
 * guide. The rules of v1 are checked afterwards, as for any v1 manifest.
 */
export function convertBetaNodePool(
  value: JsonMap,
  findings: DocumentFindings
): { readonly manifest: JsonMap; readonly kubelet: Readonly<Record<string, unknown>> | undefined } {
  const spec = new Fields(value, 'manifest', findings).map('spec')
  const template = spec.map('template')
  const own = template.map('spec')
  const disruption = spec.map('disruption')
  const reference = own.map('nodeClassRef')
  if (own.has('resources')) findings.warn('spec.template.spec.resources is left out: v1 has no such field')
  if (disruption.has('expireAfter'))
    findings.warn(
      'spec.disruption.expireAfter moved to spec.template.spec, and is forceful now: nodes are drained at that age whatever the budgets say'
    )
  const kept = Object.fromEntries(
    own
      .names()
      .filter((name) => name !== 'kubelet' && name !== 'resources')
      .map((name) => [name, own.raw(name)])
  )
  return {
    kubelet: kubeletOf(own.map('kubelet')),
    manifest: {
      ...value,
      apiVersion: 'karpenter.sh/v1',
      spec: {
        ...rest(spec, ['template', 'disruption']),
        disruption: { ...rest(disruption, ['expireAfter']), ...disruptionOf(disruption) },
        template: {
          ...rest(template, ['spec']),
          spec: {
            requirements: [],
            ...kept,
            nodeClassRef: {
              group: reference.text('apiVersion')?.split('/')[0] ?? 'karpenter.k8s.aws',
              kind: reference.text('kind') ?? 'EC2NodeClass',
              ...(reference.has('name') && { name: reference.text('name') })
            },
            expireAfter: disruption.text('expireAfter') ?? '720h'
          }
        }
      }
    }
  }
}

function rest(fields: Fields, without: readonly string[]): JsonMap {
  return Object.fromEntries(
    fields
      .names()
      .filter((name) => !without.includes(name))
      .map((name) => [name, fields.raw(name)])
  )
}

/** v1beta1's own default was WhenUnderutilized, which took no consolidateAfter and did not wait. */
function disruptionOf(disruption: Fields): JsonMap {
  const policy = disruption.text('consolidationPolicy') ?? 'WhenUnderutilized'
  return {
    consolidationPolicy: policy === 'WhenUnderutilized' ? 'WhenEmptyOrUnderutilized' : policy,
    consolidateAfter: disruption.text('consolidateAfter') ?? '0s'
  }
}

/** In which 1.0 kept the version of an alias for its v1beta1 form. Source: pkg/apis/v1/labels.go at 1.0. */
const aliasVersion = 'compatibility.karpenter.k8s.aws/v1-alias-version'

/**
 * EC2NodeClass v1beta1 as v1: images by alias where no term selects them, Ubuntu by the family that boots like it, and the
 * old hop limit written out. Source: upstream's converter, pkg/apis/v1/ec2nodeclass_conversion.go at 1.0.
 */
export function convertBetaNodeClass(
  value: JsonMap,
  settings: NodeTemplateSettings,
  findings: DocumentFindings
): JsonMap {
  const manifest = new Fields(value, 'manifest', findings)
  const spec = new Fields(manifest.raw('spec'), 'spec', findings)
  const selected = spec.list('amiSelectorTerms').length > 0
  const version = manifest.map('metadata').map('annotations').text(aliasVersion)
  const alias = selected ? '' : aliasOf(spec.text('amiFamily'), spec, settings)
  return {
    ...value,
    apiVersion: 'karpenter.k8s.aws/v1',
    spec: {
      ...rest(spec, selected ? [] : ['amiFamily']),
      ...(selected && spec.text('amiFamily') === 'Ubuntu' && ubuntuAsAl2(spec)),
      ...(!selected && {
        amiSelectorTerms: [{ alias: version === undefined ? alias : alias.replace(/@.*/, `@${version}`) }]
      }),
      metadataOptions: { ...metadataDefaults, ...rest(spec.map('metadataOptions'), []) }
    }
  }
}
