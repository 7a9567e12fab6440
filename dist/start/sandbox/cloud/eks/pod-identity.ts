import { roleQuestion } from '../iam/roles.js'
import type { IamState } from '../iam/state.js'
import { type Input, optionalBoolean, optionalText, textMap } from '../input.js'
import { type Operations, resourceTags } from '../operations.js'
import { AwsError, type AwsCall, type Question } from '../service.js'
import { invalidParameter, page, required } from './pages.js'
import { clusterQuestion, creation, onCluster, tagPairs } from './questions.js'
import type { Association, EksState } from './state.js'

/** Pod Identity associations: which role the pods of a service account get. */
export function podIdentityOperations(state: EksState, iam: IamState): Operations {
  const onAssociation = (action: string) => (call: AwsCall) => {
    const id = required(call.input, 'associationId')
    const found = state.associations.get(id)
    const clusterName = required(call.input, 'clusterName')
    return [
      {
        action: `eks:${action}`,
        resource: found?.associationArn ?? state.arn(`podidentityassociation/${clusterName}/${id}`),
        context: resourceTags('eks', tagPairs(found?.tags ?? {}))
      }
    ]
  }
  const associationOf = (input: Input) =>
    state.association(state.cluster(required(input, 'clusterName')).name, required(input, 'associationId'))
  return {
    CreatePodIdentityAssociation: {
      questions: (call) => {
        const clusterName = required(call.input, 'clusterName')
        const question = clusterQuestion(state, 'eks:CreatePodIdentityAssociation', clusterName)
        return [
          ...creation(question, call, state.arn(`podidentityassociation/${clusterName}/*`)),
          ...passing(iam, required(call.input, 'roleArn'))
        ]
      },
      answer: ({ input }) => ({ association: createAssociation(state, iam, input) })
    },
    ListPodIdentityAssociations: {
      questions: onCluster(state, 'ListPodIdentityAssociations'),
      answer: ({ input }) => {
        const cluster = state.cluster(required(input, 'clusterName'))
        const namespace = optionalText(input, 'namespace')
        const serviceAccount = optionalText(input, 'serviceAccount')
        const listed = state.associations
          .values()
          .filter((item) => item.clusterName === cluster.name)
          .filter((item) => namespace === undefined || item.namespace === namespace)
          .filter((item) => serviceAccount === undefined || item.serviceAccount === serviceAccount)
          .map(({ clusterName, associationArn, associationId, ...item }) => ({
            clusterName,
            namespace: item.namespace,
            serviceAccount: item.serviceAccount,
            associationArn,
            associationId
          }))
        return page(input, 'associations', listed)
      }
    },
    DescribePodIdentityAssociation: {
      questions: onAssociation('DescribePodIdentityAssociation'),
      answer: ({ input }) => ({ association: associationOf(input) })
    },
    UpdatePodIdentityAssociation: {
      questions: (call) => {
        const roleArn = optionalText(call.input, 'roleArn')
        return [
          ...onAssociation('UpdatePodIdentityAssociation')(call),
          ...(roleArn === undefined ? [] : passing(iam, roleArn))
        ]
      },
      answer: ({ input }) => {
        const found = associationOf(input)
        const roleArn = optionalText(input, 'roleArn') ?? found.roleArn
        checkRole(iam, roleArn)
        const changed: Association = {
          ...found,
          roleArn,
          disableSessionTags: optionalBoolean(input, 'disableSessionTags') ?? found.disableSessionTags,
          modifiedAt: new Date(state.now())
        }
        state.associations.set(changed.associationId, changed)
        return { association: changed }
      }
    },
    DeletePodIdentityAssociation: {
      questions: onAssociation('DeletePodIdentityAssociation'),
      answer: ({ input }) => {
        const association = associationOf(input)
        state.associations.delete(association.associationId)
        return { association }
      }
    }
  }
}

/** Who gives pods a role must be allowed to see it and to pass it (EKS user guide, Pod Identity associations). */
function passing(iam: IamState, roleArn: string): readonly Question[] {
  const name = roleArn.split('/').at(-1) ?? ''
  const known = roleQuestion(iam, 'iam:GetRole', name)
  const resource = iam.roleByArn(roleArn) === undefined ? roleArn : known.resource
  return [
    { ...known, resource },
    {
      action: 'iam:PassRole',
      resource,
      context: { ...known.context, 'iam:PassedToService': 'pods.eks.amazonaws.com' }
    }
  ]
}

function checkRole(iam: IamState, roleArn: string): void {
  if (iam.roleByArn(roleArn) === undefined)
    throw invalidParameter('Role provided in the request does not exist.')
}

function createAssociation(state: EksState, iam: IamState, input: Input): Association {
  const { name: clusterName } = state.cluster(required(input, 'clusterName'))
  const namespace = required(input, 'namespace')
  const serviceAccount = required(input, 'serviceAccount')
  const roleArn = required(input, 'roleArn')
  checkRole(iam, roleArn)
  const existing = state.associations
    .values()
    .find(
      (item) =>
        item.clusterName === clusterName &&
        item.namespace === namespace &&
        item.serviceAccount === serviceAccount
    )
  if (existing !== undefined) {
    throw new AwsError('ResourceInUseException', `Association already exists: ${existing.associationId}`, 409)
  }
  const association: Association = {
    ...state.putAssociation(clusterName, namespace, serviceAccount, roleArn),
    disableSessionTags: optionalBoolean(input, 'disableSessionTags') ?? false,
    tags: textMap(input, 'tags')
  }
  state.associations.set(association.associationId, association)
  return association
}
