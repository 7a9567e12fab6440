import {
  CreateAccessEntryCommand,
  DeleteAccessEntryCommand,
  DeleteAddonCommand,
  DeletePodIdentityAssociationCommand,
  ListPodIdentityAssociationsCommand,
  UpdatePodIdentityAssociationCommand
} from '@aws-sdk/client-eks'
import {
  AttachRolePolicyCommand,
  DeletePolicyCommand,
  DeletePolicyVersionCommand,
  DeleteRolePermissionsBoundaryCommand,
  DeleteServiceLinkedRoleCommand,
  DetachRolePolicyCommand,
  ListPolicyVersionsCommand,
  PutRolePermissionsBoundaryCommand,
  PutRolePolicyCommand,
  TagRoleCommand,
  UntagRoleCommand
} from '@aws-sdk/client-iam'
import { account, inStatement, type AnotherHand } from '../another-hand.js'
import type { Drift, Expected, Place } from './drift.js'

const aws = (name: string): string => `arn:aws:iam::aws:policy/${name}`
const own = (name: string): string => `arn:aws:iam::${account}:policy/${name}`
const part = ({ cluster }: Place, name: string): string => `KarpenterController${name}Policy-${cluster}`
const nodeRole = ({ cluster }: Place): string => `KarpenterNodeRole-${cluster}`
const controllerRole = ({ cluster }: Place): string => `${cluster}-karpenter`
const everything = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Sid: 'All', Effect: 'Allow', Action: '*', Resource: '*' }]
})

/** Of one statement of a policy of the controller. */
const inPolicy =
  (name: string, path: string, severity: Expected['severity']): Drift['finds'] =>
  (hand) => [{ id: `policy/${part(hand, name)}`, path, severity }]

async function associationId({ eks, cluster }: AnotherHand): Promise<string> {
  const { associations = [] } = await eks.send(
    new ListPodIdentityAssociationsCommand({ clusterName: cluster })
  )
  return associations[0]?.associationId ?? ''
}

const entryOf = (hand: AnotherHand): { clusterName: string; principalArn: string } => ({
  clusterName: hand.cluster,
  principalArn: `arn:aws:iam::${account}:role/${nodeRole(hand)}`
})

export const networkDrifts: readonly Drift[] = [
  {
    name: 'the discovery tag is taken off a subnet',
    plant: async (hand) => hand.untag(hand.subnet),
    finds: ({ subnet }) => [
      { id: 'subnet-tags', path: `${subnet}.tags.karpenter.sh/discovery`, severity: 'breaks scaling' }
    ]
  },
  {
    name: 'the discovery tag is taken off the security group',
    plant: async (hand) => hand.untag(hand.securityGroup),
    finds: ({ securityGroup }) => [
      {
        id: 'security-group-tags',
        path: `${securityGroup}.tags.karpenter.sh/discovery`,
        severity: 'breaks scaling'
      }
    ]
  }
]

