import { field, type Manifest } from './manifest.js'
import type { ManagedEntry } from './managed-fields.js'
import { ourName } from '../engine/owner.js'

/** A place in which a live object is not as its manifest says. */
export interface Touch {
  readonly wanted: Manifest
  /** As comparisons write it: `spec.replicas`. */
  readonly path: string
  /** The manifest says nothing of it. */
  readonly added: boolean
  readonly live: unknown
  /** Who wrote it; undefined when managedFields do not say. */
  readonly writer: ManagedEntry | undefined
}

interface Rule {
  readonly name: string
  readonly covers: (touch: Touch) => boolean
}

/** Parts of Kubernetes, EKS and Karpenter, and operators that write into others' objects by design. */
const controllers =
  /^(kube-controller-manager|kube-scheduler|kube-apiserver|api-priority-and-fairness.*|(aws-)?cloud-controller-manager|eks|vpcLambda|karpenter|cert-manager-cainjector|cainjector|keda-operator|keda|cluster-autoscaler|Reloader)$/

export function isController(entry: Pick<ManagedEntry, 'manager'>): boolean {
  return controllers.test(entry.manager)
}

/** What others may write into our objects and the chart's without it being drift: decided here and nowhere else. */
const noise: readonly Rule[] = [
  { name: 'status is the controllers to write', covers: ({ path }) => /^status(\.|$)/.test(path) },
  {
    // Set by cert-manager and by controllers that make their own certificate.
    name: 'the certificate authority of a webhook is filled in',
    covers: ({ path }) => /(^|\.)caBundle$/.test(path)
  },
  {
    // A HorizontalPodAutoscaler and KEDA scale that way. So does `kubectl scale`, which is a person. The server keeps no
    // owner of a scale to zero (seen with 1.35): whoever did that, nothing scales, and it is drift.
    name: "replicas that are set through the scale subresource are an autoscaler's",
    covers: ({ path, writer }) =>
      path === 'spec.replicas' && writer?.subresource === 'scale' && !/^kubectl/.test(writer.manager)
  },
  {
    name: 'rules of an aggregated ClusterRole are filled in by the controller manager',
    covers: ({ path, wanted }) =>
      path === 'rules' && wanted.kind === 'ClusterRole' && wanted['aggregationRule'] !== undefined
  },
  {
    name: 'a restart that somebody asked for changes nothing that is installed',
    covers: ({ path }) =>
      /^spec\.template\.metadata\.annotations\.(kubectl\.kubernetes\.io\/restartedAt|reloader\.stakater\.com\/)/.test(
        path
      )
  },
  {
    name: 'what a controller adds is its own affair',
    covers: ({ added, writer }) => added && writer !== undefined && isController(writer)
  },
  {
    // All but those that give rights: the role of a service account, and the roles into which a ClusterRole goes.
    name: 'labels and annotations of an object are open to everybody',
    covers: ({ path, added }) =>
      added &&
      path.startsWith('metadata.') &&
      !/^metadata\.(annotations\.eks\.amazonaws\.com\/|labels\.rbac\.authorization\.k8s\.io\/)/.test(path)
  },
  {
    name: 'secrets of a service account are given to it by controllers',
    covers: ({ path, added, wanted }) =>
      added && wanted.kind === 'ServiceAccount' && /^(secrets|imagePullSecrets)(\[|$)/.test(path)
  },
  {
    name: 'addresses and ports of a Service are assigned',
    covers: ({ path, added, wanted }) =>
      added &&
      wanted.kind === 'Service' &&
      /^spec\.(clusterIPs?|ipFamil(y|ies|yPolicy)|healthCheckNodePort|ports\[[^\]]*\]\.nodePort)$/.test(path)
  },
  {
    // Defaults inside of values that are owned as one, so that managedFields do not tell them from what was written.
    name: "a default that the server fills in is nobody's change",
    covers: ({ path, added, live }) =>
      added &&
      ((/^spec\.disruption\.budgets\[\d+\]\.nodes$/.test(path) && live === '10%') ||
        (/\.fieldRef\.apiVersion$/.test(path) && live === 'v1') ||
        (/\.resourceFieldRef\.divisor$/.test(path) && String(live) === '0') ||
        (/^subjects\[\d+\]\.apiGroup$/.test(path) && live === 'rbac.authorization.k8s.io'))
  }
]

export function isNoise(touch: Touch): boolean {
  return noise.some((rule) => rule.covers(touch))
}

/** Whether an object is the chart's or ours alone, and which managers write for us. */
export interface Owners {
  readonly own: (entry: ManagedEntry) => boolean
  /** Whether a field that others added to it is a difference. */
  readonly whole: boolean
}

/** Objects that this action applies. */
export function appliedByUs(whole: boolean): Owners {
  return { own: ({ manager }) => manager === ourName, whole }
}

/** Objects of a release: helm is whoever wrote helm's own annotation, for its field manager is the name of its program. */
export function madeByHelm(): Owners {
  return {
    whole: true,
    own: ({ manager, fields }) =>
      manager === ourName ||
      manager === 'helm' ||
      field(fields, 'f:metadata', 'f:annotations', 'f:meta.helm.sh/release-name') !== undefined
  }
}
