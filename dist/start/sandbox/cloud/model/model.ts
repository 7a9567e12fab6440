import { readFileSync } from 'node:fs'
import { list, record, text } from '../../values.js'

/** A service's operations and shapes as AWS publishes them (published/README.md). */
export interface Model {
  readonly protocol: string
  readonly operations: ReadonlyMap<string, OperationModel>
  shape(name: string): ShapeModel
}

export interface OperationModel {
  readonly input: Reference | undefined
  readonly output: Reference | undefined
  /** HTTP status by code; undefined: the model gives none. */
  readonly errors: ReadonlyMap<string, number | undefined>
}

/** Where a shape stands: as a member of a structure, an element of a list, a side of a map. */
export interface Reference {
  readonly shape: string
  readonly location: string | undefined
  readonly locationName: string | undefined
  readonly queryName: string | undefined
  readonly flattened: boolean
  readonly resultWrapper: string | undefined
}

export interface ShapeModel {
  readonly name: string
  readonly type: string
  readonly required: readonly string[]
  readonly members: ReadonlyMap<string, Reference>
  readonly element: Reference | undefined
  readonly key: Reference | undefined
  readonly value: Reference | undefined
  readonly min: number | undefined
  readonly max: number | undefined
  readonly pattern: RegExp | undefined
  readonly values: readonly string[]
  readonly flattened: boolean
}

/** Services of the sandbox by the name of the model's file. */
const files: Readonly<Record<string, string>> = {
  cloudformation: 'cloudformation',
  ec2: 'ec2',
  eks: 'eks',
  events: 'eventbridge',
  iam: 'iam',
  sqs: 'sqs',
  ssm: 'ssm',
  sts: 'sts'
}

const read = new Map<string, Model>()

/** Undefined: src/ calls nothing of this service. */
export function modelOf(service: string): Model | undefined {
  const file = files[service]
  if (file === undefined) return undefined
  const known = read.get(service)
  if (known !== undefined) return known
  const text_ = readFileSync(new URL(`published/${file}.json`, import.meta.url), 'utf8')
  const model = parsed(record(JSON.parse(text_)))
  read.set(service, model)
  return model
}

function parsed(raw: Readonly<Record<string, unknown>>): Model {
  const shapes = new Map<string, ShapeModel>()
  return {
    protocol: String(raw['protocol']),
    operations: new Map(
      Object.entries(record(raw['operations'])).map(([name, row]) => [name, operationOf(record(row))])
    ),
    shape: (name) => {
      const shape = shapes.get(name) ?? shapeOf(name, record(record(raw['shapes'])[name]))
      shapes.set(name, shape)
      return shape
    }
  }
}

function operationOf(row: Readonly<Record<string, unknown>>): OperationModel {
  const errors = list(row['errors']).map((error) => {
    const { code, status } = record(error)
    return [String(code), typeof status === 'number' ? status : undefined] as const
  })
  return { input: referenceOf(row['input']), output: referenceOf(row['output']), errors: new Map(errors) }
}

function referenceOf(raw: unknown): Reference | undefined {
  if (raw === undefined) return undefined
  const own = record(raw)
  return {
    shape: String(own['shape']),
    location: text(own['location']),
    locationName: text(own['locationName']),
    queryName: text(own['queryName']),
    flattened: own['flattened'] === true,
    resultWrapper: text(own['resultWrapper'])
  }
}

function shapeOf(name: string, raw: Readonly<Record<string, unknown>>): ShapeModel {
  const members = Object.entries(record(raw['members'])).flatMap(([of, one]) => {
    const reference = referenceOf(one)
    return reference === undefined ? [] : [[of, reference] as const]
  })
  const number = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined)
  const pattern = text(raw['pattern'])
  return {
    name,
    type: text(raw['type']) ?? 'nothing',
    required: list(raw['required']).map(String),
    members: new Map(members),
    element: referenceOf(raw['member']),
    key: referenceOf(raw['key']),
    value: referenceOf(raw['value']),
    min: number(raw['min']),
    max: number(raw['max']),
    pattern: pattern === undefined ? undefined : expression(pattern),
    values: list(raw['enum']).map(String),
    flattened: raw['flattened'] === true
  }
}

/** Written for Java, where a match is one of the whole text. */
function expression(pattern: string): RegExp {
  const whole = `^(?:${pattern})$`
  try {
    return new RegExp(whole, 'us')
  } catch {
    return new RegExp(whole, 's')
  }
}
