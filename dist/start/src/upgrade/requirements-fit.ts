import { listField, textField } from '../kubernetes/manifest.js'

/**
 * Whether a node's labels meet a NodePool's requirements, as Karpenter's drift controller asks: a label that is not there
 * meets only NotIn and DoesNotExist (areRequirementsDrifted and Requirements.Compatible, kubernetes-sigs/karpenter 1.0 to
 * 1.14).
 */
export function fits(requirements: readonly unknown[], labels: Readonly<Record<string, string>>): boolean {
  return requirements.every((requirement) => {
    const value = labels[textField(requirement, 'key') ?? '']
    const values = listField(requirement, 'values').map(String)
    const operator = textField(requirement, 'operator')
    if (value === undefined) return operator === 'NotIn' || operator === 'DoesNotExist'
    const [number, bound] = [Number(value), Number(values[0])]
    switch (operator) {
      case 'In':
        return values.includes(value)
      case 'NotIn':
        return !values.includes(value)
      case 'DoesNotExist':
        return false
      case 'Gt':
        return number > bound
      case 'Lt':
        return number < bound
      case 'Gte':
        return number >= bound
      case 'Lte':
        return number <= bound
      default:
        return true
    }
  })
}
