/** Placeholders of docs/permissions/*.json: what docs/permissions/terraform/main.tf has in its `names`. */
export const placeholders = [
  'PARTITION',
  'URL_SUFFIX',
  'REGION',
  'ACCOUNT_ID',
  'RULES_OF_STACK',
  'CLUSTER_NAME',
  'OIDC_ID',
  'VPC_ID',
  'ROLE_NAME'
] as const

/** A policy of docs/permissions as Terraform's `templatefile` takes it. */
export function terraformPolicy(text: string): string {
  return placeholders.reduce((sofar, name) => sofar.replaceAll(name, `\${${name}}`), text)
}
