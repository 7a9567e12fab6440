import type { Tag } from '../input.js'

export interface PolicyVersion {
  readonly id: string
  /** JSON text, as it was given. */
  readonly document: string
  readonly createdAt: Date
  readonly isDefault: boolean
}

export interface ManagedPolicy {
  readonly name: string
  readonly id: string
  readonly arn: string
  readonly path: string
  readonly description?: string
  readonly tags: readonly Tag[]
  readonly versions: readonly PolicyVersion[]
  readonly versionsMade: number
  readonly createdAt: Date
  readonly updatedAt: Date
}
