/** What a cluster can have more of, and how many requests so much of it adds to a run at most. */
interface Growth {
  readonly count: number
  readonly what: string
  readonly adds: {
    readonly check: number
    /** One that finds everything as wanted. */
    readonly install: number
  }
}

/** In the order in which a cluster is given them; docs/benchmarks.md has them as a table. */
export const growth = {
  nodePools: {
    count: 200,
    what: 'NodePools of our own, each with an EC2NodeClass',
    adds: { check: 0, install: 0 }
  },
  nodes: { count: 5_000, what: 'nodes and NodeClaims', adds: { check: 2, install: 5 } },
  pods: { count: 10_000, what: 'pods', adds: { check: 0, install: 0 } },
  deployments: { count: 2_000, what: 'Deployments', adds: { check: 0, install: 0 } },
  foreignNodePools: { count: 1_000, what: 'NodePools of others', adds: { check: 4, install: 2 } },
  subnets: { count: 494, what: 'subnets', adds: { check: 0, install: 0 } }
} as const satisfies Readonly<Record<string, Growth>>

export type Grown = keyof typeof growth
