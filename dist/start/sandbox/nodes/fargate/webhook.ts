import type { Authority } from '../../certificates.js'
import { profileOfPod, type FargateProfile } from '../../cloud/eks/fargate-profile.js'
import { list, record, text, textRecord } from '../../values.js'
import type { ApiClient } from '../api-client.js'
import { startMutatingWebhook } from '../mutating-webhook.js'

export interface FargateWebhookOptions {
  readonly api: ApiClient
  readonly authority: Authority
  readonly profiles: () => readonly FargateProfile[]
}

/** Scheduler of the pods that run on Fargate. */
export const FARGATE_SCHEDULER = 'fargate-scheduler'
/** Label of a pod on Fargate: its profile's name. */
const PROFILE_LABEL = 'eks.amazonaws.com/fargate-profile'
/** Label and taint of a node: `fargate`. As an annotation of a pod, `ec2` keeps it off Fargate. */
export const COMPUTE_TYPE = 'eks.amazonaws.com/compute-type'

/** Serves and registers the webhook with which EKS hands pods to Fargate at admission. */
export async function startFargateWebhook(
  options: FargateWebhookOptions
): Promise<{ stop(): Promise<void> }> {
  const { api, authority, profiles } = options
  const name = '0500-amazon-eks-fargate-mutation.amazonaws.com'
  return startMutatingWebhook({
    api,
    authority,
    configuration: name,
    name,
    patch: async (pod, namespace) => fargatePatch(profiles(), pod, namespace)
  })
}

/** What makes a pod one of Fargate's; nothing for a pod that no profile takes in. */
export function fargatePatch(
  profiles: readonly FargateProfile[],
  pod: Readonly<Record<string, unknown>>,
  namespace: string
): readonly object[] {
  const metadata = record(pod['metadata'])
  const labels = textRecord(metadata['labels'])
  const elsewhere = textRecord(metadata['annotations'])[COMPUTE_TYPE] === 'ec2'
  const ofDaemonSet = list(metadata['ownerReferences']).some((owner) => record(owner)['kind'] === 'DaemonSet')
  const profile = elsewhere || ofDaemonSet ? undefined : profileOfPod(profiles, { namespace, labels })
  if (profile === undefined) return []
  return [
    { op: 'add', path: '/metadata/labels', value: { ...labels, [PROFILE_LABEL]: profile.name } },
    { op: 'add', path: '/spec/schedulerName', value: FARGATE_SCHEDULER },
    // Nothing else runs on its node; the class is Fargate's, whatever the pod asked for.
    { op: 'add', path: '/spec/priorityClassName', value: 'system-node-critical' },
    { op: 'add', path: '/spec/priority', value: 2_000_001_000 },
    { op: 'add', path: '/spec/preemptionPolicy', value: 'PreemptLowerPriority' }
  ]
}

/** What text of the pod's labels says its profile is. */
export function profileNameOf(pod: Readonly<Record<string, unknown>>): string {
  return text(record(record(pod['metadata'])['labels'])[PROFILE_LABEL]) ?? ''
}
