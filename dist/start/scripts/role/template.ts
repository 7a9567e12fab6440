/** Placeholders of docs/permissions/*.json as CloudFormation writes them in `Fn::Sub`. */
const substitutions: Readonly<Record<string, string>> = {
  PARTITION: '${AWS::Partition}',
  URL_SUFFIX: '${AWS::URLSuffix}',
  REGION: '${AWS::Region}',
  ACCOUNT_ID: '${AWS::AccountId}',
  RULES_OF_STACK: '${RulesOfStack}',
  CLUSTER_NAME: '${ClusterName}',
  OIDC_ID: '${ClusterOidcId}',
  VPC_ID: '${VpcId}',
  ROLE_NAME: 'setup-karpenter-${ClusterName}'
}

/** What of the role is made from which file of docs/permissions, and when. */
const policies = [
  {
    logicalId: 'PermissionsBoundary',
    file: 'boundary',
    name: 'setup-karpenter-boundary-${ClusterName}',
    condition: 'Bounded'
  },
  {
    logicalId: 'InstallPolicy',
    file: 'install',
    name: 'setup-karpenter-${ClusterName}-install',
    condition: 'Installs'
  },
  {
    logicalId: 'InstallIamPolicy',
    file: 'install-iam-bounded',
    name: 'setup-karpenter-${ClusterName}-install-iam',
    condition: 'ByItself'
  },
  {
    logicalId: 'UnboundedInstallIamPolicy',
    file: 'install-iam',
    name: 'setup-karpenter-${ClusterName}-install-iam-unbounded',
    condition: 'Unbounded'
  },
  {
    logicalId: 'ServedInstallIamPolicy',
    file: 'install-iam-stack-role',
    name: 'setup-karpenter-${ClusterName}-install-iam-served',
    condition: 'Served'
  },
  {
    logicalId: 'ServiceRolePolicy',
    file: 'stack-role',
    name: 'stack-karpenter-${ClusterName}',
    condition: 'Served'
  },
  {
    logicalId: 'UninstallPolicy',
    file: 'uninstall',
    name: 'setup-karpenter-${ClusterName}-uninstall',
    condition: 'Removes'
  },
  {
    logicalId: 'CheckPolicy',
    file: 'check',
    name: 'setup-karpenter-${ClusterName}-check',
    condition: 'Checks'
  }
] as const

/** Files of docs/permissions that the template carries, without `.json`. */
export const filesOfTemplate: readonly string[] = policies.map(({ file }) => file)

/**
 * docs/permissions/role.yaml. `read` gives the text of a policy. The documents are texts for `Fn::Sub`, which takes a
 * parameter in a key as well; one line a statement, so that the template stays below the 51,200 bytes that CloudFormation
 * takes from a file.
 */
export function roleTemplate(read: (file: string) => string): string {
  const attached = policies.filter(({ file }) => file !== 'boundary' && file !== 'stack-role')
  return [
    head,
    ...policies.map(({ logicalId, file, name, condition }) =>
      policyResource(logicalId, condition, name, read(file))
    ),
    role(
      attached.map(
        ({ logicalId, condition }) => `        - !If [${condition}, !Ref ${logicalId}, !Ref AWS::NoValue]`
      )
    ),
    tail
  ].join('')
}

function policyResource(logicalId: string, condition: string, name: string, text: string): string {
  return `  ${logicalId}:
    Type: AWS::IAM::ManagedPolicy
    Condition: ${condition}
    Properties:
      ManagedPolicyName: !Sub '${name}'
      PolicyDocument: !Sub |
${documentLines(text)
  .map((line) => `        ${line}\n`)
  .join('')}`
}

function documentLines(text: string): readonly string[] {
  const filled = Object.entries(substitutions).reduce(
    (sofar, [placeholder, value]) => sofar.replaceAll(placeholder, value),
    text
  )
  const document: unknown = JSON.parse(filled)
  const statements: unknown =
    typeof document === 'object' && document !== null && 'Statement' in document
      ? document.Statement
      : undefined
  if (!Array.isArray(statements)) throw new Error('docs/permissions: a policy has a list of statements')
  return [
    '{"Version": "2012-10-17", "Statement": [',
    ...statements.map(
      (one: unknown, index) => `  ${JSON.stringify(one)}${index < statements.length - 1 ? ',' : ''}`
    ),
    ']}'
  ]
}

