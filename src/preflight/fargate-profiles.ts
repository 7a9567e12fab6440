import type { Aws } from '../aws/clients.js'
import { type Read, readOrDenied } from './denied-read.js'

export interface FargateProfile {
  readonly name: string
  /** A pod that one of them takes in runs on Fargate. */
  readonly selectors: readonly {
    readonly namespace: string
    readonly labels: Readonly<Record<string, string>>
  }[]
}

/** Those of a cluster that are ACTIVE, by eks:ListFargateProfiles and eks:DescribeFargateProfile for each. */
export function fargateProfiles(aws: Aws, clusterName: string): () => Promise<Read<FargateProfile>> {
  return async () => {
    const { DescribeFargateProfileCommand, paginateListFargateProfiles } = await import('../aws/sdk/eks.js')
    const eks = await aws.eks()
    return readOrDenied('cluster-name', 'the Fargate profiles', async () => {
      const names: string[] = []
      for await (const page of paginateListFargateProfiles({ client: eks }, { clusterName }))
        names.push(...(page.fargateProfileNames ?? []))
      const profiles = await Promise.all(
        names.map(async (fargateProfileName) => {
          const input = { clusterName, fargateProfileName }
          return (await eks.send(new DescribeFargateProfileCommand(input))).fargateProfile
        })
      )
      return profiles
        .filter((profile) => profile?.status === 'ACTIVE')
        .map((profile) => ({
          name: profile?.fargateProfileName ?? '',
          selectors: (profile?.selectors ?? []).map(({ namespace = '', labels = {} }) => ({
            namespace,
            labels
          }))
        }))
    })
  }
}

/** Source: Amazon EKS, Fargate profile components: `*` and `?` stand for any text and any one character. */
export function profileFor(
  profiles: readonly FargateProfile[],
  pod: { readonly namespace: string; readonly labels: Readonly<Record<string, string>> }
): FargateProfile | undefined {
  return profiles.find(({ selectors }) =>
    selectors.some(
      ({ namespace, labels }) =>
        matches(namespace, pod.namespace) &&
        Object.entries(labels).every(([key, value]) =>
          Object.entries(pod.labels).some(([name, is]) => matches(key, name) && matches(value, is))
        )
    )
  )
}

function matches(pattern: string, text: string): boolean {
  const escaped = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  return new RegExp(`^${escaped}$`).test(text)
}
