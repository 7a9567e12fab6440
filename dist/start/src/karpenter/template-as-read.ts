/**
 * CloudFormation answers `?` for every character beyond ASCII of a template that it was given (aws/aws-cdk-cli#1915,
 * aws-cloudformation/cloudformation-coverage-roadmap#814), so that what is read is not what stands. How many `?` a character
 * of two code units becomes is not said: a run of them counts as one.
 */
function asAnswered(text: string): string {
  return text.replace(/(?:[^\u0000-\u007f]|\?)+/g, '?')
}

/** Whether what was read is what was given. */
export function isAnsweredFor(given: string, read: string): boolean {
  return asAnswered(given) === asAnswered(read)
}

/** The text that was given, of those that it may have been; what was read where it is none of them. */
export function asGiven(read: string, candidates: readonly (string | undefined)[]): string {
  return (
    candidates.find((given): given is string => given !== undefined && isAnsweredFor(given, read)) ?? read
  )
}
