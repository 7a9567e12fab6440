import { guideRequirements } from '../default-node-pools.js'
import type { Requirement, Taint } from '../types.js'
import { Fields } from './fields.js'
import type { DocumentFindings } from './findings.js'

const operators = ['In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt'] as const

/** Labels that Kubernetes gave up, which the old API took for their successors. */
const renamed: Readonly<Record<string, string>> = {
  'beta.kubernetes.io/arch': 'kubernetes.io/arch',
  'beta.kubernetes.io/os': 'kubernetes.io/os',
  'beta.kubernetes.io/instance-type': 'node.kubernetes.io/instance-type',
  'failure-domain.beta.kubernetes.io/zone': 'topology.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region': 'topology.kubernetes.io/region'
}

/** Any of these says which instances, so that the old webhook's default for them did not apply. */
const instanceKeys = [
  'node.kubernetes.io/instance-type',
  'karpenter.k8s.aws/instance-family',
  'karpenter.k8s.aws/instance-category',
  'karpenter.k8s.aws/instance-generation'
]

/**
 * A Provisioner's requirements, with those written out that the old webhook added: os linux, arch amd64, on-demand, and
 * categories c, m and r from generation 3. v1 adds none of them. `labels` count as said, too.
 */
export function convertRequirements(
  requirements: readonly unknown[],
  labels: Readonly<Record<string, string>>,
  findings: DocumentFindings
): readonly Requirement[] {
  const own = requirements.flatMap((entry, index) => {
    const fields = new Fields(entry, `spec.requirements[${index}]`, findings)
    const requirement = convertOne(fields, `spec.requirements[${index}]`)
    return requirement === undefined ? [] : [requirement]
  })
  const said = new Set([...own.map((one) => one.key), ...Object.keys(labels)])
  const instancesSaid = instanceKeys.some((key) => said.has(key))
  return [
    ...own,
    ...guideRequirements.filter((one) =>
      instanceKeys.includes(one.key) ? !instancesSaid : !said.has(one.key)
    )
  ]
}

function convertOne(fields: Fields, path: string): Requirement | undefined {
  const { findings } = fields
  const written = fields.text('key')
  const operator = operators.find((one) => one === fields.raw('operator'))
  if (written === undefined || written === '') {
    findings.problem(`${path}.key is missing`)
    return undefined
  }
  if (operator === undefined) {
    findings.problem(`${path}.operator: use one of ${operators.join(', ')}`)
    return undefined
  }
  if (written === 'karpenter.sh/provisioner-name') {
    findings.warn(`${path}: karpenter.sh/provisioner-name is left out: a NodePool's nodes have its own name`)
    return undefined
  }
  const key = renamed[written] ?? written
  if (key !== written) findings.warn(`${path}: ${written} is now ${key}`)
  const values = fields.textList('values')
  const problem = valuesProblem(operator, values)
  if (problem !== undefined) {
    findings.problem(`${path} (${key} ${operator}): ${problem}`)
    return undefined
  }
  return { key, operator, ...(values.length > 0 && { values }) }
}

/**
 * What an operator asks of its values; undefined when they are right. An empty one is a label's value like others. Source:
 * NodePool CRD, 1.0 to 1.14.
 */
export function valuesProblem(operator: string, values: readonly string[]): string | undefined {
  if (operator === 'In' && values.length === 0) return 'In needs at least one value'
  if ((operator === 'Exists' || operator === 'DoesNotExist') && values.length > 0)
    return `${operator} takes no values`
  if (/^(Gt|Lt|Gte|Lte)$/.test(operator) && (values.length !== 1 || !/^\d+$/.test(values[0] ?? '')))
    return `${operator} takes one whole number`
  return undefined
}

const effects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'] as const

export function convertTaints(
  taints: readonly unknown[],
  path: string,
  findings: DocumentFindings
): readonly Taint[] {
  return taints.flatMap((entry, index) => {
    const fields = new Fields(entry, `${path}[${index}]`, findings)
    const [key, value] = [fields.text('key'), fields.text('value')]
    const effect = effects.find((one) => one === fields.raw('effect'))
    if (key === undefined || effect === undefined) {
      findings.problem(`${path}[${index}]: a taint needs a key and one of the effects ${effects.join(', ')}`)
      return []
    }
    return [{ key, effect, ...(value !== undefined && value !== '' && { value }) }]
  })
}