const head = `# Made from the policies of this folder by \`npm run docs\`: change those.
AWSTemplateFormatVersion: '2010-09-09'
Description: >-
  A role for setup-karpenter on one EKS cluster, assumed by GitHub Actions: its policies, the permissions boundary of the
  roles that it makes, and its access to the cluster. Deploy it in the cluster's region.
Parameters:
  ClusterName:
    Type: String
    AllowedPattern: '[0-9A-Za-z][0-9A-Za-z-]*'
    MaxLength: 46
  ClusterOidcId:
    Type: String
    Description: Last part of the cluster's issuer, cluster.identity.oidc.issuer of aws eks describe-cluster
    AllowedPattern: '[0-9A-F]{32}'
  VpcId:
    Type: String
    Description: The cluster's VPC, whose subnets and security groups alone the role may tag; a star is any
    Default: '*'
    AllowedPattern: '[*]|vpc-[0-9a-f]+'
  RulesOfStack:
    Type: String
    Description: Karpenter-<cluster>; where that has more than 24 characters, its first 24 and a star
    AllowedPattern: '[0-9A-Za-z-]{1,24}|[0-9A-Za-z-]{24}[*]'
    ConstraintDescription: Karpenter-<cluster>; where that has more than 24 characters, its first 24 and a star
  Mode:
    Type: String
    Description: What the role is for
    Default: install
    AllowedValues: [install, uninstall, install-and-uninstall, check]
  Boundary:
    Type: String
    Description: Whether the role may make roles only with the permissions boundary that this stack makes
    Default: 'yes'
    AllowedValues: ['yes', 'no']
  StackRole:
    Type: String
    Description: Whether CloudFormation gets a service role of its own for Karpenter's stack, so that the role writes no policy; there is a boundary then, whatever Boundary says
    Default: 'no'
    AllowedValues: ['yes', 'no']
  GitHubOwner:
    Type: String
    AllowedPattern: '[0-9A-Za-z_-]+'
  GitHubOwnerId:
    Type: String
    AllowedPattern: '[0-9]+'
  GitHubRepository:
    Type: String
    AllowedPattern: '[0-9A-Za-z._-]+'
  GitHubRepositoryId:
    Type: String
    AllowedPattern: '[0-9]+'
  Environment:
    Type: String
    Description: Environment of the job that installs or uninstalls; give it reviewers. Empty is any job of the branch. A check goes by the branch
    Default: karpenter
    AllowedPattern: '[^*?:]*'
  Branch:
    Type: String
    Default: main
    AllowedPattern: '[^*?:]+'
  PullRequests:
    Type: String
    Description: Whether a role for checks is for pull requests of the repository too
    Default: 'no'
    AllowedValues: ['yes', 'no']
  GitHubProvider:
    Type: String
    Description: Whether the account has the OIDC provider of token.actions.githubusercontent.com already
    Default: create
    AllowedValues: [create, existing]
  AccessEntry:
    Type: String
    Description: no for a cluster with authentication mode CONFIG_MAP, which has no access entries
    Default: 'yes'
    AllowedValues: ['yes', 'no']
Mappings:
  ByMode:
    install: { Name: setup, Access: AmazonEKSClusterAdminPolicy }
    uninstall: { Name: remove, Access: AmazonEKSClusterAdminPolicy }
    install-and-uninstall: { Name: setup, Access: AmazonEKSClusterAdminPolicy }
    check: { Name: check, Access: AmazonEKSAdminViewPolicy }
Conditions:
  Installs: !Or [!Equals [!Ref Mode, install], !Equals [!Ref Mode, install-and-uninstall]]
  Removes: !Or [!Equals [!Ref Mode, uninstall], !Equals [!Ref Mode, install-and-uninstall]]
  Checks: !Equals [!Ref Mode, check]
  Served: !And [!Condition Installs, !Equals [!Ref StackRole, 'yes']]
  Bounded: !And [!Condition Installs, !Or [!Condition Served, !Equals [!Ref Boundary, 'yes']]]
  ByItself: !And [!Condition Bounded, !Not [!Condition Served]]
  Unbounded: !And [!Condition Installs, !Not [!Condition Bounded]]
  ByBranch: !Or [!Condition Checks, !Equals [!Ref Environment, '']]
  ByPullRequest: !And [!Condition Checks, !Equals [!Ref PullRequests, 'yes']]
  NewProvider: !Equals [!Ref GitHubProvider, create]
  WithAccess: !Equals [!Ref AccessEntry, 'yes']
  China: !Equals [!Ref AWS::Partition, aws-cn]
Resources:
  # One to an account: other roles may use it when this stack goes.
  Provider:
    Type: AWS::IAM::OIDCProvider
    Condition: NewProvider
    DeletionPolicy: Retain
    UpdateReplacePolicy: Retain
    Properties:
      Url: https://token.actions.githubusercontent.com
      ClientIdList:
        - !If [China, sts.amazonaws.com.cn, sts.amazonaws.com]
`

