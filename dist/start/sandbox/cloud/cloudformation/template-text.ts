import {
  CORE_SCHEMA,
  defineMappingTag,
  defineScalarTag,
  defineSequenceTag,
  load,
  YAMLException
} from 'js-yaml'
import { AwsError } from '../service.js'
import { asJson, type Json } from './json.js'

/** Short forms that YAML templates may use; each stands for `{"Fn::X": value}`, and the first two for the bare key. */
const shortForms = [
  'Ref',
  'Condition',
  'And',
  'Base64',
  'Cidr',
  'Equals',
  'FindInMap',
  'GetAtt',
  'GetAZs',
  'If',
  'ImportValue',
  'Join',
  'Not',
  'Or',
  'Select',
  'Split',
  'Sub',
  'Transform'
] as const

function longForm(name: string, value: unknown): Record<string, unknown> {
  if (name === 'Ref' || name === 'Condition') return { [name]: value }
  if (name === 'GetAtt' && typeof value === 'string') {
    const dot = value.indexOf('.')
    return { 'Fn::GetAtt': dot < 0 ? value : [value.slice(0, dot), value.slice(dot + 1)] }
  }
  return { [`Fn::${name}`]: value }
}

const never = (): boolean => false

/** No timestamps: `Version: 2012-10-17` is text to CloudFormation, quoted or not. */
const schema = CORE_SCHEMA.withTags(
  shortForms.flatMap((name) => [
    defineScalarTag(`!${name}`, { identify: never, resolve: (source) => longForm(name, source) }),
    defineSequenceTag<unknown[], Record<string, unknown>>(`!${name}`, {
      identify: never,
      create: () => [],
      addItem: (items, item) => {
        items.push(item)
      },
      finalize: (items) => longForm(name, items)
    }),
    defineMappingTag<Record<string, unknown>, Record<string, unknown>>(`!${name}`, {
      identify: never,
      create: () => ({}),
      addPair: (pairs, key, value) => {
        pairs[String(key)] = value
        return ''
      },
      has: (pairs, key) => Object.hasOwn(pairs, String(key)),
      keys: (pairs) => Object.keys(pairs),
      get: (pairs, key) => pairs[String(key)],
      finalize: (pairs) => longForm(name, pairs)
    })
  ])
)

/** The text of a template, JSON or YAML, as one value with the long form of every function. */
export function parseTemplateText(text: string): Json {
  if (text.trimStart().startsWith('{')) {
    try {
      return asJson(JSON.parse(text))
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error
      // Flow-style YAML begins with a brace too.
    }
  }
  try {
    return asJson(load(text, { schema }))
  } catch (error) {
    if (error instanceof YAMLException) {
      const place =
        error.mark === undefined ? '' : ` (line ${error.mark.line + 1}, column ${error.mark.column + 1})`
      throw new AwsError('ValidationError', `Template format error: YAML not well-formed.${place}`)
    }
    throw new AwsError('ValidationError', `Template format error: unsupported structure.`)
  }
}
