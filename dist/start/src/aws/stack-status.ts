/** What a stack's status means for the next run. */
export type StackSituation =
  /** As its template says. */
  | 'good'
  /** Somebody's operation is under way. */
  | 'busy'
  /** A change set is there and no resource: create it. */
  | 'empty'
  /** Creation or deletion failed: only deleting helps. */
  | 'dead'
  /** An update failed, and so did going back: a person must decide. */
  | 'stuck'

export function situationOf(status: string): StackSituation {
  if (status === 'REVIEW_IN_PROGRESS') return 'empty'
  // All resources are as wanted; only what is no longer needed is still being deleted.
  if (status === 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS') return 'good'
  if (status.endsWith('_IN_PROGRESS')) return 'busy'
  if (/^(ROLLBACK_COMPLETE|ROLLBACK_FAILED|CREATE_FAILED|DELETE_FAILED)$/.test(status)) return 'dead'
  if (/^(UPDATE_ROLLBACK_FAILED|UPDATE_FAILED|IMPORT_ROLLBACK_FAILED)$/.test(status)) return 'stuck'
  return 'good'
}
