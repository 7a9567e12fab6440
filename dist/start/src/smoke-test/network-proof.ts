import type { Pod } from 'kubernetes-types/core/v1.js'

/** Security groups of EC2 instances, `sg-1 (name)` each, by instance id; those that are gone are left out. */
export type InstanceGroups = (ids: readonly string[]) => Promise<ReadonlyMap<string, readonly string[]>>

export const proofContainer = 'network'

/**
 * Resolves the API server's name by the cluster's DNS and connects to it, four times before it gives up: what a node has
 * just got (kube-proxy's rules, routes of the network plugin) may be late. Written for BusyBox: its nc says `bad address`
 * where a name does not resolve.
 */
export const proofCommand: readonly string[] = [
  'sh',
  '-c',
  [
    'for try in 1 2 3 4; do',
    '  said=$(timeout 15 nc -w 5 kubernetes.default 443 </dev/null 2>&1) && exit 0',
    '  sleep 4',
    'done',
    'echo "${said:-no answer within 15 s}"',
    'exit 1'
  ].join('\n')
]

/** A pod of the test whose node keeps it from DNS or the API server. */
export interface Unreached {
  readonly pod: string
  readonly node: string
  /** How often its container gave up. */
  readonly runs: number
  /** What it said last. */
  readonly message: string
}

/** The pod that tried the most often, unless all pods got through. */
export function unreachedOf(pods: readonly Pod[]): Unreached | undefined {
  const all = pods.flatMap((pod): readonly Unreached[] => {
    const status = pod.status?.initContainerStatuses?.find(({ name }) => name === proofContainer)
    const now = status?.state?.terminated
    const end = now ?? status?.lastState?.terminated
    if (status === undefined || end === undefined || now?.exitCode === 0) return []
    return [
      {
        pod: pod.metadata?.name ?? '',
        node: pod.spec?.nodeName ?? '',
        runs: status.restartCount + (now === undefined ? 0 : 1),
        message: (end.message ?? '').trim() || end.reason || `exit code ${end.exitCode}`
      }
    ]
  })
  return all.toSorted((a, b) => b.runs - a.runs)[0]
}

/** What is known of the security groups on both sides. */
export interface NetworkSeen extends Unreached {
  /** i-...; empty when it is not known. */
  readonly instance: string
  /** Undefined where EC2 may not be asked. */
  readonly groups: readonly string[] | undefined
  /** Of the nodes that Karpenter did not make, one entry a node. */
  readonly others: readonly (readonly string[])[]
}

/** Names the node, its groups, and what to pass. */
export function networkCause(seen: NetworkSeen): { readonly problem: string; readonly fix: string } {
  const { instance, groups = [], others, message } = seen
  const known = [instance, groups.length === 0 ? '' : `security groups ${groups.join(', ')}`]
  const about = known.filter(Boolean).join(', ')
  const node = `${seen.node}${about === '' ? '' : ` (${about})`}`
  if (/executable file not found|no such file/i.test(message)) {
    return {
      problem: `nodes came, and pod ${seen.pod} could not prove the network of ${node}: ${message}`,
      fix: 'Give smoke-test-network-image an image with sh, timeout, nc and sleep; or none.'
    }
  }
  const dns = /bad address|no answer/.test(message)
  const apart =
    groups.length > 0 && others.length > 0 && !others.flat().some((group) => groups.includes(group))
  return {
    problem: `nodes came, and pods on ${node} ${dns ? "do not reach the cluster's DNS: kubernetes.default does not resolve" : 'do not reach the API server'} (${message})`,
    fix: apart ? apartFix(others) : dns ? dnsFix : apiFix
  }
}

const dnsFix =
  'CoreDNS must run (kubectl -n kube-system get pods -l k8s-app=kube-dns), and no security group, network ACL or NetworkPolicy may keep port 53 from it. To prove nodes alone, give smoke-test-network-image: none.'
const apiFix =
  "kube-proxy must run on the node, and the cluster's security group must let port 443 in from it; a NetworkPolicy may hold it back as well. To prove nodes alone, give smoke-test-network-image: none."

function apartFix(others: NetworkSeen['others']): string {
  const [first = [], ...rest] = others
  const common = first.filter((group) => rest.every((groups) => groups.includes(group)))
  const pass = common.length > 0 ? common : first
  const ids = pass.map((group) => group.split(' ')[0] ?? '')
  return `It has none of the groups of the nodes that are there (${pass.join(', ')}): pass \`security-groups: ${ids.join(',')}\`, or select them in securityGroupSelectorTerms of your EC2NodeClasses, or add rules that let both reach each other.`
}
