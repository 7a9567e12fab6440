import type { InstallRecord } from '../engine/record.js'
import type { Inputs } from '../inputs/inputs.js'
import {
  isRecorded,
  leftCrds,
  recordedControllerRole,
  recordedNamespace,
  recordedNodeAccess,
  recordedStack
} from '../resources/recorded.js'
import { idOf } from '../resources/ids.js'

/**
 * The inputs with everything that the record says was chosen at the last install: an uninstall takes away what is there,
 * whatever the workflow's inputs have become since. What the record does not say is as given; nothing is downloaded for it.
 */
export function recordedInputs(given: Inputs, record: InstallRecord | undefined): Inputs {
  const inputs: Inputs = {
    ...given,
    nodePools: { kind: 'none' },
    ...(given.template.kind === 'upstream' && { template: { kind: 'built-in' } })
  }
  if (record === undefined) return inputs
  const nodeAccess = recordedNodeAccess(record)
  const { name: stackName, template } = recordedStack(record)
  return {
    ...inputs,
    karpenterVersion: { kind: 'exact', version: record.karpenterVersion },
    namespace: recordedNamespace(record) ?? inputs.namespace,
    controllerRoleName: recordedControllerRole(record).name ?? inputs.controllerRoleName,
    nodeRoleName: nodeAccess?.nodeRoleArn.split('/').at(-1) ?? inputs.nodeRoleName,
    stackName: stackName ?? inputs.stackName,
    ...(leftCrds(record) && { crds: 'leave' }),
    ...(isRecorded(record, idOf.oidcProvider) && { controllerIdentity: 'irsa' }),
    ...(isRecorded(record, idOf.podIdentityAssociation) && { controllerIdentity: 'pod-identity' }),
    ...(nodeAccess !== undefined && { nodeAccess: nodeAccess.by }),
    ...(template !== undefined && { template: { kind: 'text', text: template, origin: 'as recorded' } })
  }
}