/** Of the policies that the controller has since 1.12. */
export const policyDrifts: readonly Drift[] = [
  {
    name: 'a statement is taken out of a policy',
    plant: async (hand) =>
      hand.editPolicy(
        part(hand, 'ResourceDiscovery'),
        inStatement('AllowPricingReadActions', () => undefined)
      ),
    finds: inPolicy('ResourceDiscovery', 'AllowPricingReadActions', 'breaks scaling')
  },
  {
    name: 'an action is taken out of a policy',
    plant: async (hand) =>
      hand.editPolicy(
        part(hand, 'NodeLifecycle'),
        inStatement('AllowScopedDeletion', (one) => ({ ...one, Action: 'ec2:DeleteLaunchTemplate' }))
      ),
    finds: inPolicy('NodeLifecycle', 'AllowScopedDeletion', 'breaks scaling')
  },
  {
    name: 'a condition is taken out of a policy',
    plant: async (hand) =>
      hand.editPolicy(
        part(hand, 'IAMIntegration'),
        inStatement('AllowPassingInstanceRole', ({ Effect, Action, Resource }) => ({
          Sid: 'AllowPassingInstanceRole',
          Effect,
          Action,
          Resource
        }))
      ),
    finds: inPolicy('IAMIntegration', 'AllowPassingInstanceRole', 'weakens security')
  },
  {
    name: 'a statement is put into a policy',
    plant: async (hand) =>
      hand.editPolicy(part(hand, 'EKSIntegration'), (statements) => [
        ...statements,
        { Sid: 'Secrets', Effect: 'Allow', Action: 'secretsmanager:GetSecretValue', Resource: '*' }
      ]),
    finds: inPolicy('EKSIntegration', 'Secrets', 'weakens security')
  },
  {
    name: 'a statement of a policy is turned into a denial',
    plant: async (hand) =>
      hand.editPolicy(
        part(hand, 'Interruption'),
        inStatement('AllowInterruptionQueueActions', (one) => ({ ...one, Effect: 'Deny' }))
      ),
    finds: inPolicy('Interruption', 'AllowInterruptionQueueActions', 'breaks scaling')
  },
  {
    name: 'a policy is deleted, having been taken off the role',
    plant: async (hand) => {
      const PolicyArn = own(part(hand, 'ZonalShift'))
      await hand.iam.send(new DetachRolePolicyCommand({ RoleName: controllerRole(hand), PolicyArn }))
      const { Versions = [] } = await hand.iam.send(new ListPolicyVersionsCommand({ PolicyArn }))
      for (const { VersionId, IsDefaultVersion } of Versions) {
        if (IsDefaultVersion !== true)
          await hand.iam.send(new DeletePolicyVersionCommand({ PolicyArn, VersionId }))
      }
      await hand.iam.send(new DeletePolicyCommand({ PolicyArn }))
    },
    finds: (hand) => [
      { id: `policy/${part(hand, 'ZonalShift')}`, path: '', severity: 'breaks scaling' },
      {
        id: 'controller-role-policies',
        path: `policies.${part(hand, 'ZonalShift')}`,
        severity: 'breaks scaling'
      }
    ]
  },
  {
    name: "a policy is taken off the controller's role",
    plant: async (hand) =>
      hand.iam.send(
        new DetachRolePolicyCommand({
          RoleName: controllerRole(hand),
          PolicyArn: own(part(hand, 'Interruption'))
        })
      ),
    finds: (hand) => [
      {
        id: 'controller-role-policies',
        path: `policies.${part(hand, 'Interruption')}`,
        severity: 'breaks scaling'
      }
    ]
  }
]

