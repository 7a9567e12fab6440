import { duration } from '../../engine/quantity.js'
import { Fields } from './fields.js'
import type { DocumentFindings } from './findings.js'
import { checkCustom } from './node-template.js'
import { valuesProblem } from './requirements.js'

/**
 * What the CRDs of karpenter.sh/v1 and karpenter.k8s.aws/v1 ask of every manifest (1.0 to 1.14). The API server has the
 * last word; this finds the usual mistakes where the CRDs are not there yet.
 */
export function checkNodePool(manifest: unknown, findings: DocumentFindings): void {
  const spec = new Fields(manifest, 'manifest', findings).map('spec')
  const template = spec.map('template').map('spec')
  const reference = template.map('nodeClassRef')
  if (isAutoMode(reference.text('group'))) {
    findings.problem(
      "spec.template.spec.nodeClassRef is EKS Auto Mode's: its nodes are made by AWS, not by this Karpenter; refer to an EC2NodeClass (group karpenter.k8s.aws)"
    )
  }
  const missing = ['group', 'kind', 'name'].filter((name) => !reference.has(name))
  if (missing.length > 0) {
    findings.problem(
      `spec.template.spec.nodeClassRef has no ${missing.join(', ')}; use group karpenter.k8s.aws, kind EC2NodeClass and its name`
    )
  }
  if (!template.has('requirements'))
    findings.problem('spec.template.spec.requirements is missing; [] is allowed')
  template.list('requirements').forEach((entry, index) => {
    const path = `spec.template.spec.requirements[${index}]`
    const own = new Fields(entry, path, findings)
    const [key, operator] = [own.text('key'), own.text('operator') ?? '']
    if (key === undefined) findings.problem(`${path}.key is missing`)
    if (!/^(In|NotIn|Exists|DoesNotExist|Gt|Lt|Gte|Lte)$/.test(operator))
      findings.problem(`${path}.operator: ${operator === '' ? 'is missing' : `${operator} is not known`}`)
    const problem = valuesProblem(operator, own.textList('values'))
    if (problem !== undefined) findings.problem(`${path} (${key ?? ''} ${operator}): ${problem}`)
  })
  checkDuration(template, 'expireAfter')
  if (spec.has('disruption')) {
    const disruption = spec.map('disruption')
    if (!disruption.has('consolidateAfter'))
      findings.problem('spec.disruption.consolidateAfter is missing; use a duration such as 1m, or Never')
    checkDuration(disruption, 'consolidateAfter')
    const policy = disruption.text('consolidationPolicy')
    if (policy !== undefined && !/^(WhenEmpty|WhenEmptyOrUnderutilized|Balanced)$/.test(policy)) {
      findings.problem(
        `spec.disruption.consolidationPolicy: ${policy} is not known; use WhenEmpty or WhenEmptyOrUnderutilized`
      )
    }
  }
  const weight = spec.count('weight')
  if (weight !== undefined && (weight < 1 || weight > 100))
    findings.problem(`spec.weight: ${weight} is not from 1 to 100`)
}

/** NodeClasses of EKS Auto Mode are in this group. */
export function isAutoMode(group: string | undefined): boolean {
  return group === 'eks.amazonaws.com'
}

function checkDuration(fields: Fields, name: string): void {
  const text = fields.text(name)
  if (text !== undefined && text !== 'Never' && (duration(text) === undefined || !/^[\dhms]+$/.test(text)))
    fields.findings.problem(`${fields.path(name)}: ${text} is not a duration such as 720h, or Never`)
}

export function checkNodeClass(manifest: unknown, findings: DocumentFindings): void {
  const spec = new Fields(new Fields(manifest, 'manifest', findings).raw('spec'), 'spec', findings)
  for (const name of ['amiSelectorTerms', 'subnetSelectorTerms', 'securityGroupSelectorTerms']) {
    const terms = spec.list(name)
    if (terms.length === 0 || terms.length > 30)
      findings.problem(`spec.${name} has ${terms.length} terms; 1 to 30 are allowed`)
  }
  if (spec.has('role') === spec.has('instanceProfile'))
    findings.problem('spec needs exactly one of role and instanceProfile')
  if (spec.text('amiFamily') === 'Custom') checkCustom(spec)
  const images = spec
    .list('amiSelectorTerms')
    .map((entry, index) => new Fields(entry, `spec.amiSelectorTerms[${index}]`, findings))
  const aliased = images.filter((term) => term.has('alias'))
  if (aliased.length === 0 && !spec.has('amiFamily'))
    findings.problem(
      'spec.amiFamily is missing, and no term of amiSelectorTerms has an alias that would say it'
    )
  if (aliased.length > 0 && images.length > 1)
    findings.problem('spec.amiSelectorTerms: an alias must be the only term')
  for (const term of aliased) {
    const alias = term.text('alias') ?? ''
    if (!/^(al2|al2023|bottlerocket|windows20\d\d)@.+$/i.test(alias))
      findings.problem(`spec.amiSelectorTerms: alias ${alias} is not family@version, such as al2023@latest`)
  }
}
