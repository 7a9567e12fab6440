import { createGenerator } from 'ts-json-schema-generator'
import { isMap, mapAt } from '../src/engine/json.js'
import { reportSchema } from '../src/report/report.js'

/** docs/report.schema.json as the type of the report comes to. New fields may come, so others are allowed. */
export function reportSchemaText(): string {
  const schema = createGenerator({
    path: 'src/report/report.ts',
    type: 'Report',
    tsconfig: 'tsconfig.json',
    expose: 'none',
    topRef: false,
    skipTypeCheck: true,
    additionalProperties: true
  }).createSchema('Report')
  return `${JSON.stringify({ $schema: schema.$schema, title: reportSchema, ...schema }, leaveOut, 2)}\n`
}

/** A value of any kind may be undefined, which JSON leaves out: what is missing has no live value. */
function leaveOut(this: unknown, key: string, value: unknown): unknown {
  if (key !== 'required' || !Array.isArray(value) || !isMap(this)) return value
  const properties = mapAt(this, 'properties')
  return value.filter((name: unknown) => !isAnything(properties[String(name)]))
}

function isAnything(schema: unknown): boolean {
  return isMap(schema) && Object.keys(schema).every((key) => key === 'description')
}
