import { XMLParser } from 'fast-xml-parser'
import { isRecord, list, record } from '../../values.js'
import { outcomeOf } from '../pipeline.js'
import type { Protocol, RawReply } from '../service.js'
import { parseJsonObject } from '../wire/json.js'
import { parseCall, serviceName } from '../wire/request.js'
import { readSignature, type SignedRequest } from '../wire/signature.js'
import { modelOf, type Model, type Reference, type ShapeModel } from './model.js'

/** Which way a value goes; a name on the wire may differ between the two. */
type Side = 'request' | 'answer'

/**
 * What of a request the service's own model does not have, or lacks; one line a fault, empty where it is as published. Input
 * as wire/request.ts parses it. Empty too of operations that the published models leave out.
 */
export function requestFaults(
  service: string,
  action: string,
  input: Readonly<Record<string, unknown>>
): readonly string[] {
  const model = modelOf(service)
  const operation = model?.operations.get(action)
  if (model === undefined || operation === undefined) return []
  if (operation.input === undefined) return Object.keys(input).map((name) => `${name} is no member`)
  return faults({ model, side: 'request' }, operation.input, input, '')
}

/** The same of a request as it came, of whatever service its signature names. */
export function wireFaults(request: SignedRequest): readonly string[] {
  const signature = readSignature(request)
  const name = serviceName(request, signature === 'malformed' ? undefined : signature) ?? ''
  const protocol = protocols.find((one) => one === modelOf(name)?.protocol)
  if (protocol === undefined) return []
  const { action, input } = parseCall({ name, protocol }, request)
  return requestFaults(name, action, input).map((fault) => `${name} ${action}: ${fault}`)
}

const protocols: readonly Protocol[] = ['query', 'ec2', 'json', 'rest-json']

/** The same of an answer, and of the code and HTTP status of an error. */
export function answerFaults(service: string, action: string, reply: RawReply): readonly string[] {
  const model = modelOf(service)
  const operation = model?.operations.get(action)
  if (model === undefined || operation === undefined) return []
  if (reply.status >= 400) return errorFaults(service, operation.errors, reply)
  const output = outputOf(model.protocol, action, operation.output, reply.body)
  if (operation.output === undefined) return []
  return faults({ model, side: 'answer' }, operation.output, output, '')
}

/**
 * Errors of every operation: "Common Errors" of the API references of IAM, STS, CloudFormation, EKS, SQS, EventBridge and
 * Systems Manager; the faults of tests bring those of throttling and of the server.
 */
const common: ReadonlyMap<string, number> = new Map([
  ['AccessDenied', 403],
  ['AccessDeniedException', 400],
  ['ExpiredToken', 403],
  ['ExpiredTokenException', 400],
  ['IncompleteSignature', 400],
  ['InternalFailure', 500],
  ['InvalidClientTokenId', 403],
  ['MissingAuthenticationToken', 403],
  ['ServiceUnavailable', 503],
  ['SignatureDoesNotMatch', 403],
  ['Throttling', 400],
  ['ThrottlingException', 400],
  ['ValidationError', 400],
  ['ValidationException', 400]
])

/** Their models name no errors, or not all: EC2's stand in its list of error codes, SQS' in those of the query protocol. */
const unnamed = new Set(['ec2', 'sqs', 'events'])

function errorFaults(
  service: string,
  errors: ReadonlyMap<string, number | undefined>,
  reply: RawReply
): readonly string[] {
  if (unnamed.has(service)) return []
  const code = outcomeOf(reply)
  // EKS answers denials with 403 (API reference, Common Errors).
  const status =
    errors.get(code) ?? (service === 'eks' && code === 'AccessDeniedException' ? 403 : common.get(code))
  if (status === undefined && !errors.has(code)) return [`${code} is no error of it`]
  return status === undefined || status === reply.status
    ? []
    : [`${code} comes with ${status}, not with ${reply.status}`]
}

const xml = new XMLParser({
  ignoreAttributes: true,
  parseTagValue: false,
  trimValues: false,
  ignoreDeclaration: true
})

const ofEveryAnswer = new Set(['RequestId', 'requestId', 'ResponseMetadata'])

function outputOf(
  protocol: string,
  action: string,
  output: Reference | undefined,
  body: string
): Readonly<Record<string, unknown>> {
  if (protocol.includes('json')) return parseJsonObject(body) ?? {}
  const response = record(record(xml.parse(body))[`${action}Response`])
  const inner = output?.resultWrapper === undefined ? response : record(response[output.resultWrapper])
  return Object.fromEntries(Object.entries(inner).filter(([name]) => !ofEveryAnswer.has(name)))
}

interface Judged {
  readonly model: Model
  readonly side: Side
}

function faults(judged: Judged, reference: Reference, value: unknown, at: string): readonly string[] {
  const shape = judged.model.shape(reference.shape)
  switch (shape.type) {
    case 'structure':
      return structureFaults(judged, shape, value, at)
    case 'list':
      return listFaults(judged, shape, reference, value, at)
    case 'map':
      return mapFaults(judged, shape, value, at)
    default:
      return scalarFaults(shape, value, at)
  }
}