export const roleDrifts: readonly Drift[] = [
  {
    name: "another policy is put on the controller's role",
    plant: async (hand) =>
      hand.iam.send(
        new AttachRolePolicyCommand({ RoleName: controllerRole(hand), PolicyArn: aws('AdministratorAccess') })
      ),
    finds: () => [
      {
        id: 'controller-role-policies',
        path: 'furtherPolicies.AdministratorAccess',
        severity: 'weakens security'
      }
    ]
  },
  {
    name: "an inline policy is put into the controller's role",
    plant: async (hand) =>
      hand.iam.send(
        new PutRolePolicyCommand({
          RoleName: controllerRole(hand),
          PolicyName: 'debug',
          PolicyDocument: everything
        })
      ),
    finds: () => [{ id: 'controller-role-policies', path: 'inline.debug', severity: 'weakens security' }]
  },
  {
    name: "the controller's role trusts the whole account as well",
    plant: async (hand) =>
      hand.editTrust(controllerRole(hand), (statements) => [
        ...statements,
        { Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${account}:root` }, Action: 'sts:AssumeRole' }
      ]),
    finds: () => [{ id: 'controller-role', path: 'trust', severity: 'weakens security' }]
  },
  {
    name: "a tag of the controller's role is changed",
    plant: async (hand) =>
      hand.iam.send(
        new TagRoleCommand({ RoleName: controllerRole(hand), Tags: [{ Key: 'team', Value: 'finance' }] })
      ),
    finds: () => [{ id: 'controller-role', path: 'tags.team', severity: 'cosmetic' }]
  },
  {
    name: "a policy is taken off the nodes' role",
    plant: async (hand) =>
      hand.iam.send(
        new DetachRolePolicyCommand({ RoleName: nodeRole(hand), PolicyArn: aws('AmazonEKS_CNI_Policy') })
      ),
    finds: (hand) => [
      { id: `role/${nodeRole(hand)}`, path: 'policies.AmazonEKS_CNI_Policy', severity: 'breaks scaling' }
    ]
  },
  {
    name: "another policy is put on the nodes' role",
    plant: async (hand) =>
      hand.iam.send(
        new AttachRolePolicyCommand({ RoleName: nodeRole(hand), PolicyArn: aws('AdministratorAccess') })
      ),
    finds: (hand) => [
      {
        id: `role/${nodeRole(hand)}`,
        path: 'furtherPolicies.AdministratorAccess',
        severity: 'weakens security'
      }
    ]
  },
  {
    name: "an inline policy is put into the nodes' role",
    plant: async (hand) =>
      hand.iam.send(
        new PutRolePolicyCommand({
          RoleName: nodeRole(hand),
          PolicyName: 'debug',
          PolicyDocument: everything
        })
      ),
    finds: (hand) => [{ id: `role/${nodeRole(hand)}`, path: 'inline.debug', severity: 'weakens security' }]
  },
  {
    name: 'the spot service-linked role is deleted',
    plant: async (hand) =>
      hand.iam.send(new DeleteServiceLinkedRoleCommand({ RoleName: 'AWSServiceRoleForEC2Spot' })),
    finds: () => [{ id: 'spot-service-linked-role', path: '', severity: 'breaks scaling' }]
  }
]

/** Where both roles have a permissions boundary. */
export const boundaryDrifts: readonly Drift[] = [
  {
    name: "the permissions boundary is taken off the controller's role",
    plant: async (hand) =>
      hand.iam.send(new DeleteRolePermissionsBoundaryCommand({ RoleName: controllerRole(hand) })),
    finds: () => [{ id: 'controller-role', path: 'permissionsBoundary', severity: 'weakens security' }]
  },
  {
    name: "another permissions boundary is put on the nodes' role",
    plant: async (hand) =>
      hand.iam.send(
        new PutRolePermissionsBoundaryCommand({
          RoleName: nodeRole(hand),
          PermissionsBoundary: aws('AdministratorAccess')
        })
      ),
    finds: (hand) => [
      { id: `role/${nodeRole(hand)}`, path: 'permissionsBoundary', severity: 'weakens security' }
    ]
  },
  {
    name: "a tag is taken off the nodes' role",
    plant: async (hand) =>
      hand.iam.send(new UntagRoleCommand({ RoleName: nodeRole(hand), TagKeys: ['team'] })),
    finds: (hand) => [{ id: `role/${nodeRole(hand)}`, path: 'tags.team', severity: 'cosmetic' }]
  }
]

/** Access entries and Pod Identity. */
export const eksDrifts: readonly Drift[] = [
  {
    name: "the nodes' access entry is deleted",
    hides: true,
    plant: async (hand) => hand.eks.send(new DeleteAccessEntryCommand(entryOf(hand))),
    finds: () => [{ id: 'node-access', path: '', severity: 'breaks scaling' }]
  },
  {
    name: "the nodes' access entry is made anew with another type",
    plant: async (hand) => {
      await hand.eks.send(new DeleteAccessEntryCommand(entryOf(hand)))
      await hand.eks.send(new CreateAccessEntryCommand({ ...entryOf(hand), type: 'STANDARD' }))
    },
    finds: () => [{ id: 'node-access', path: 'type', severity: 'breaks scaling' }]
  },
  {
    name: 'the service account is given another role by Pod Identity',
    plant: async (hand) => {
      const another = hand.sandbox.cloud.iam.putRole({
        name: 'another-controller',
        trust: {
          Version: '2012-10-17',
          Statement: [
            {
              Effect: 'Allow',
              Principal: { Service: 'pods.eks.amazonaws.com' },
              Action: ['sts:AssumeRole', 'sts:TagSession']
            }
          ]
        }
      })
      await hand.eks.send(
        new UpdatePodIdentityAssociationCommand({
          clusterName: hand.cluster,
          associationId: await associationId(hand),
          roleArn: another.arn
        })
      )
    },
    finds: () => [{ id: 'pod-identity-association', path: 'roleArn', severity: 'breaks scaling' }]
  },
  {
    name: 'the Pod Identity association is deleted',
    hides: true,
    plant: async (hand) =>
      hand.eks.send(
        new DeletePodIdentityAssociationCommand({
          clusterName: hand.cluster,
          associationId: await associationId(hand)
        })
      ),
    finds: () => [{ id: 'pod-identity-association', path: '', severity: 'breaks scaling' }]
  },
  {
    name: 'the add-on of the Pod Identity agent is deleted',
    plant: async (hand) => {
      const addonName = 'eks-pod-identity-agent'
      await hand.eks.send(new DeleteAddonCommand({ clusterName: hand.cluster, addonName }))
      await hand.addonGone(addonName)
    },
    finds: () => [{ id: 'pod-identity-agent', path: '', severity: 'breaks scaling' }]
  }
]
