import type { InstallRecord } from '../../src/engine/record.js'
import { recordedInputs } from '../../src/plan/recorded-inputs.js'
import { recordedCrds, recordedManifests } from '../../src/resources/recorded.js'
import { inputsOf } from '../given-inputs.js'

const nodePool = { apiVersion: 'karpenter.sh/v1', kind: 'NodePool', metadata: { name: 'gpu' }, spec: {} }
const crd = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'x' }
}

function recordOf(wanted: Readonly<Record<string, unknown>>): InstallRecord {
  return {
    schema: 1,
    karpenterVersion: '1.2.1',
    run: 'run',
    time: '2026-11-24T10:00:00.000Z',
    resources: Object.fromEntries(
      Object.entries(wanted).map(([id, value]) => [id, { before: [], wanted: value }])
    )
  }
}

const record = recordOf({
  stack: { name: 'Karpenter-old', template: 'Resources: {}' },
  'controller-role': { roleName: 'old-karpenter' },
  'oidc-provider': { arn: 'arn' },
  'node-access': { nodeRoleArn: 'arn:aws:iam::111122223333:role/OldNodeRole' },
  'helm-release': { namespace: 'kube-system' },
  crds: { version: '1.2.1', crds: [crd] },
  'node-pool/gpu': nodePool
})

describe('what the record says was chosen', () => {
  const inputs = inputsOf({ mode: 'uninstall', 'cluster-name': 'blue', 'karpenter-version': '1.14.0' })

  it('wins over the inputs of today', () => {
    expect(recordedInputs(inputs, record)).toMatchObject({
      karpenterVersion: { kind: 'exact', version: '1.2.1' },
      namespace: 'kube-system',
      controllerRoleName: 'old-karpenter',
      nodeRoleName: 'OldNodeRole',
      stackName: 'Karpenter-old',
      controllerIdentity: 'irsa',
      nodeAccess: 'aws-auth',
      template: { kind: 'text', text: 'Resources: {}', origin: 'as recorded' },
      nodePools: { kind: 'none' }
    })
  })

  it('knows an access entry by its type, and Pod Identity by its association', () => {
    const today = recordOf({
      'node-access': { nodeRoleArn: 'arn:aws:iam::111122223333:role/N', type: 'EC2_LINUX' },
      'pod-identity-association': {}
    })
    expect(recordedInputs(inputs, today)).toMatchObject({
      controllerIdentity: 'pod-identity',
      nodeAccess: 'access-entry'
    })
  })

  it('knows a node role by its name, whatever path it has', () => {
    const of = recordOf({ 'node-access': { nodeRoleArn: 'arn:aws:iam::111122223333:role/team/nodes/Own' } })
    expect(recordedInputs(inputs, of).nodeRoleName).toBe('Own')
  })

  it.each([
    [{ left: true }, 'leave'],
    [{ version: '1.2.1', crds: [crd] }, inputs.crds]
  ])('CRDs that were %j are: %s', (wanted, crds) => {
    expect(recordedInputs(inputs, recordOf({ crds: wanted })).crds).toBe(crds)
  })

  it('is nothing without a record, and then nothing is downloaded', () => {
    expect(recordedInputs(inputs, undefined)).toEqual({
      ...inputs,
      template: { kind: 'built-in' },
      nodePools: { kind: 'none' }
    })
    const own = inputsOf({ mode: 'uninstall', 'cluster-name': 'blue', template: 'own.yaml' })
    expect(recordedInputs(own, undefined).template).toEqual({ kind: 'path', path: 'own.yaml' })
    expect(recordedCrds(undefined)).toBeUndefined()
    expect(recordedManifests(undefined, 'nodePool')).toEqual([])
  })

  it('leaves the inputs where a killed run has only announced a resource', () => {
    expect(recordedInputs(inputs, recordOf({ stack: undefined }))).toMatchObject({
      stackName: 'Karpenter-blue',
      template: { kind: 'built-in' }
    })
  })

  it('has the CRDs of its chart and the manifests', () => {
    expect(recordedCrds(record)).toEqual([crd])
    expect(recordedManifests(record, 'nodePool')).toEqual([nodePool])
    expect(recordedManifests(record, 'ec2NodeClass')).toEqual([])
  })
})
