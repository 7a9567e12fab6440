import { createGenerator } from 'ts-json-schema-generator'
import { isMap, mapAt } from '../src/engine/json.js'
import { reportSchema } from '../src/report/report.js'

const draft = 'https://json-schema.org/draft/2020-12/schema'

/**
 * docs/report.schema.json as the type of the report comes to. New fields may come, so others are allowed. The generator
 * writes draft 7; what it makes here reads the same in draft 2020-12 but for its first line and the empty definitions.
 */
export function reportSchemaText(): string {
  const { $schema, definitions, ...schema } = createGenerator({
    path: 'src/report/report.ts',
    type: 'Report',
    tsconfig: 'tsconfig.json',
    expose: 'none',
    topRef: false,
    skipTypeCheck: true,
    additionalProperties: true
  }).createSchema('Report')
  const named = Object.keys(definitions ?? {})
  if (named.length > 0)
    throw new Error(`${$schema ?? ''}: definitions ${named.join(', ')} are called $defs by ${draft}`)
  return `${JSON.stringify({ $schema: draft, title: reportSchema, ...schema }, leaveOut, 2)}\n`
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
