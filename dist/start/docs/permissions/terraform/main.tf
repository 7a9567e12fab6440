# A role for setup-karpenter on one EKS cluster, assumed by GitHub Actions: its policies, the permissions boundary of the
# roles that it makes, and its access to the cluster. policies/ is made from the policies of docs/permissions by
# `npm run docs`; ../role.yaml is the same for CloudFormation.
terraform {
  required_version = ">= 1.5"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.0"
    }
  }
}

data "aws_eks_cluster" "this" {
  name = var.cluster_name
}

locals {
  # arn:PARTITION:eks:REGION:ACCOUNT_ID:cluster/CLUSTER_NAME
  arn = split(":", data.aws_eks_cluster.this.arn)
  # https://oidc.eks.REGION.URL_SUFFIX/id/OIDC_ID
  issuer = regex("^https://oidc[.]eks[.][^.]+[.](.+)/id/(.+)$", data.aws_eks_cluster.this.identity[0].oidc[0].issuer)
  stack  = "Karpenter-${var.cluster_name}"

  installs  = contains(["install", "install-and-uninstall"], var.mode)
  removes   = contains(["uninstall", "install-and-uninstall"], var.mode)
  checks    = var.mode == "check"
  served    = local.installs && var.stack_role
  bounded   = local.served || (local.installs && var.boundary)
  role_name = "${local.checks ? "check" : local.installs ? "setup" : "remove"}-karpenter-${var.cluster_name}"

  names = {
    PARTITION      = local.arn[1]
    REGION         = local.arn[3]
    ACCOUNT_ID     = local.arn[4]
    CLUSTER_NAME   = var.cluster_name
    URL_SUFFIX     = local.issuer[0]
    OIDC_ID        = local.issuer[1]
    VPC_ID         = data.aws_eks_cluster.this.vpc_config[0].vpc_id
    ROLE_NAME      = local.role_name
    RULES_OF_STACK = length(local.stack) > 24 ? "${substr(local.stack, 0, 24)}*" : local.stack
  }

  policies = toset(concat(
    local.installs ? ["install"] : [],
    local.served ? ["install-iam-stack-role"] : [],
    local.bounded && !local.served ? ["install-iam-bounded"] : [],
    local.installs && !local.bounded ? ["install-iam"] : [],
    local.removes ? ["uninstall"] : [],
    local.checks ? ["check"] : [],
  ))

  audience     = local.arn[1] == "aws-cn" ? "sts.amazonaws.com.cn" : "sts.amazonaws.com"
  provider_arn = "arn:${local.arn[1]}:iam::${local.arn[4]}:oidc-provider/token.actions.githubusercontent.com"
  jobs = concat(
    [local.checks || var.environment == "" ? "ref:refs/heads/${var.branch}" : "environment:${var.environment}"],
    local.checks && var.pull_requests ? ["pull_request"] : [],
  )
}

# One to an account: leave it out where the account has it.
resource "aws_iam_openid_connect_provider" "github" {
  count = var.create_github_provider ? 1 : 0

  url            = "https://token.actions.githubusercontent.com"
  client_id_list = [local.audience]
}

resource "aws_iam_policy" "boundary" {
  count = local.bounded ? 1 : 0

  name   = "setup-karpenter-boundary-${var.cluster_name}"
  policy = templatefile("${path.module}/policies/boundary.json.tftpl", local.names)
}

resource "aws_iam_policy" "this" {
  for_each = local.policies

  name   = "${local.role_name}-${each.key}"
  policy = templatefile("${path.module}/policies/${each.key}.json.tftpl", local.names)
}

# By which CloudFormation makes, changes and deletes Karpenter's stack.
resource "aws_iam_role" "stack" {
  count = local.served ? 1 : 0

  name = "stack-karpenter-${var.cluster_name}"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "cloudformation.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy" "stack" {
  count = local.served ? 1 : 0

  name   = "stack"
  role   = aws_iam_role.stack[0].name
  policy = templatefile("${path.module}/policies/stack-role.json.tftpl", local.names)
}

resource "aws_iam_role" "this" {
  name       = local.role_name
  depends_on = [aws_iam_openid_connect_provider.github]

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "GitHubActions"
      Effect    = "Allow"
      Principal = { Federated = local.provider_arn }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = {
        StringEquals = {
          "token.actions.githubusercontent.com:aud" = local.audience
          "token.actions.githubusercontent.com:sub" = flatten([for job in local.jobs : [
            "repo:${var.github_owner}@${var.github_owner_id}/${var.github_repository}@${var.github_repository_id}:${job}",
            "repo:${var.github_owner}/${var.github_repository}:${job}",
          ]])
        }
      }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "this" {
  for_each = local.policies

  role       = aws_iam_role.this.name
  policy_arn = aws_iam_policy.this[each.key].arn
}

resource "aws_eks_access_entry" "this" {
  count = var.access_entry ? 1 : 0

  cluster_name  = var.cluster_name
  principal_arn = aws_iam_role.this.arn
}

resource "aws_eks_access_policy_association" "this" {
  count = var.access_entry ? 1 : 0

  cluster_name  = var.cluster_name
  principal_arn = aws_eks_access_entry.this[0].principal_arn
  policy_arn    = "arn:${local.arn[1]}:eks::aws:cluster-access-policy/${local.checks ? "AmazonEKSAdminViewPolicy" : "AmazonEKSClusterAdminPolicy"}"

  access_scope {
    type = "cluster"
  }
}
