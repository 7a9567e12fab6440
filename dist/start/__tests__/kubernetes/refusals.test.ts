import { type Caller, errorOf, type KubernetesError } from '../../src/kubernetes/errors.js'

const caller: Caller = {
  arn: 'arn:aws:sts::111122223333:assumed-role/deployer/run-1',
  clusterName: 'blue',
  region: 'eu-west-1',
  authenticationMode: 'API'
}

function answered(
  status: number,
  message: string,
  verb = 'create',
  namespace = 'karpenter'
): KubernetesError {
  const request = {
    method: 'POST' as const,
    path: '/',
    verb,
    resource: 'pods',
    name: 'x',
    namespace
  }
  const body = JSON.stringify({
    kind: 'Status',
    status: 'Failure',
    message,
    reason: 'Forbidden',
    code: status
  })
  return errorOf(request, { status, body }, caller, 'accepted')
}

describe('A 403', () => {
  // Each as the API server, Gatekeeper or Kyverno words it.
  it.each<[status: number, message: string, by: string, fix: string]>([
    [
      403,
      'admission webhook "validation.gatekeeper.sh" denied the request: [required-labels] you must provide labels: {"team"}',
      'admission webhook "validation.gatekeeper.sh"',
      'Make an exception of its policy for namespace karpenter'
    ],
    [
      400,
      'admission webhook "validate.kyverno.svc-fail" denied the request: resource Deployment/karpenter/karpenter was blocked',
      'admission webhook "validate.kyverno.svc-fail"',
      'Make an exception of its policy for namespace karpenter'
    ],
    [
      422,
      "deployments.apps \"x\" is forbidden: ValidatingAdmissionPolicy 'team' with binding 'team-binding' denied request: no team",
      'ValidatingAdmissionPolicy team',
      'Leave namespace karpenter out of its binding'
    ],
    [
      403,
      'pods "x" is forbidden: violates PodSecurity "restricted:latest": seccompProfile (pod or container "controller" must set securityContext.seccompProfile.type)',
      'Pod Security (restricted)',
      'kubectl label namespace karpenter pod-security.kubernetes.io/enforce=baseline'
    ],
    [
      403,
      'pods "x" is forbidden: exceeded quota: compute, requested: limits.cpu=1, used: limits.cpu=0, limited: limits.cpu=500m',
      'ResourceQuota compute',
      'kubectl -n karpenter edit resourcequota compute'
    ],
    [
      403,
      'pods "x" is forbidden: failed quota: compute: must specify limits.cpu for: c',
      'ResourceQuota compute',
      'kubectl -n karpenter edit resourcequota compute'
    ],
    [
      403,
      'pods "x" is forbidden: maximum cpu usage per Container is 100m, but limit is 1',
      'a LimitRange',
      'kubectl -n karpenter get limitrange'
    ],
    [
      403,
      'deployments.apps "x" is forbidden: unable to create new content in namespace karpenter because it is being terminated',
      'the deletion of its namespace',
      'Wait until namespace karpenter is gone'
    ],
    [
      500,
      'Internal error occurred: failed calling webhook "validate.kyverno.svc-fail": failed to call webhook: Post "https://kyverno-svc.kyverno.svc:443/validate/fail?timeout=10s": no endpoints available for service "kyverno-svc"',
      'webhook "validate.kyverno.svc-fail" (service kyverno-svc in namespace kyverno), which does not answer',
      'kubectl -n kyverno get endpointslices -l kubernetes.io/service-name=kyverno-svc'
    ],
    [
      500,
      'Internal error occurred: failed calling webhook "v.example.com": failed to call webhook: Post "https://w.policy.svc:443/?timeout=10s": tls: failed to verify certificate: x509: certificate has expired or is not yet valid',
      'webhook "v.example.com", whose certificate the API server does not take',
      'Renew its certificate, or the caBundle'
    ],
    [
      500,
      'conversion webhook for karpenter.sh/v1beta1, Kind=NodePool failed: Post "https://karpenter.kube-system.svc:8443/?timeout=30s": service "karpenter" not found',
      'the conversion webhook of CustomResourceDefinition nodepools.karpenter.sh, which does not answer',
      'kubectl get customresourcedefinition nodepools.karpenter.sh -o yaml'
    ],
    [
      422,
      "pods \"x\" is forbidden: MutatingAdmissionPolicy 'sidecars' with binding 'all' denied request: composition error",
      'MutatingAdmissionPolicy sidecars',
      'kubectl edit mutatingadmissionpolicybinding'
    ],
    [
      403,
      'pods "x" is forbidden: insufficient quota to match these scopes: [{PriorityClass In [system-node-critical system-cluster-critical]}]',
      'the cluster, which wants a ResourceQuota wherever pods have PriorityClass system-node-critical or system-cluster-critical',
      'Make one in namespace karpenter whose scopeSelector'
    ],
    [
      403,
      'pods "x" is forbidden: status unknown for quota: compute, resources: limits.cpu',
      'ResourceQuota compute, of which nothing is counted yet',
      'wait and run again'
    ],
    [
      403,
      'pods "x" is forbidden: not yet ready to handle request',
      'the API server, whose admission is still starting',
      'Run again in a minute'
    ],
    [403, 'forbidden by the proxy', 'the API server', 'It is no missing right']
  ])('or its like that is no missing right says who refused: %i %s', (status, message, by, fix) => {
    const error = answered(status, message)
    expect([error.permission, error.refusedBy]).toEqual([undefined, by])
    expect(error.message).toContain(message)
    expect(error.message).not.toContain('may not')
    expect(error.fix).toContain(fix)
    expect(error.fix).not.toMatch(/cluster-admin|readyz/)
  })

  it.each([
    'pods is forbidden: User "deployer" cannot create resource "pods" in API group "" in the namespace "karpenter"',
    'clusterroles.rbac.authorization.k8s.io "k" is forbidden: user "deployer" (groups=["a"]) is attempting to grant RBAC permissions not currently held'
  ])('of authorization names the right: %s', (message) => {
    const error = answered(403, message)
    expect(error.permission).toBe('create pods in namespace karpenter')
    expect(error.fix).toContain('Give it cluster-admin for the run')
  })

  it('to a read is always one of authorization', () => {
    expect(answered(403, 'no', 'list').permission).toBe('list pods in namespace karpenter')
  })
})
