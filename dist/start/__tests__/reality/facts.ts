/** What src/ counts on of one operation. */
export interface Fact {
  /** HTTP status by each code that src/ decides by; held to the service's model where that names the code. */
  readonly errors?: Readonly<Record<string, number>>
  /** Wording that src/ matches on, by the name of its matcher in wordings.ts. */
  readonly wording?: readonly string[]
  /** `all`: read to the last page; else why the first one is enough. Absent: it has no pages. */
  readonly pages?: string
  /** Members of the answer, by dots, that are absent where nothing is set; src/ takes their absence for that. */
  readonly absent?: readonly string[]
  /** Where that stands, beside the service's model (sandbox/cloud/model/published). */
  readonly source?: string
}

const sdk = (client: string): string => `types of @aws-sdk/client-${client}`
const ec2Reference = 'EC2 API reference, errors-overview (error-codes.ts)'
const queueReference =
  'SQS API reference: QueueDoesNotExist, HTTP status code 400; AWS.SimpleQueueService.NonExistentQueue in the query protocol'
const gone = { NoSuchEntity: 404 }
const there = { EntityAlreadyExists: 409 }
const eksGone = { ResourceNotFoundException: 404 }

/** One row an operation that src/ calls. */
export const facts: Readonly<Record<string, Fact>> = {
  'cloudformation:CreateChangeSet': { errors: { AlreadyExistsException: 400 } },
  'cloudformation:DeleteChangeSet': { errors: { InvalidChangeSetStatus: 400 } },
  'cloudformation:DeleteStack': {},
  'cloudformation:DescribeChangeSet': {
    errors: { ChangeSetNotFound: 404 },
    pages: 'all',
    absent: ['Changes', 'StatusReason'],
    source: 'localstack, snapshots of AWS (aws-facts): a change set that is complete may list no changes'
  },
  'cloudformation:DescribeEvents': {
    pages: 'all',
    absent: ['OperationEvents.ValidationPath', 'OperationEvents.HookStatusReason'],
    source: 'CloudFormation user guide, validate-stack-deployments; aws/aws-cdk-cli#970, #1463'
  },
  'cloudformation:DescribeStackEvents': { pages: 'all', absent: ['StackEvents.ResourceStatusReason'] },
  'cloudformation:DescribeStackResources': { wording: ['stack is gone'] },
  'cloudformation:DescribeStacks': {
    wording: ['stack is gone'],
    pages: 'asked for by name: one stack',
    absent: ['Stacks.Outputs', 'Stacks.Tags', 'Stacks.RoleARN'],
    source: 'localstack, snapshots of AWS (aws-facts): ValidationError "Stack with id NAME does not exist"'
  },
  'cloudformation:ExecuteChangeSet': { errors: { InvalidChangeSetStatus: 400, ChangeSetNotFound: 404 } },
  'cloudformation:GetTemplate': {
    wording: ['stack is gone'],
    absent: ['TemplateBody'],
    source: 'aws/aws-cdk-cli#1915: `?` for each character beyond ASCII'
  },
  'ec2:CreateTags': {},
  'ec2:DeleteLaunchTemplate': {
    errors: { 'InvalidLaunchTemplateId.NotFound': 400 },
    wording: ['EC2 has it no more'],
    source: ec2Reference
  },
  'ec2:DeleteNetworkInterface': {
    errors: { 'InvalidNetworkInterfaceID.NotFound': 400 },
    wording: ['EC2 has it no more'],
    source: ec2Reference
  },
  'ec2:DeleteTags': {},
  'ec2:DeleteVolume': {
    errors: { 'InvalidVolume.NotFound': 400 },
    wording: ['EC2 has it no more'],
    source: ec2Reference
  },
  'ec2:DescribeImages': {
    errors: { 'InvalidAMIID.NotFound': 400, 'InvalidAMIID.Malformed': 400 },
    wording: ['no such image'],
    pages: 'all',
    source: ec2Reference
  },
  'ec2:DescribeInstanceTypeOfferings': { pages: 'all' },
  'ec2:DescribeInstanceTypes': { pages: 'asked for by name, at most 100 of them' },
  'ec2:DescribeInstances': { pages: 'all', absent: ['Reservations.Instances.StateReason'] },
  'ec2:DescribeLaunchTemplates': { pages: 'all' },
  'ec2:DescribeNetworkInterfaces': { pages: 'all' },
  'ec2:DescribeRouteTables': { pages: 'all' },
  'ec2:DescribeSecurityGroups': { pages: 'all' },
  'ec2:DescribeSubnets': {
    errors: { 'InvalidSubnetID.NotFound': 400, 'InvalidSubnetID.Malformed': 400 },
    wording: ['EC2 has it no more'],
    pages: 'all',
    source: ec2Reference
  },
  'ec2:DescribeVolumes': { pages: 'all' },
  'ec2:DescribeVpcEndpoints': { pages: 'all' },
  'ec2:TerminateInstances': {
    errors: { 'InvalidInstanceID.NotFound': 400 },
    wording: ['EC2 has it no more'],
    source: ec2Reference
  },
  'eks:CreateAccessEntry': {
    errors: { ResourceInUseException: 409, InvalidParameterException: 400 },
    wording: ['exists at EKS'],
    source: 'aws-controllers-k8s/community#1192: "in use" is also said of what is being changed'
  },
  'eks:CreateAddon': {
    errors: { ResourceInUseException: 409, InvalidRequestException: 400 },
    wording: ['exists at EKS'],
    source: 'eksctl-io/eksctl#8091'
  },
  'eks:CreatePodIdentityAssociation': {
    errors: { ResourceInUseException: 409, InvalidParameterException: 400, InvalidRequestException: 400 },
    wording: ['exists at EKS'],
    source: sdk('eks')
  },
  'eks:DeleteAccessEntry': { errors: eksGone },
  'eks:DeleteAddon': { errors: { ...eksGone, InvalidRequestException: 400 } },
  'eks:DeletePodIdentityAssociation': { errors: eksGone },
  'eks:DescribeAccessEntry': {
    errors: eksGone,
    absent: ['accessEntry.kubernetesGroups', 'accessEntry.tags']
  },
  'eks:DescribeAddon': { errors: eksGone, absent: ['addon.health.issues', 'addon.tags'] },
  'eks:DescribeCluster': {
    errors: eksGone,
    absent: ['cluster.endpoint', 'cluster.certificateAuthority', 'cluster.identity'],
    source: 'EKS API reference, Cluster: no endpoint while it is being made'
  },
  'eks:DescribeFargateProfile': { errors: eksGone, absent: ['fargateProfile.selectors'] },
  'eks:DescribePodIdentityAssociation': {
    errors: eksGone,
    absent: ['association.ownerArn', 'association.tags']
  },
  'eks:ListAssociatedAccessPolicies': { pages: 'one policy is enough to refuse' },
  'eks:ListClusters': { pages: 'a hint, for which the first hundred do' },
  'eks:ListFargateProfiles': { pages: 'all' },
  'eks:ListPodIdentityAssociations': {
    pages: 'all'
  },
  'eks:UpdatePodIdentityAssociation': { errors: { ...eksGone, InvalidParameterException: 400 } },
  'eventbridge:EnableRule': {
    errors: { ResourceNotFoundException: 400 },
    source: 'EventBridge API reference, EnableRule: ResourceNotFoundException, HTTP status code 400'
  },
  'eventbridge:ListRules': { pages: 'all', absent: ['Rules.Description', 'Rules.EventPattern'] },
  'eventbridge:ListTargetsByRule': {
    errors: { ResourceNotFoundException: 400 },
    source: 'EventBridge API reference, ListTargetsByRule: ResourceNotFoundException, HTTP status code 400',
    pages: 'a rule has five targets at most (EventBridge quotas)'
  },
  'eventbridge:PutRule': {},
  'eventbridge:PutTargets': {},
  'eventbridge:RemoveTargets': {},
  'iam:AddClientIDToOpenIDConnectProvider': {},
  'iam:AttachRolePolicy': { errors: { ...gone, LimitExceeded: 409 } },
  'iam:CreateOpenIDConnectProvider': { errors: there },
  'iam:CreatePolicy': { errors: { ...there, LimitExceeded: 409, MalformedPolicyDocument: 400 } },
  'iam:CreatePolicyVersion': { errors: { ...gone, LimitExceeded: 409, MalformedPolicyDocument: 400 } },
  'iam:CreateRole': { errors: { ...there, ConcurrentModification: 409 } },
  'iam:CreateServiceLinkedRole': {
    errors: { InvalidInput: 400 },
    wording: ['the service-linked role exists'],
    source: 'localstack, snapshots of AWS (aws-facts)'
  },
  'iam:DeleteInstanceProfile': { errors: { ...gone, DeleteConflict: 409 } },
  'iam:DeleteOpenIDConnectProvider': { errors: gone },
  'iam:DeletePolicyVersion': { errors: gone },
  'iam:DeleteRole': {
    errors: { ...gone, DeleteConflict: 409, ConcurrentModification: 409 },
    source: 'hashicorp/terraform#3222: DeleteConflict for seconds after the detachments'
  },
  'iam:DeleteRolePermissionsBoundary': { errors: gone },
  'iam:DeleteRolePolicy': { errors: gone },
  'iam:DetachRolePolicy': { errors: gone },
  'iam:GetInstanceProfile': { errors: gone },
  'iam:GetOpenIDConnectProvider': {
    errors: gone,
    absent: ['ThumbprintList', 'Tags'],
    source: 'cloud-custodian, recorded answers (aws-facts): Url without scheme'
  },
  'iam:GetPolicy': { errors: gone, absent: ['Policy.Tags'] },
  'iam:GetPolicyVersion': {
    errors: gone,
    source: 'cloud-custodian, recorded answers (aws-facts): the document is percent-encoded'
  },
  'iam:GetRole': { errors: gone, absent: ['Role.PermissionsBoundary', 'Role.Tags', 'Role.Description'] },
  'iam:GetRolePolicy': { errors: gone },
  'iam:ListAttachedRolePolicies': { errors: gone, pages: 'all' },
  'iam:ListEntitiesForPolicy': { pages: 'all' },
  'iam:ListInstanceProfiles': { pages: 'all' },
  'iam:ListInstanceProfilesForRole': { errors: gone, pages: 'all' },
  'iam:ListOpenIDConnectProviders': {},
  'iam:ListPolicyVersions': { errors: gone, pages: 'all' },
  'iam:ListRolePolicies': { errors: gone, pages: 'all' },
  'iam:PutRolePermissionsBoundary': { errors: gone },
  'iam:PutRolePolicy': { errors: { ...gone, LimitExceeded: 409 } },
  'iam:RemoveRoleFromInstanceProfile': { errors: gone },
  'iam:SimulatePrincipalPolicy': {
    errors: { ...gone, InvalidInput: 400 },
    wording: ['actions asked together are refused'],
    pages: 'all',
    absent: ['EvaluationResults.ResourceSpecificResults', 'EvaluationResults.MissingContextValues'],
    source: `${sdk('iam')}, EvaluationResult; radkawar/stackd, recorded 2026-09 (aws-facts)`
  },
  'iam:TagRole': { errors: gone },
  'iam:UpdateAssumeRolePolicy': { errors: { ...gone, MalformedPolicyDocument: 400 } },
  'sqs:CreateQueue': {
    errors: { QueueDeletedRecently: 400 },
    source: 'SQS API reference, CreateQueue: 60 seconds after the deletion of a queue of that name'
  },
  'sqs:GetQueueAttributes': {
    errors: { QueueDoesNotExist: 400 },
    wording: ['queue is gone'],
    absent: ['Attributes'],
    source: queueReference
  },
  'sqs:GetQueueUrl': {
    errors: { QueueDoesNotExist: 400 },
    wording: ['queue is gone'],
    source: queueReference
  },
  'sqs:SetQueueAttributes': { errors: { QueueDoesNotExist: 400 }, source: queueReference },
  'ssm:GetParameters': { absent: ['Parameters', 'InvalidParameters'], source: sdk('ssm') },
  'sts:AssumeRoleWithWebIdentity': {
    errors: { IDPCommunicationError: 400, InvalidIdentityToken: 400, RegionDisabledException: 403 },
    wording: ["the issuer's keys were not read"],
    source: 'aws-actions/configure-aws-credentials#299, #348; actions/runner#1466'
  },
  'sts:GetCallerIdentity': {}
}
