import type { Owner } from '../engine/owner.js'
import { ownerByTags } from './owners/tag-owner.js'
import type { Adopted } from './adoption.js'
import type { Installation } from './installation.js'
import type { AdoptionEntry } from '../report/adoption-entry.js'
import { idOf, type ResourceId } from '../resources/ids.js'

/**
 * What an adopted installation goes on using in place of parts of the published stack: node role, queue, policies. The
 * model has no resources for them, because nothing is ever done to them; the report names them all the same.
 */
export function usedParts(
  installation: Pick<Installation, 'nodeRoles' | 'queueName'>,
  { adoption }: Adopted,
  clusterName: string
): readonly AdoptionEntry[] {
  const { nodeRoleArn, queueName, policyArns = [] } = adoption.others
  const nodeRole = installation.nodeRoles.find(({ arn }) => arn === nodeRoleArn)
  return [
    ...(nodeRole === undefined
      ? []
      : [
          entry(
            idOf.role(nodeRole.name),
            `IAM role ${nodeRole.name}`,
            'iam',
            ownerByTags(nodeRole, clusterName)
          )
        ]),
    ...(queueName === undefined
      ? []
      : [
          entry(idOf.queue, `SQS queue ${queueName}`, 'cloudformation', {
            kind: 'unmarked',
            evidence: [
              installation.queueName === queueName
                ? `settings.interruptionQueue of helm release ${adoption.namespace}/karpenter`
                : `a queue of the cluster's name is there`
            ]
          })
        ]),
    ...policyArns.map((arn) => {
      const name = arn.split('/').at(-1) ?? ''
      return entry(idOf.policy(name), `IAM policy ${name}`, 'iam', {
        kind: 'unmarked',
        evidence: [`attached to role ${adoption.controllerRoleName}`]
      })
    })
  ]
}

function entry(id: ResourceId, title: string, layer: AdoptionEntry['layer'], owner: Owner): AdoptionEntry {
  const kept = owner.kind === 'other'
  return {
    id,
    title,
    layer,
    state: kept ? "somebody else's" : 'as wanted',
    ...(kept && { keeper: owner.who }),
    evidence: owner.kind === 'ours' ? [] : owner.evidence,
    differences: [],
    adopt: kept ? `use it, and leave it to ${owner.who}` : 'use it as it is, and never change or remove it'
  }
}
