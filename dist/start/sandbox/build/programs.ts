import type { GoProgram } from './go-program.js'

/** The only place that names the releases of Karpenter that a sandbox can run; each has its module in sandbox/go. */
const releases = ['1.2.1', '1.14.0', '1.15.2'] as const
export type KarpenterVersion = (typeof releases)[number]

/** What demo, figures and scenarios run where they mean no release in particular, next to what upgrades come from. */
export const [oldest, previous, newest] = releases

export const karpenterModule = 'github.com/aws/karpenter-provider-aws'
export const helmVersion = '3.22.0'

const componentVersion = 'k8s.io/component-base/version'

export const controlPlane: GoProgram = {
  name: 'control-plane',
  title: 'control plane (etcd 3.6.5, Kubernetes 1.35.4)',
  package: '.',
  variables: {
    // Without them the API server takes itself for v0.0.0 and refuses to emulate an older release.
    [`${componentVersion}.gitVersion`]: 'v1.35.4',
    [`${componentVersion}.gitMajor`]: '1',
    [`${componentVersion}.gitMinor`]: '35',
    [`${componentVersion}.gitCommit`]: '',
    [`${componentVersion}.gitTreeState`]: 'clean'
  }
}

export const helm: GoProgram = {
  name: 'helm',
  title: `helm ${helmVersion}`,
  package: 'helm.sh/helm/v3/cmd/helm',
  // What helm's own Makefile sets for a release. The Kubernetes minor is that of its client-go, v0.37.
  variables: {
    'helm.sh/helm/v3/internal/version.version': `v${helmVersion}`,
    'helm.sh/helm/v3/internal/version.metadata': '',
    'helm.sh/helm/v3/internal/version.gitTreeState': 'clean',
    'helm.sh/helm/v3/pkg/lint/rules.k8sVersionMajor': '1',
    'helm.sh/helm/v3/pkg/lint/rules.k8sVersionMinor': '37',
    'helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor': '1',
    'helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor': '37'
  }
}

export function karpenter(version: KarpenterVersion): GoProgram {
  return {
    name: `karpenter-${version}`,
    title: `Karpenter ${version}`,
    package: `${karpenterModule}/cmd/controller`,
    variables: { 'sigs.k8s.io/karpenter/pkg/operator.Version': version }
  }
}
