import type { Aws } from '../../aws/clients.js'
import { matches } from '../../aws/wildcards.js'
import { isMap } from '../../engine/json.js'
import { type Read, readOrDenied } from '../reads/denied-read.js'

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
    const { DescribeFargateProfileCommand, paginateListFargateProfiles } =
      await import('../../aws/sdk/eks.js')
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

/** As far as Fargate looks at a pod. */
export interface PodToPlace {
  readonly namespace: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

/** A pod of the controller, as the chart makes it with these values. */
export function controllerPodOf(controller: {
  readonly namespace: string
  readonly releaseName: string
  readonly values: Readonly<Record<string, unknown>>
}): PodToPlace {
  const { namespace, releaseName, values } = controller
  return {
    namespace,
    labels: {
      'app.kubernetes.io/name': 'karpenter',
      'app.kubernetes.io/instance': releaseName,
      ...textsOf(values['podLabels'])
    },
    annotations: textsOf(values['podAnnotations'])
  }
}

function textsOf(value: unknown): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(isMap(value) ? value : {}).map(([key, text]) => [key, String(text)])
  )
}

/** Source: Amazon EKS, Fargate profile components: `*` and `?` stand for any text and any one character. A pod annotated `ec2` stays off. */
export function profileFor(profiles: readonly FargateProfile[], pod: PodToPlace): FargateProfile | undefined {
  if (pod.annotations['eks.amazonaws.com/compute-type'] === 'ec2') return undefined
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
