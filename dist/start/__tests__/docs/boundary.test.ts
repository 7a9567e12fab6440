import { policyAllows } from '../../sandbox/cloud/authorisation.js'
import { record } from '../../sandbox/values.js'
import { testedPatches } from '../../src/karpenter/releases.js'
import { renderTemplate } from '../../src/karpenter/rendered-stack.js'
import { builtInTemplateText } from '../../src/karpenter/template-built-in.js'
import { grantsOf, policy, texts } from './grants.js'

const boundary = policy('boundary', 'blue')
const principal = 'arn:aws:sts::111122223333:assumed-role/blue-karpenter/1'
const asked = (action: string, resource: string, context: Record<string, string | string[]> = {}): boolean =>
  policyAllows(boundary, { action, resource, context, principal, accountId: '111122223333' })

/** What the policies of AWS allow that a node role gets, in AWS's documents (moto's copy of them, 5.2.5). */
const ofNodes: Readonly<Record<string, string>> = {
  ec2: `AssignPrivateIpAddresses AttachNetworkInterface CreateNetworkInterface DeleteNetworkInterface DescribeInstanceTypes
    DescribeInstances DescribeNetworkInterfaces DescribeRouteTables DescribeSecurityGroups DescribeSubnets DescribeTags
    DescribeVolumes DescribeVolumesModifications DescribeVpcs DetachNetworkInterface ModifyNetworkInterfaceAttribute
    UnassignPrivateIpAddresses`,
  ecr: `BatchCheckLayerAvailability BatchGetImage BatchImportUpstreamImage DescribeImageScanFindings DescribeImages
    DescribeRepositories GetAuthorizationToken GetDownloadUrlForLayer GetLifecyclePolicy GetLifecyclePolicyPreview
    GetRepositoryPolicy ListImages ListTagsForResource`,
  ssm: `DescribeAssociation DescribeDocument GetDeployablePatchSnapshotForInstance GetDocument GetManifest ListAssociations
    ListInstanceAssociations PutComplianceItems PutConfigurePackageResult PutInventory UpdateAssociationStatus
    UpdateInstanceAssociationStatus UpdateInstanceInformation`,
  ssmmessages: 'CreateControlChannel CreateDataChannel OpenControlChannel OpenDataChannel',
  ec2messages: 'AcknowledgeMessage DeleteMessage FailMessage GetEndpoint GetMessages SendReply'
}
const nodeActions = Object.entries(ofNodes).flatMap(([service, names]) =>
  names.split(/\s+/).map((name) => `${service}:${name}`)
)
/** On the cluster, on AWS's own parameters, and on network interfaces: what those policies allow on everything. */
const narrowed = [
  ['eks:DescribeCluster', 'arn:aws:eks:eu-west-1:111122223333:cluster/blue'],
  ['eks-auth:AssumeRoleForPodIdentity', 'arn:aws:eks:eu-west-1:111122223333:cluster/blue'],
  ['ssm:GetParameter', 'arn:aws:ssm:eu-west-1::parameter/aws/service/eks/x'],
  ['ssm:GetParameters', 'arn:aws:ssm:eu-west-1::parameter/aws/service/eks/x'],
  ['ec2:CreateTags', 'arn:aws:ec2:eu-west-1:111122223333:network-interface/eni-1']
] as const

const controllerGrants = (version: string) =>
  renderTemplate(builtInTemplateText(version), {
    clusterName: 'blue',
    stackName: 'Karpenter-blue',
    account: { id: '111122223333', partition: 'aws', region: 'eu-west-1', urlSuffix: 'amazonaws.com' }
  }).policies.flatMap(({ document }) => grantsOf(document))

