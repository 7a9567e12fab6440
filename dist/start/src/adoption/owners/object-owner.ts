import type { Ownership } from '../../aws/environment.js'
import { authorOf, managedEntries, type ManagedEntry } from '../../kubernetes/managed-fields.js'
import { field, listField, textField } from '../../kubernetes/manifest.js'
import { appliedByUs, isController } from '../../kubernetes/noise.js'
import { isOurs } from '../../kubernetes/ownership-label.js'
import { containerRank, ownerOfMarks, type Mark, type Owner } from './owner-evidence.js'

type Texts = Readonly<Record<string, string>>

interface Seen {
  readonly labels: Texts
  readonly annotations: Texts
  /** Who wrote it, status and the cluster's own controllers left out. */
  readonly managers: readonly ManagedEntry[]
}

interface Tool {
  readonly who: string | ((seen: Seen) => string)
  readonly label?: (name: string, value: string) => boolean
  readonly annotation?: (name: string) => boolean
  readonly manager?: RegExp
  readonly rank?: number
}

const managedBy = 'app.kubernetes.io/managed-by'
const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration'
const trackingId = 'argocd.argoproj.io/tracking-id'
const releaseName = 'meta.helm.sh/release-name'

const keptBy =
  (tool: RegExp) =>
  (name: string, value: string): boolean =>
    name === managedBy && tool.test(value)

const either =
  (...signs: readonly ((name: string, value: string) => boolean)[]) =>
  (name: string, value: string): boolean =>
    signs.some((sign) => sign(name, value))

const prefix =
  (start: string) =>
  (name: string): boolean =>
    name.startsWith(start)

/** What tools leave on objects, in the order in which they name the owner: who puts it back before what it is made with. */
const tools: readonly Tool[] = [
  {
    who: ({ labels, annotations }) => {
      const app =
        annotations[trackingId]?.split(':')[0] ??
        labels['argocd.argoproj.io/instance'] ??
        labels['app.kubernetes.io/instance']
      return app === undefined ? 'Argo CD' : `Argo CD Application ${app}`
    },
    label: (name) => name === 'argocd.argoproj.io/instance',
    annotation: (name) => name === trackingId,
    manager: /^argocd-(application-)?controller$/
  },
  flux('HelmRelease', 'helm.toolkit.fluxcd.io', /^helm-controller$/),
  flux('Kustomization', 'kustomize.toolkit.fluxcd.io', /^kustomize-controller$/),
  {
    // kubectl-datadog: labels that it gives the chart, and those of the NodePools and EC2NodeClasses that it makes.
    who: 'kubectl datadog',
    label: either(
      keptBy(/^kubectl-datadog$/),
      (name, value) => name === 'autoscaling.datadoghq.com/installed-by' && value === 'kubectl-datadog'
    ),
    manager: /^kubectl-datadog$/
  },
  // Its Cluster Agent makes NodePools of its own too.
  { who: 'Datadog', label: (name) => name === 'autoscaling.datadoghq.com/created' },
  {
    who: 'Pulumi',
    label: keptBy(/^pulumi$/i),
    annotation: prefix('pulumi.com/'),
    manager: /^pulumi-/
  },
  { who: 'Crossplane', label: prefix('crossplane.io/'), annotation: prefix('crossplane.io/') },
  {
    // The helm provider writes under its program's name, the kubernetes provider under these two.
    who: 'Terraform',
    label: keptBy(/terraform|tofu/i),
    manager: /^(Terraform|HashiCorp|OpenTofu|terraform-provider-.*)$/
  },
  { who: 'AWS CDK', label: prefix('aws.cdk.eks/prune-') },
  {
    // Its field manager alone is no sign: eksctl installs the chart once, and does not look at it again.
    who: 'eksctl',
    label: either(keptBy(/^eksctl$/), prefix('alpha.eksctl.io/'))
  },
  {
    who: 'Rancher Fleet',
    label: prefix('objectset.rio.cattle.io/'),
    annotation: prefix('objectset.rio.cattle.io/')
  },
  { who: 'kapp', label: prefix('kapp.k14s.io/') },
  {
    who: ({ annotations }) =>
      `Helm release ${annotations['meta.helm.sh/release-namespace'] ?? ''}/${annotations[releaseName] ?? ''}`,
    annotation: (name) => name === releaseName,
    rank: containerRank
  },
  {
    // Helm's label alone is on what `helm template` rendered and somebody else applied.
    who: ({ labels }) => labels[managedBy] ?? '',
    label: (name, value) => name === managedBy && value !== 'Helm',
    rank: containerRank + 1
  }
]

/** Whose a Kubernetes object is, by its labels, annotations, field managers and controlling owner. */
export function ownerOfObject(object: unknown, ownership: Ownership): Owner {
  if (isOurs(object, ownership)) return { kind: 'ours' }
  const { own } = appliedByUs(false)
  const seen: Seen = {
    labels: textsAt(object, 'labels'),
    annotations: textsAt(object, 'annotations'),
    managers: managedEntries(object).filter(
      (entry) => entry.subresource === '' && !own(entry) && !isController(entry)
    )
  }
  const marks = tools.flatMap((tool, index) => marksOf(tool, tool.rank ?? index, seen))
  return ownerOfMarks([...marks, ...controlledBy(object)], tracesOf(seen))
}

function flux(kind: string, group: string, manager: RegExp): Tool {
  return {
    who: ({ labels }) => {
      const name = labels[`${group}/name`]
      return name === undefined ? 'Flux' : `Flux ${kind} ${labels[`${group}/namespace`] ?? ''}/${name}`
    },
    label: (label) => label === `${group}/name`,
    manager
  }
}

function marksOf(tool: Tool, rank: number, seen: Seen): readonly Mark[] {
  const { label, annotation, manager } = tool
  const evidence = [
    ...Object.entries(seen.labels)
      .filter(([name, value]) => label?.(name, value) === true)
      .map(([name, value]) => `label ${name}=${value}`),
    ...Object.entries(seen.annotations)
      .filter(([name]) => annotation?.(name) === true)
      .map(([name, value]) => `annotation ${name}=${value}`),
    ...seen.managers.filter((entry) => manager?.test(entry.manager) === true).map(managerText)
  ]
  const who = typeof tool.who === 'string' ? tool.who : tool.who(seen)
  return evidence.map((one) => ({ rank, who, evidence: one }))
}

/** A composition or an operator that made the object says so in the reference that Kubernetes collects garbage by. */
function controlledBy(object: unknown): readonly Mark[] {
  return listField(object, 'metadata', 'ownerReferences')
    .filter((reference) => field(reference, 'controller') === true)
    .map((reference) => {
      const who = `${textField(reference, 'kind') ?? ''} ${textField(reference, 'name') ?? ''}`
      return { rank: containerRank + 2, who, evidence: `owner reference to ${who}` }
    })
}

function tracesOf({ labels, annotations, managers }: Seen): readonly string[] {
  return [
    ...(labels[managedBy] === 'Helm' ? [`label ${managedBy}=Helm without a release`] : []),
    ...(annotations[lastApplied] === undefined ? [] : [`annotation ${lastApplied}`]),
    ...managers.map(managerText)
  ]
}

function managerText(entry: ManagedEntry): string {
  const { manager, operation, time } = authorOf(entry)
  const when = [operation, time].filter((part) => part !== undefined).join(', ')
  return `field manager ${manager}${when === '' ? '' : ` (${when})`}`
}

function textsAt(object: unknown, of: 'labels' | 'annotations'): Texts {
  const found = field(object, 'metadata', of)
  return Object.fromEntries(
    Object.entries(found ?? {}).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
  )
}
