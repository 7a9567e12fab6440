import { createGenerator } from 'ts-json-schema-generator'
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
  return `${JSON.stringify({ $schema: schema.$schema, title: reportSchema, ...schema }, null, 2)}\n`
}