function role(arns: readonly string[]): string {
  return `  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: !Join ['-', [!FindInMap [ByMode, !Ref Mode, Name], karpenter, !Ref ClusterName]]
      ManagedPolicyArns:
${arns.map((arn) => `${arn}\n`).join('')}      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement:
          - Sid: GitHubActions
            Effect: Allow
            Principal:
              Federated: !If
                - NewProvider
                - !Ref Provider
                - !Sub 'arn:\${AWS::Partition}:iam::\${AWS::AccountId}:oidc-provider/token.actions.githubusercontent.com'
            Action: sts:AssumeRoleWithWebIdentity
            Condition:
              StringEquals:
                token.actions.githubusercontent.com:aud: !If [China, sts.amazonaws.com.cn, sts.amazonaws.com]
                token.actions.githubusercontent.com:sub: !If
                  - ByBranch
                  - - !Sub 'repo:\${GitHubOwner}@\${GitHubOwnerId}/\${GitHubRepository}@\${GitHubRepositoryId}:ref:refs/heads/\${Branch}'
                    - !If
                      - ByPullRequest
                      - !Sub 'repo:\${GitHubOwner}@\${GitHubOwnerId}/\${GitHubRepository}@\${GitHubRepositoryId}:pull_request'
                      - !Ref AWS::NoValue
                    - !Sub 'repo:\${GitHubOwner}/\${GitHubRepository}:ref:refs/heads/\${Branch}'
                    - !If
                      - ByPullRequest
                      - !Sub 'repo:\${GitHubOwner}/\${GitHubRepository}:pull_request'
                      - !Ref AWS::NoValue
                  - - !Sub 'repo:\${GitHubOwner}@\${GitHubOwnerId}/\${GitHubRepository}@\${GitHubRepositoryId}:environment:\${Environment}'
                    - !Sub 'repo:\${GitHubOwner}/\${GitHubRepository}:environment:\${Environment}'
`
}

const tail = `  ServiceRole:
    Type: AWS::IAM::Role
    Condition: Served
    Properties:
      RoleName: !Sub 'stack-karpenter-\${ClusterName}'
      ManagedPolicyArns: [!Ref ServiceRolePolicy]
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement:
          - Effect: Allow
            Principal: { Service: cloudformation.amazonaws.com }
            Action: sts:AssumeRole
  Access:
    Type: AWS::EKS::AccessEntry
    Condition: WithAccess
    Properties:
      ClusterName: !Ref ClusterName
      PrincipalArn: !GetAtt Role.Arn
      Type: STANDARD
      AccessPolicies:
        - PolicyArn: !Join
            - ''
            - - !Sub 'arn:\${AWS::Partition}:eks::aws:cluster-access-policy/'
              - !FindInMap [ByMode, !Ref Mode, Access]
          AccessScope: { Type: cluster }
Outputs:
  RoleArn:
    Description: Input role-to-assume
    Value: !GetAtt Role.Arn
  PermissionsBoundary:
    Description: Input permissions-boundary of installs and checks
    Condition: Bounded
    Value: !Ref PermissionsBoundary
  StackRoleArn:
    Description: Input stack-role-arn of installs
    Condition: Served
    Value: !GetAtt ServiceRole.Arn
`
