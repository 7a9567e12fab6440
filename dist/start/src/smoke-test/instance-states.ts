/** EC2's state names by instance id; an id that EC2 no longer knows is left out. */
export type InstanceStates = (ids: readonly string[]) => Promise<ReadonlyMap<string, string>>

/** Why EC2 ended instances by itself, by instance id; others are left out. */
export type InstanceEnds = (ids: readonly string[]) => Promise<ReadonlyMap<string, string>>