function structureFaults(judged: Judged, shape: ShapeModel, value: unknown, at: string): readonly string[] {
  if (value === '') return structureFaults(judged, shape, {}, at)
  if (!isRecord(value)) return [`${at} is no structure`]
  const members = [...shape.members].filter(
    ([, { location }]) => location !== 'header' && location !== 'statusCode'
  )
  const names = new Map(members.map(([name, one]) => [wireName(judged, name, one), { name, one }]))
  // What was never said (null) is absent.
  const given = Object.entries(value).filter(([, part]) => part !== undefined && part !== null)
  const lacking = [...names].flatMap(([wire, { name, one }]) =>
    shape.required.includes(name) &&
    !given.some(([own]) => own === wire) &&
    !isEmptyOnTheWire(judged, judged.model.shape(one.shape))
      ? [`${under(at, wire)} is lacking`]
      : []
  )
  const wrong = given.flatMap(([wire, part]) => {
    const member = names.get(wire)
    if (member === undefined) return [`${under(at, wire)} is no member`]
    return faults(judged, member.one, part, under(at, wire))
  })
  return [...lacking, ...wrong]
}

/** The query protocols send no empty list. */
function isEmptyOnTheWire({ model, side }: Judged, shape: ShapeModel): boolean {
  return side === 'answer' && !model.protocol.includes('json') && shape.type === 'list'
}

function wireName(
  { model, side }: Judged,
  name: string,
  { location, queryName, locationName }: Reference
): string {
  // A label of a path has no name on the wire.
  if (model.protocol === 'json' || location === 'uri') return name
  if (model.protocol !== 'ec2' || side === 'answer') return locationName ?? name
  const own = queryName ?? locationName ?? name
  return own.charAt(0).toUpperCase() + own.slice(1)
}

function listFaults(
  judged: Judged,
  shape: ShapeModel,
  reference: Reference,
  value: unknown,
  at: string
): readonly string[] {
  const { element } = shape
  if (element === undefined) return []
  const items = itemsOf(judged, shape, reference, element, value)
  if (items === undefined) return [`${at} is no list`]
  return [
    ...(items.length < (shape.min ?? 0)
      ? [`${at} has ${items.length} items, fewer than ${shape.min ?? 0}`]
      : []),
    ...(items.length > (shape.max ?? Infinity)
      ? [`${at} has ${items.length} items, more than ${shape.max ?? 0}`]
      : []),
    ...items.flatMap((item, index) => faults(judged, element, item, `${at}[${index}]`))
  ]
}

function itemsOf(
  { model, side }: Judged,
  shape: ShapeModel,
  reference: Reference,
  element: Reference,
  value: unknown
): readonly unknown[] | undefined {
  if (model.protocol.includes('json')) return Array.isArray(value) ? list(value) : undefined
  if (value === '') return []
  if (side === 'request') return Array.isArray(value) ? list(value) : undefined
  if (shape.flattened || reference.flattened) return [value].flat()
  if (!isRecord(value)) return undefined
  const name = element.locationName ?? 'member'
  if (Object.keys(value).some((other) => other !== name && other !== '#text')) return undefined
  return [value[name] ?? []].flat()
}

function mapFaults(judged: Judged, shape: ShapeModel, value: unknown, at: string): readonly string[] {
  const { key, value: of } = shape
  if (!isRecord(value) || key === undefined || of === undefined) return [`${at} is no map`]
  return Object.entries(value).flatMap(([name, part]) => [
    ...faults(judged, key, name, `${at}'s key`),
    ...faults(judged, of, part, under(at, name))
  ])
}

/** What AWS answers although its model has no such value, each by the documentation that says so. */
const beyond: Readonly<Record<string, readonly string[]>> = {
  // StackEvent: the stack's own events carry its StackStatus (CloudFormation user guide, stack status codes; StackEvent.ResourceStatus).
  ResourceStatus: [
    'REVIEW_IN_PROGRESS',
    'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS',
    'UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS'
  ],
  // AttachedPermissionsBoundary: "This data type can only have a value of Policy" (API reference of IAM; its model says otherwise).
  PermissionsBoundaryAttachmentType: ['Policy']
}

const numbers = new Set(['integer', 'long', 'float', 'double'])

function scalarFaults(shape: ShapeModel, value: unknown, at: string): readonly string[] {
  if (shape.type === 'boolean') {
    return value === true || value === false || value === 'true' || value === 'false'
      ? []
      : [`${at} is no boolean`]
  }
  if (numbers.has(shape.type)) {
    const number = typeof value === 'number' || typeof value === 'string' ? Number(value) : NaN
    if (Number.isNaN(number)) return [`${at} is no number`]
    return number < (shape.min ?? -Infinity) || number > (shape.max ?? Infinity)
      ? [`${at} is ${number}, not from ${shape.min ?? '-'} to ${shape.max ?? '-'}`]
      : []
  }
  if (shape.type === 'timestamp') {
    const known = typeof value === 'number' || (typeof value === 'string' && !Number.isNaN(Date.parse(value)))
    return known ? [] : [`${at} is no time`]
  }
  if (typeof value !== 'string') return [`${at} is no text`]
  if (beyond[shape.name]?.includes(value) === true) return []
  const length = value.replaceAll(/[\uD800-\uDBFF](?=[\uDC00-\uDFFF])/g, '').length
  return [
    ...(length < (shape.min ?? 0) ? [`${at} has ${length} characters, fewer than ${shape.min ?? 0}`] : []),
    ...(length > (shape.max ?? Infinity)
      ? [`${at} has ${length} characters, more than ${shape.max ?? 0}`]
      : []),
    ...(shape.pattern?.test(value) === false ? [`${at} is not of the pattern of ${shape.name}`] : []),
    ...(shape.values.length > 0 && !shape.values.includes(value)
      ? [`${at} is none of the values of ${shape.name}: ${value}`]
      : [])
  ]
}

function under(at: string, name: string): string {
  return at === '' ? name : `${at}.${name}`
}