describe('docs/permissions/boundary.json', () => {
  // 1.12 asked for the zonal shift on the cluster, which the action does not know.
  it.each(testedPatches)('leaves the controller of %s everything that it is given', (version) => {
    const grants = controllerGrants(version)
    expect(grants.length).toBeGreaterThan(20)
    const refused = grants
      .filter(({ question: { action, resource, context } }) => !asked(action, resource, inRegion(context)))
      .map(({ sid, question }) => `${sid} ${question.action} on ${question.resource}`)
    expect(refused).toEqual([])
  })

  it("leaves a node role what AWS's policies give it, on the cluster and in the region", () => {
    expect(nodeActions.filter((action) => !asked(action, 'x', inRegion({})))).toEqual([])
    expect(narrowed.filter(([action, resource]) => !asked(action, resource, inRegion({})))).toEqual([])
  })

  it('has no action that neither of them needs', () => {
    const needed = new Set([
      ...testedPatches.flatMap((version) => controllerGrants(version).map(({ question }) => question.action)),
      ...nodeActions,
      ...narrowed.map(([action]) => action)
    ])
    const more = grantsOf(boundary)
      .map(({ question }) => question.action)
      .filter((action) => !action.endsWith(':*') && !needed.has(action))
    expect(more).toEqual([])
  })

  it.each([
    ['iam:AttachRolePolicy', 'arn:aws:iam::111122223333:role/blue-karpenter'],
    ['iam:CreateUser', 'arn:aws:iam::111122223333:user/me'],
    ['iam:PutRolePolicy', 'arn:aws:iam::111122223333:role/KarpenterNodeRole-blue'],
    ['iam:PassRole', 'arn:aws:iam::111122223333:role/administrator'],
    ['iam:AddRoleToInstanceProfile', 'arn:aws:iam::111122223333:instance-profile/other'],
    ['sts:AssumeRole', 'arn:aws:iam::111122223333:role/administrator'],
    ['s3:GetObject', 'arn:aws:s3:::bucket/key'],
    ['ssm:GetParameter', 'arn:aws:ssm:eu-west-1:111122223333:parameter/secret'],
    ['ssm:SendCommand', 'arn:aws:ec2:eu-west-1:111122223333:instance/i-1'],
    ['secretsmanager:GetSecretValue', 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:x'],
    ['ec2:RunInstances', 'arn:aws:ec2:eu-west-1:111122223333:instance/i-1'],
    ['ec2:TerminateInstances', 'arn:aws:ec2:eu-west-1:111122223333:instance/i-1'],
    ['ec2:CreateTags', 'arn:aws:ec2:eu-west-1:111122223333:instance/i-1'],
    ['ec2:AuthorizeSecurityGroupIngress', 'arn:aws:ec2:eu-west-1:111122223333:security-group/sg-1']
  ])('denies %s on %s', (action, resource) => {
    expect(asked(action, resource, { ...inRegion({}), 'iam:PassedToService': 'ec2.amazonaws.com' })).toBe(
      false
    )
  })

  it("denies what is another cluster's", () => {
    const tags = (cluster: string) => ({
      [`aws:ResourceTag/kubernetes.io/cluster/${cluster}`]: 'owned',
      'aws:ResourceTag/karpenter.sh/nodepool': 'default'
    })
    const instance = 'arn:aws:ec2:eu-west-1:111122223333:instance/i-1'
    expect(asked('ec2:TerminateInstances', instance, tags('blue'))).toBe(true)
    expect(asked('ec2:TerminateInstances', instance, tags('green'))).toBe(false)
  })
})

/** Each call of EC2 is one to a region. */
function inRegion(context: Record<string, string | string[]>): Record<string, string | string[]> {
  return { 'aws:RequestedRegion': 'eu-west-1', ...context }
}

describe('docs/permissions/install-iam-bounded.json', () => {
  const bounded = policy('install-iam-bounded', 'blue')
  const unbounded = policy('install-iam', 'blue')
  const arn = 'arn:aws:iam::111122223333:policy/setup-karpenter-boundary-blue'
  const tied = [
    'iam:AttachRolePolicy',
    'iam:CreateRole',
    'iam:PutRolePermissionsBoundary',
    'iam:UpdateAssumeRolePolicy'
  ]
  const grants = grantsOf(unbounded).filter(({ pattern }) => pattern !== '*')
  const refusedWith = (boundaryOfRole: string | undefined): readonly string[] => {
    const refused = grants
      .filter(({ question }) => {
        const context = {
          ...question.context,
          ...(boundaryOfRole !== undefined && { 'iam:PermissionsBoundary': boundaryOfRole })
        }
        return !policyAllows(bounded, { ...question, context })
      })
      .map(({ question }) => question.action)
    return [...new Set(refused)].toSorted()
  }

  it('allows all that install-iam.json does on roles with the boundary, but to take it off', () => {
    expect(grants.length).toBeGreaterThan(40)
    expect(refusedWith(arn)).toEqual(['iam:DeleteRolePermissionsBoundary'])
  })

  it('writes no role without the boundary, or with one of another name', () => {
    const all = [...tied, 'iam:DeleteRolePermissionsBoundary'].toSorted()
    expect(refusedWith(undefined)).toEqual(all)
    expect(refusedWith('arn:aws:iam::aws:policy/AdministratorAccess')).toEqual(all)
  })

  it('allows nothing that install-iam.json does not', () => {
    const more = grantsOf(bounded).filter(
      ({ pattern, question }) => pattern !== '*' && !policyAllows(unbounded, question)
    )
    expect(more.map(({ sid }) => sid)).toEqual([])
  })

  it('does not write the boundary, and no other document does', () => {
    for (const name of ['install', 'install-iam-bounded', 'uninstall'] as const) {
      for (const cluster of ['blue', 'team-*']) {
        const writing = grantsOf(policy(name, cluster)).filter(
          ({ question, pattern }) =>
            policyAllows(policy(name, cluster), { ...question, resource: arn.replace('blue', 'team-a') }) &&
            pattern !== '*'
        )
        expect(writing.map(({ question }) => question.action)).toEqual([])
      }
    }
    expect(texts(record(bounded)['Version'])).toEqual(['2012-10-17'])
  })
})
