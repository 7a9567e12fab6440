/**
 * Whether a pattern takes in a text: `*` stands for any run of characters, `?` for one. Case counts, as IAM has it for ARNs
 * and EKS for the selectors of Fargate profiles.
 */
export function matches(pattern: string, text: string): boolean {
  const escaped = pattern.replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`, 's').test(text)
}
