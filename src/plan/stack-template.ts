import type { Aws } from '../aws/clients.js'
import { accessDenied, awsProblem } from '../aws/errors.js'
import { messageOf, UserError } from '../engine/errors.js'
import { type LiveStack, readStack } from '../aws/stack-operation.js'
import { isMap, type JsonMap } from '../engine/json.js'
import type { InstallRecord } from '../engine/record.js'
import type { Inputs } from '../inputs/inputs.js'
import type { NamedPolicy } from '../aws/policy/changes.js'
import { lostStatements } from '../aws/policy/lost.js'
import { statementsOf } from '../aws/policy/statements.js'
import { type RenderedStack, renderTemplate, type StackSettings } from '../karpenter/rendered-stack.js'
import { type Adaptation, adaptTemplate, type LoadedTemplate, loadTemplate } from '../karpenter/template.js'
import { asGiven } from '../karpenter/template-as-read.js'
import { templateVersionFor } from '../karpenter/template-version.js'
import { gradeOf } from '../karpenter/tested-versions.js'
import type { VersionFacts } from '../karpenter/version-facts.js'
import type { StatementsOrigin } from '../karpenter/version-words.js'
import { widenedTemplate } from '../karpenter/widened-template.js'
import { recordedStack } from '../resources/recorded.js'

export interface DecidedTemplate {
  readonly text: string
  /** Where it came from, for a person. */
  readonly origin: string
  readonly stack: RenderedStack
  /** Where the statements that the version needs are known from. */
  readonly statements: StatementsOrigin
  /** Policies of the version's own template; undefined where the table has them, or nothing better is known. */
  readonly own: readonly NamedPolicy[] | undefined
  /** The stack that was read for it, which need not be read again. */
  readonly standing?: { readonly live: LiveStack | undefined }
}

export interface TemplateFacts {
  readonly inputs: Inputs
  readonly facts: VersionFacts
  /** Of the stack of an adopted installation. */
  readonly templateVersion: string | undefined
  readonly record: InstallRecord | undefined
  readonly aws: Aws
  readonly adaptation: Adaptation
  readonly settings: StackSettings
  readonly fetchText: (url: string) => Promise<string>
  readonly readFile: (path: string) => string
}

/** The template of a version, as this cluster gets it. */
export async function decideTemplate(now: TemplateFacts): Promise<DecidedTemplate> {
  const { inputs, facts, settings, adaptation } = now
  const loaded = await loadedTemplate(now)
  const asAsked = adaptTemplate(loaded.text, adaptation)
  const untested = gradeOf(facts.version) === 'untested'
  if (untested && inputs.template.kind === 'built-in' && inputs.mode !== 'uninstall') {
    const read = await standingStack(now)
    const live = read && {
      ...read,
      template: asGiven(read.template, [recordedStack(now.record).template])
    }
    const text = withStatementsOf(asAsked, live, now)
    const stack = text === asAsked ? renderTemplate(text, settings) : renderedBeside(text, now)
    return {
      text,
      origin: text === asAsked ? loaded.origin : `${loaded.origin}, with what the stack has besides`,
      stack,
      statements: 'newest row',
      own: undefined,
      standing: { live }
    }
  }
  const stack = renderTemplate(asAsked, settings)
  const rest = { text: asAsked, origin: loaded.origin, stack }
  if (!untested) return { ...rest, statements: 'table', own: undefined }
  if (inputs.template.kind === 'upstream')
    return { ...rest, statements: loaded.recorded ? 'record' : 'tag', own: stack.policies }
  const { value, origin } = facts.template
  const own = value === undefined ? undefined : policiesOf(value, settings)
  return own === undefined ? { ...rest, statements: 'newest row', own } : { ...rest, statements: origin, own }
}

/**
 * A check of the version that is recorded goes by the record's template where upstream's cannot be had: it writes nothing, and
 * what was installed is known.
 */
export async function loadedTemplate(
  now: Pick<TemplateFacts, 'inputs' | 'facts' | 'record' | 'fetchText' | 'readFile' | 'templateVersion'>
): Promise<LoadedTemplate & { readonly recorded: boolean }> {
  const { inputs, facts, record, fetchText, readFile } = now
  try {
    const loaded = await loadTemplate({
      input: inputs.template,
      version: templateVersionFor(facts.version, now.templateVersion),
      ports: { fetchText, readFile }
    })
    return { ...loaded, recorded: false }
  } catch (error) {
    const { template } = recordedStack(record)
    const isRecorded = inputs.mode === 'check' && record?.karpenterVersion === facts.version
    if (!isRecorded || template === undefined) throw error
    const why = error instanceof Error ? error.message.replace(/^template: /, '') : ''
    return { text: template, origin: `as recorded, because ${why}`, recorded: true }
  }
}

/** What the stack has besides is kept, so that it must be known as well; the template asked for is not at fault. */
function renderedBeside(text: string, { inputs, facts, settings }: TemplateFacts): RenderedStack {
  try {
    return renderTemplate(text, settings)
  } catch (error) {
    throw new UserError(
      'template',
      `built-in: Karpenter ${facts.version} is newer than it, so what CloudFormation stack ${inputs.stackName} has besides would stay, but not all of that is known beforehand: ${messageOf(error).replace(/^template: /, '')}`,
      "Pass `template: upstream`, which has the version's own policies and takes out of the stack what is not among them, or change the stack so that all of it is known.",
      { state: 'Nothing was changed.', cause: error }
    )
  }
}

/** What may not be read a check says by itself. */
async function standingStack({ aws, inputs }: TemplateFacts): Promise<LiveStack | undefined> {
  try {
    return await readStack(aws, inputs.stackName)
  } catch (error) {
    if (inputs.mode === 'check' && accessDenied(error) !== undefined) return undefined
    throw awsProblem(
      'template',
      `built-in: CloudFormation stack ${inputs.stackName} could not be read`,
      error
    )
  }
}

/**
 * The table ends before the version, so that what the stack allows besides may be what the version needs: all of it stays.
 * Where the two cannot be had in one, for IAM's quotas or because policies bear other names, the stack stays as it is. What
 * the stack has besides is in the text even where only CloudFormation can work it out: then it cannot be rendered.
 */
export function withStatementsOf(
  text: string,
  live: Pick<LiveStack, 'template' | 'parameters'> | undefined,
  { settings, adaptation }: Pick<TemplateFacts, 'settings' | 'adaptation'>
): string {
  if (live === undefined) return text
  const widened = widenedTemplate(text, live, settings)
  const [before, after] = [policiesOf(live.template, settings), policiesOf(widened.text, settings)]
  const lost =
    before === undefined || after === undefined ? [] : lostStatements(joined(before), joined(after))
  return widened.narrowed.length === 0 && lost.length === 0
    ? widened.text
    : adaptTemplate(live.template, adaptation)
}

function joined(policies: readonly NamedPolicy[]): JsonMap {
  return {
    Statement: policies.flatMap(({ document }) => (isMap(document) ? statementsOf(document) : []))
  }
}

/** Undefined for a template that only CloudFormation can work out; one without a node role has policies as well. */
function policiesOf(template: string, settings: StackSettings): readonly NamedPolicy[] | undefined {
  try {
    return renderTemplate(template, { nodeRoleArn: '', ...settings }).policies
  } catch {
    return undefined
  }
}
