import { list, record } from '../../sandbox/values.js'
import { picked, type JsonMap } from '../../src/engine/json.js'

const ofReference = ['shape', 'location', 'locationName', 'queryName', 'flattened', 'resultWrapper']
const ofShape = ['type', 'required', 'min', 'max', 'pattern', 'enum', 'flattened']
/** Lists of instance types and the like grow every week, and nothing of ours depends on them. */
const longestEnum = 100

/** Of a service model (botocore's service-2.json) what concerns these operations, without its texts. */
export function slimModel(model: unknown, operations: readonly string[]): JsonMap {
  const whole = record(model)
  const shapes: JsonMap = {}
  const reach = (reference: unknown): JsonMap => {
    const own = picked(record(reference), ofReference)
    const name = String(own['shape'])
    if (!(name in shapes)) shapes[name] = reached(record(record(whole['shapes'])[name]), shapes, name, reach)
    return own
  }
  const rows = operations.toSorted().map((name) => {
    const operation = record(record(whole['operations'])[name])
    if (operation['name'] === undefined) throw new Error(`the model has no operation ${name}`)
    const sides = ['input', 'output'].flatMap((side) =>
      operation[side] === undefined ? [] : [[side, reach(operation[side])] as const]
    )
    const errors = list(operation['errors']).map((error) => {
      const shape = String(record(error)['shape'])
      const error_ = record(record(record(whole['shapes'])[shape])['error'])
      return { code: error_['code'] ?? shape, status: error_['httpStatusCode'] ?? null }
    })
    return [name, { ...Object.fromEntries(sides), errors }] as const
  })
  return {
    ...picked(record(whole['metadata']), ['apiVersion', 'protocol']),
    operations: Object.fromEntries(rows),
    shapes: Object.fromEntries(Object.entries(shapes).sort(([a], [b]) => (a < b ? -1 : 1)))
  }
}

function reached(
  shape: Readonly<JsonMap>,
  shapes: JsonMap,
  name: string,
  reach: (reference: unknown) => JsonMap
): JsonMap {
  const own = picked({ ...shape }, ofShape)
  if (list(own['enum']).length > longestEnum) delete own['enum']
  // There before its members are: some shapes contain themselves.
  shapes[name] = own
  for (const part of ['member', 'key', 'value']) if (part in shape) own[part] = reach(shape[part])
  if ('members' in shape) {
    const members = Object.entries(record(shape['members'])).map(([of, one]) => [of, reach(one)] as const)
    own['members'] = Object.fromEntries(members)
  }
  return own
}

/** Of a resource schema the permissions that it names: one list a handler, and `tagging`. */
export function schemaPermissions(schema: unknown): JsonMap {
  const handlers = Object.entries(record(record(schema)['handlers'])).map(
    ([step, handler]) => [step, texts(record(handler)['permissions'])] as const
  )
  const tagging = texts(record(record(schema)['tagging'])['permissions'])
  return { ...Object.fromEntries(handlers), ...(tagging.length === 0 ? {} : { tagging }) }
}

function texts(value: unknown): readonly string[] {
  return list(value).map(String).sort()
}
