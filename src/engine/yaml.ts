import {
  constructFromEvents,
  CORE_SCHEMA,
  defineScalarTag,
  EVENT_ID,
  mergeTag,
  NOT_RESOLVED,
  parseEvents,
  YAMLException
} from 'js-yaml'
import { boundedText, boundedValue } from './bounded-yaml.js'
import { messageOf } from './errors.js'

export interface YamlDocument {
  readonly value: unknown
  /** Where its content begins, from 1. */
  readonly line: number
}

/** Why a text is no YAML, in one line. */
export class YamlProblem extends Error {
  /** From 1; undefined where no line is at fault. */
  readonly line: number | undefined

  constructor(reason: string, line: number | undefined, cause: unknown) {
    super(reason, { cause })
    this.line = line
  }
}

const truths = new Set(['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON'])
const untruths = new Set(['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF'])

function numberOf(source: string): number | undefined {
  if (!/^[-+.\d]/.test(source)) return undefined
  const plain = source.replaceAll('_', '')
  const [, sign, digits] = /^([-+]?)(0x[\da-f]+|0b[01]+|0o?[0-7]+)$/i.exec(plain) ?? []
  if (digits !== undefined) {
    const whole = Number(/^0\d/.test(digits) ? `0o${digits}` : digits)
    return sign === '-' ? 0 - whole : whole
  }
  if (!/^[-+]?(\.\d+|\d+(\.\d*)?)(e[-+]?\d+)?$/i.test(plain)) return undefined
  const number = Number(plain)
  return Number.isFinite(number) ? number + 0 : undefined
}

const never = (): boolean => false

/** What go-yaml v2 makes of plain text: YAML 1.1's booleans and octals, 1.2's 0o, but no times and no base 60. */
const schema = CORE_SCHEMA.withTags(
  mergeTag,
  // A text, whatever its bytes were.
  defineScalarTag('tag:yaml.org,2002:binary', {
    identify: never,
    resolve: (source) => Buffer.from(source, 'base64').toString('utf8')
  }),
  defineScalarTag('tag:yaml.org,2002:bool', {
    implicit: true,
    identify: never,
    resolve: (source) => (truths.has(source) ? true : untruths.has(source) ? false : NOT_RESOLVED)
  }),
  defineScalarTag('tag:yaml.org,2002:int', {
    implicit: true,
    identify: never,
    resolve: (source) => numberOf(source) ?? NOT_RESOLVED
  }),
  defineScalarTag('tag:yaml.org,2002:float', {
    implicit: true,
    identify: never,
    resolve: (source) => numberOf(source) ?? NOT_RESOLVED
  })
)

/**
 * Every document of a text, read as kubectl, helm and EKS's authenticator read it (all use sigs.k8s.io/yaml over go-yaml
 * v2; compared with its 1.6.0): merge keys are merged, of a key that is there twice the last counts. A text of comments
 * alone has no document. Throws YamlProblem.
 */
export function readYaml(text: string): readonly YamlDocument[] {
  let line = 1
  try {
    const documents: YamlDocument[] = []
    for (const part of partsOf(boundedText(text))) {
      documents.push(...documentsIn(part, line))
      line += newlinesIn(part)
    }
    return documents
  } catch (error) {
    const known = error instanceof YAMLException
    const reason = known ? error.reason : (messageOf(error).split('\n')[0] ?? '')
    throw new YamlProblem(
      templateIn(text) ?? wrappingOf(text) ?? reason,
      known && error.mark !== undefined ? line + error.mark.line : undefined,
      error
    )
  }
}

/**
 * The text document by document, so that of hundreds no more than one is in the making. A line that begins with --- begins
 * one wherever it stands (YAML 1.2.2, 9.1.2); where there may be directives, which stand before it, the text is one part.
 */
function partsOf(text: string): readonly string[] {
  return /(^|[\r\n])%/.test(text) ? [text] : text.split(/(?<=\n)(?=---(?:[ \t\r\n]|$))/)
}

/** `line`: that of the text's beginning. */
function documentsIn(text: string, line: number): readonly YamlDocument[] {
  const events = parseEvents(text, {})
  const values = constructFromEvents(events, { source: text, schema, json: true }).map(boundedValue)
  const starts: number[] = []
  events.forEach((event, index) => {
    if (event.type === EVENT_ID.DOCUMENT) starts.push(startOf(events[index + 1]))
  })
  return values.map((value, index) => ({
    value,
    line: line + newlinesIn(text.slice(0, Math.max(0, starts[index] ?? 0)))
  }))
}

/** The value of a text of one document; undefined where it has none. Throws YamlProblem. */
export function readOneYaml(text: string): unknown {
  const documents = readYaml(text)
  if (documents.length > 1)
    throw new YamlProblem(`it has ${documents.length} documents, not one`, documents[1]?.line, undefined)
  return documents[0]?.value ?? undefined
}

/** What a text says that is not there yet: a template, and what fills it in. Undefined where it is none. */
export function templateIn(text: string): string | undefined {
  const helm =
    /\{\{-?[^{}]*?(\.(Values|Release|Chart|Capabilities|Files|Template)\b|\b(include|template|if|range|with|end|define|toYaml|tpl)\b|\$)[^{}]*\}\}/
  if (helm.test(text)) return 'it is a Helm template: give what `helm template` prints of it'
  const terraform =
    /%\{ *~? *(for|if|else|endfor|endif)\b|\$\{ *(module|var|local|data|each|path|self|count|terraform|aws_\w+)[.[]|\$\{ *[a-z]\w*\(/
  if (terraform.test(text)) return 'it is a Terraform template: give what Terraform renders of it'
  return undefined
}

/** What stands round the YAML, or in it, that somebody was to take away; only of a text that is none. */
function wrappingOf(text: string): string | undefined {
  if (/\{%[^%]*%\}|\{\{[^{}]*\}\}/.test(text))
    return 'it is a template (Jinja, Ansible or the like): give what is rendered of it'
  if (/^\s*(cat|kubectl|tee)\b.*<<-?\s*['"\\]?\w+/m.test(text))
    return 'a shell command stands round it: give the lines between the command and its end mark alone'
  if (/^```/m.test(text))
    return 'it stands between the marks of a Markdown block (```): give the lines between them alone'
  return undefined
}

function startOf(event: ReturnType<typeof parseEvents>[number] | undefined): number {
  if (event === undefined) return 0
  if ('start' in event) return event.start
  return 'valueStart' in event ? event.valueStart : 0
}

function newlinesIn(text: string): number {
  return text.split('\n').length - 1
}
