import { parseUserData } from '../../../sandbox/nodes/user-data.js'

const NODEADM = `MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="//"

--//
Content-Type: application/node.eks.aws

# Karpenter Generated NodeConfig
apiVersion: node.eks.aws/v1alpha1
kind: NodeConfig
metadata: {}
spec:
  cluster:
    apiServerEndpoint: https://127.0.0.1:6443
    certificateAuthority: Q0E=
    cidr: 10.100.0.0/16
    name: blue
  kubelet:
    config:
      maxPods: 29
      registerWithTaints:
      - effect: NoExecute
        key: karpenter.sh/unregistered
      - effect: NoSchedule
        key: run
        value: "7"
    flags:
    - --node-labels="karpenter.sh/capacity-type=spot,karpenter.sh/nodepool=default"

--//--
`

const BOOTSTRAP = `#!/bin/bash -xe
exec > >(tee /var/log/user-data.log|logger -t user-data -s 2>/dev/console) 2>&1
/etc/eks/bootstrap.sh 'blue' --apiserver-endpoint 'https://127.0.0.1:6443' --b64-cluster-ca 'Q0E=' \\
--dns-cluster-ip '10.100.0.10' \\
--use-max-pods false \\
--kubelet-extra-args '--node-labels="karpenter.sh/nodepool=default,team=a" --max-pods=29 --register-with-taints="karpenter.sh/unregistered:NoExecute,run=7:NoSchedule"'
`

const BOTTLEROCKET = `[settings.kubernetes]
api-server = 'https://127.0.0.1:6443'
cluster-certificate = 'Q0E='
cluster-name = 'blue'
max-pods = 29

[settings.kubernetes.node-labels]
'karpenter.sh/nodepool' = 'default'

[settings.kubernetes.node-taints]
'karpenter.sh/unregistered' = [':NoExecute']
run = ['7:NoSchedule']
`

describe('parseUserData', () => {
  it.each([
    ['nodeadm', NODEADM, { 'karpenter.sh/capacity-type': 'spot', 'karpenter.sh/nodepool': 'default' }],
    ['bootstrap.sh', BOOTSTRAP, { 'karpenter.sh/nodepool': 'default', team: 'a' }],
    ['Bottlerocket', BOTTLEROCKET, { 'karpenter.sh/nodepool': 'default' }]
  ])('reads cluster, labels, taints and pods of %s', (_, userData, labels) => {
    expect(parseUserData(userData)).toEqual({
      kind: 'bootstrap',
      bootstrap: {
        clusterName: 'blue',
        endpoint: 'https://127.0.0.1:6443',
        certificateAuthority: 'Q0E=',
        labels,
        taints: [
          { key: 'karpenter.sh/unregistered', effect: 'NoExecute' },
          { key: 'run', value: '7', effect: 'NoSchedule' }
        ],
        maxPods: 29
      }
    })
  })
  it('merges several NodeConfigs, the later over the earlier', () => {
    const user = NODEADM.replace(
      '--//--',
      `--//\nContent-Type: application/node.eks.aws\n\napiVersion: node.eks.aws/v1alpha1\nkind: NodeConfig\nspec:\n  cluster: { name: green }\n  kubelet: { flags: ['--node-labels=a=b'] }\n\n--//--`
    )
    expect(parseUserData(user)).toMatchObject({
      bootstrap: { clusterName: 'green', endpoint: 'https://127.0.0.1:6443', labels: { a: 'b' } }
    })
  })
  it.each(['', '#!/bin/bash\necho hello', NODEADM.replace('name: blue', 'other: x')])(
    'says why it cannot read other user data',
    (userData) => {
      expect(parseUserData(userData).kind).toBe('unreadable')
    }
  )
})
