import { readYaml } from '../../../src/engine/yaml.js'
import { isRecord, optionalText, texts } from '../input.js'

export interface Mapping {
  /** Of a role or a user, in lower case. A role's ARN with a path is kept, and matches nobody. */
  readonly arn: string
  readonly username: string
  readonly groups: readonly string[]
}

/**
 * mapRoles or mapUsers of kube-system/aws-auth as aws-iam-authenticator reads it: text that is not a YAML list maps
 * nobody, an item without an ARN or a username is passed over.
 */
export function readMappings(text: string | undefined, field: 'rolearn' | 'userarn'): readonly Mapping[] {
  return listOf(text).flatMap((item) => {
    if (!isRecord(item)) return []
    const arn = optionalText(item, field)
    const username = optionalText(item, 'username')
    if (arn === undefined || arn === '' || username === undefined) return []
    return [{ arn: arn.toLowerCase(), username, groups: texts(item, 'groups') }]
  })
}

function listOf(text: string | undefined): readonly unknown[] {
  if (text === undefined || text.trim() === '') return []
  try {
    const parsed: unknown = readYaml(text)[0]?.value
    return Array.isArray(parsed) ? parsed : []
  } catch {
    return []
  }
}
