import { isMap, type JsonMap } from '../../engine/json.js'
import type { DocumentFindings } from './findings.js'
import { ourName } from '../../engine/owner.js'

/** What Karpenter and kubectl note on objects for themselves. Source: labels.go of pkg/apis, 0.32 to 1.14. */
const noted =
  /^(kubectl\.kubernetes\.io\/|compatibility\.karpenter\.|karpenter\.sh\/(stored-version-migrated|nodepool-hash|provisioner-hash)|karpenter\.k8s\.aws\/(ec2)?node(class|template)-hash|setup-karpenter\/)/

/**
 * An object as a person would have written it: `kubectl get -o yaml` also prints what the server and controllers set, and
 * that belongs to the object that it was printed of. What is left out is one warning.
 */
export function asWritten(value: JsonMap, findings: DocumentFindings): JsonMap {
  const { metadata, status, ...rest } = value
  const given = isMap(metadata) ? metadata : {}
  const dropped = Object.keys(given).filter(
    (key) => !['name', 'labels', 'annotations'].includes(key) && isSaid(given[key])
  )
  const kept = (field: 'labels' | 'annotations'): JsonMap => {
    const own = given[field]
    if (isSaid(own) && !isMap(own)) findings.problem(`metadata.${field} is not a map`)
    if (!isMap(own)) return {}
    const texts = Object.entries(own).filter(([key, text]) => {
      const ours = key === 'app.kubernetes.io/managed-by' && text === ourName
      if (noted.test(key) || ours) dropped.push(`${field} ${key}`)
      else if (typeof text !== 'string')
        findings.problem(`metadata.${field}.${key} is read as ${JSON.stringify(text)}: write it in quotes`)
      else return true
      return false
    })
    return texts.length === 0 ? {} : { [field]: Object.fromEntries(texts) }
  }
  const cleaned = { name: given['name'], ...kept('labels'), ...kept('annotations') }
  const left = [...dropped.map((one) => `metadata.${one}`), ...(isSaid(status) ? ['status'] : [])]
  if (left.length > 0)
    findings.warn(`left out what the server and Karpenter set themselves: ${left.join(', ')}`)
  return { ...rest, metadata: cleaned }
}

function isSaid(value: unknown): boolean {
  return value !== undefined && value !== null
}
