import { isMap } from '../engine/json.js'
import { field, listField, textField } from './manifest.js'

type Labels = Readonly<Record<string, unknown>>

/**
 * Whether a LabelSelector takes the labels in; an empty one takes in everything, and so does none, which means nothing to
 * some (a PodDisruptionBudget without a selector) and is theirs to tell apart. Source: meta/v1, LabelSelector.
 */
export function selects(selector: unknown, labels: Labels): boolean {
  const wanted = field(selector, 'matchLabels')
  return (
    Object.entries(isMap(wanted) ? wanted : {}).every(([key, value]) => labels[key] === value) &&
    listField(selector, 'matchExpressions').every((requirement) => holds(requirement, labels))
  )
}

/**
 * A requirement of a LabelSelector or of a node affinity, which alone has Gt and Lt. What is not there is not in any list.
 * Source: meta/v1, LabelSelectorRequirement; core/v1, NodeSelectorRequirement.
 */
export function holds(requirement: unknown, labels: Labels): boolean {
  const value = labels[textField(requirement, 'key') ?? '']
  const values = listField(requirement, 'values')
  switch (textField(requirement, 'operator')) {
    case 'In':
      return value !== undefined && values.includes(value)
    case 'NotIn':
      return value === undefined || !values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
    case 'Gt':
      return Number(value) > Number(values[0])
    case 'Lt':
      return Number(value) < Number(values[0])
    default:
      return false
  }
}
