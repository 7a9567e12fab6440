import { optionalText, text } from '../input.js'
import type { Operations } from '../operations.js'
import { awsId, iamArn } from '../partition.js'
import { AwsError } from '../service.js'
import { roleOutput } from './roles.js'
import { type IamState, missing, type Role } from './state.js'

/** Services whose linked role the sandbox can make: role name and AWS's policy on it. */
const linked: Readonly<Record<string, { readonly role: string; readonly policy?: string }>> = {
  'spot.amazonaws.com': { role: 'AWSServiceRoleForEC2Spot', policy: 'AWSEC2SpotServiceRolePolicy' },
  'spotfleet.amazonaws.com': { role: 'AWSServiceRoleForEC2SpotFleet' },
  'eks.amazonaws.com': { role: 'AWSServiceRoleForAmazonEKS' },
  'eks-nodegroup.amazonaws.com': { role: 'AWSServiceRoleForAmazonEKSNodegroup' },
  'eks-fargate.amazonaws.com': { role: 'AWSServiceRoleForAmazonEKSForFargate' }
}

export function serviceLinkedRoleOperations(state: IamState): Operations {
  return {
    CreateServiceLinkedRole: {
      questions: ({ input }) => {
        const service = text(input, 'AWSServiceName')
        const name = linked[service]?.role ?? '*'
        return [
          {
            action: 'iam:CreateServiceLinkedRole',
            resource: iamArn(state.home, `role/aws-service-role/${service}/${name}`),
            context: { 'iam:AWSServiceName': service }
          }
        ]
      },
      answer: ({ input }) => ({
        Role: roleOutput(
          putServiceLinkedRole(state, text(input, 'AWSServiceName'), optionalText(input, 'CustomSuffix'))
        )
      })
    },
    DeleteServiceLinkedRole: {
      questions: ({ input }) => {
        const name = text(input, 'RoleName')
        const role = state.roles.get(name)
        return [
          {
            action: 'iam:DeleteServiceLinkedRole',
            resource: role?.arn ?? iamArn(state.home, `role/aws-service-role/*/${name}`),
            context: role === undefined ? {} : { 'iam:AWSServiceName': role.path.split('/')[2] ?? '' }
          }
        ]
      },
      answer: ({ input }) => {
        const role = state.role(text(input, 'RoleName'))
        if (!role.path.startsWith('/aws-service-role/'))
          missing(`The role with name ${role.name} cannot be found.`)
        state.roles.delete(role.name)
        return { DeletionTaskId: `task${role.path}${role.name}/${crypto.randomUUID()}` }
      }
    },
    GetServiceLinkedRoleDeletionStatus: {
      questions: ({ input }) => {
        const path = text(input, 'DeletionTaskId')
          .replace(/^task/, '')
          .replace(/\/[^/]*$/, '')
        return [
          { action: 'iam:GetServiceLinkedRoleDeletionStatus', resource: iamArn(state.home, `role${path}`) }
        ]
      },
      answer: () => ({ Status: 'SUCCEEDED' })
    }
  }
}

/** Also for setting a cluster up: no permission is asked. */
export function putServiceLinkedRole(state: IamState, service: string, suffix?: string): Role {
  const known = linked[service]
  if (known === undefined) {
    throw new AwsError(
      'InvalidInput',
      `Invalid service principal: ${service} does not support service-linked roles.`
    )
  }
  if (suffix !== undefined && suffix !== '') {
    throw new AwsError('InvalidInput', `Custom suffix is not allowed for ${service}`)
  }
  if (state.roles.has(known.role)) {
    throw new AwsError(
      'InvalidInput',
      `Service role name ${known.role} has been taken in this account, please try a different suffix.`
    )
  }
  const path = `/aws-service-role/${service}/`
  const role: Role = {
    name: known.role,
    id: awsId('AROA'),
    arn: iamArn(state.home, `role${path}${known.role}`),
    path,
    createdAt: new Date(state.now()),
    trust: JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: service } }]
    }),
    maxSessionDuration: 3600,
    tags: [],
    inline: {},
    attached:
      known.policy === undefined
        ? []
        : [`arn:${state.home.partition}:iam::aws:policy/aws-service-role/${known.policy}`]
  }
  state.roles.set(role.name, role)
  return role
}
