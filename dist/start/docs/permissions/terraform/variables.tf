variable "cluster_name" {
  type        = string
  description = "Name of the EKS cluster, in the provider's region."

  validation {
    condition     = can(regex("^[0-9A-Za-z][0-9A-Za-z-]{0,45}$", var.cluster_name))
    error_message = "cluster_name has letters, digits and -, 46 at most: names of roles are made of it."
  }
}

variable "mode" {
  type        = string
  default     = "install"
  description = "What the role is for: install, uninstall, install-and-uninstall or check."

  validation {
    condition     = contains(["install", "uninstall", "install-and-uninstall", "check"], var.mode)
    error_message = "mode is install, uninstall, install-and-uninstall or check."
  }
}

variable "boundary" {
  type        = bool
  default     = true
  description = "Whether the role may make roles only with the permissions boundary that this module makes."
}

variable "stack_role" {
  type        = bool
  default     = false
  description = "Whether CloudFormation gets a service role of its own for Karpenter's stack, so that the role writes no policy; there is a boundary then, whatever boundary says."
}

variable "github_owner" {
  type        = string
  description = "Organisation or user of the repository."
}

variable "github_owner_id" {
  type        = string
  description = "Number of the owner: gh api repos/OWNER/REPO --jq .owner.id"
}

variable "github_repository" {
  type        = string
  description = "Name of the repository, without the owner."
}

variable "github_repository_id" {
  type        = string
  description = "Number of the repository: gh api repos/OWNER/REPO --jq .id"
}

variable "environment" {
  type        = string
  default     = "karpenter"
  description = "Environment of the job that installs or uninstalls; give it reviewers. Empty is any job of the branch. A check goes by the branch."
}

variable "branch" {
  type        = string
  default     = "main"
  description = "Branch of a check, and of an install without environment."
}

variable "pull_requests" {
  type        = bool
  default     = false
  description = "Whether a role for checks is for pull requests of the repository too."
}

variable "create_github_provider" {
  type        = bool
  default     = false
  description = "Whether the OIDC provider of token.actions.githubusercontent.com is to be made; an account has one at most."
}

variable "access_entry" {
  type        = bool
  default     = true
  description = "false for a cluster with authentication mode CONFIG_MAP, which has no access entries."
}
