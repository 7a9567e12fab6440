/** Command lines of the four parts, as near to EKS as can be known from outside. */

/** EKS takes 172.20.0.0/16 where the VPC is in 10.0.0.0/8. */
const serviceRange = '172.20.0.0/16'
export const clusterDnsAddress = '172.20.0.10'

export interface ControlPlaneFiles {
  readonly ca: string
  readonly serverCertificate: string
  readonly serverKey: string
  readonly kubeletClientCertificate: string
  readonly kubeletClientKey: string
  readonly serviceAccountKey: string
  readonly serviceAccountPublicKey: string
  readonly controllerManagerKubeconfig: string
  readonly schedulerKubeconfig: string
  readonly authenticatorKubeconfig: string
}

export function etcdFlags(dataFolder: string, clientPort: number, peerPort: number): string[] {
  const peer = `http://127.0.0.1:${peerPort}`
  const client = `http://127.0.0.1:${clientPort}`
  return [
    '--name=sandbox',
    `--data-dir=${dataFolder}`,
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=sandbox=${peer}`,
    '--unsafe-no-fsync',
    '--log-level=warn'
  ]
}

export interface ApiServerSettings {
  readonly port: number
  readonly etcdPort: number
  /** 1.32 */
  readonly kubernetesVersion: string
  readonly serviceAccountIssuer: string
  readonly authenticator: boolean
}

export function apiServerFlags(settings: ApiServerSettings, files: ControlPlaneFiles): string[] {
  return [
    `--etcd-servers=http://127.0.0.1:${settings.etcdPort}`,
    '--bind-address=127.0.0.1',
    '--advertise-address=127.0.0.1',
    `--secure-port=${settings.port}`,
    // An endpoint on the loopback interface is one that Kubernetes does not accept for its own Service.
    '--endpoint-reconciler-type=none',
    `--emulated-version=kube=${settings.kubernetesVersion}`,
    `--tls-cert-file=${files.serverCertificate}`,
    `--tls-private-key-file=${files.serverKey}`,
    `--client-ca-file=${files.ca}`,
    `--kubelet-client-certificate=${files.kubeletClientCertificate}`,
    `--kubelet-client-key=${files.kubeletClientKey}`,
    // A node's other addresses lead nowhere on this machine; its kubelet is played on the loopback interface.
    '--kubelet-preferred-address-types=ExternalIP',
    `--service-cluster-ip-range=${serviceRange}`,
    `--service-account-issuer=${settings.serviceAccountIssuer}`,
    `--service-account-jwks-uri=${settings.serviceAccountIssuer}/keys`,
    `--service-account-key-file=${files.serviceAccountPublicKey}`,
    `--service-account-signing-key-file=${files.serviceAccountKey}`,
    // Not the issuer and not sts.amazonaws.com: a token made for AWS is not one for Kubernetes.
    '--api-audiences=https://kubernetes.default.svc',
    ...(settings.authenticator
      ? [
          `--authentication-token-webhook-config-file=${files.authenticatorKubeconfig}`,
          '--authentication-token-webhook-version=v1',
          // An access entry that is taken away must not go on working for EKS's minutes. The API server itself still
          // remembers each answer for 10 s, which no flag changes.
          '--authentication-token-webhook-cache-ttl=0s'
        ]
      : []),
    '--authorization-mode=Node,RBAC',
    '--enable-admission-plugins=NodeRestriction',
    '--allow-privileged=true',
    '--profiling=false'
  ]
}

export function controllerManagerFlags(kubernetesVersion: string, files: ControlPlaneFiles): string[] {
  return [
    ...clientFlags(kubernetesVersion, files.controllerManagerKubeconfig),
    '--use-service-account-credentials=true',
    `--service-account-private-key-file=${files.serviceAccountKey}`,
    `--root-ca-file=${files.ca}`,
    '--allocate-node-cidrs=false',
    // Those that need a cloud provider inside Kubernetes, and the signer, which on EKS is EKS's own.
    `--controllers=${[
      '*',
      '-node-ipam-controller',
      '-node-route-controller',
      '-cloud-node-lifecycle-controller',
      '-service-lb-controller',
      '-certificatesigningrequest-signing-controller'
    ].join(',')}`
  ]
}

export function schedulerFlags(kubernetesVersion: string, files: ControlPlaneFiles): string[] {
  return clientFlags(kubernetesVersion, files.schedulerKubeconfig)
}

function clientFlags(kubernetesVersion: string, kubeconfigFile: string): string[] {
  return [
    `--kubeconfig=${kubeconfigFile}`,
    `--authentication-kubeconfig=${kubeconfigFile}`,
    `--authorization-kubeconfig=${kubeconfigFile}`,
    `--emulated-version=kube=${kubernetesVersion}`,
    // Nobody asks them anything, and there is one of each.
    '--secure-port=0',
    '--leader-elect=false',
    '--kube-api-qps=200',
    '--kube-api-burst=400',
    '--profiling=false'
  ]
}
