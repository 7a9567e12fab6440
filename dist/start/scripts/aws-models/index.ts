import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { gunzipSync } from 'node:zlib'
import { runCommand } from '../../sandbox/build/command.js'
import { record } from '../../sandbox/values.js'
import { messageOf } from '../../src/engine/errors.js'
import { type JsonMap } from '../../src/engine/json.js'
import { ofTheGuide, operations, templateTypes } from './operations.js'
import { schemaPermissions, slimModel } from './slim.js'

// npm run aws-models -- [--from <folder with the packages botocore and cfnlint>]
const { values } = parseArgs({ options: { from: { type: 'string' } } })

const into = 'sandbox/cloud/model/published'
/** botocore's folders, where they are called otherwise than the client. */
const folders: Readonly<Record<string, string>> = { eventbridge: 'events' }

const fetched = values.from === undefined ? mkdtempSync(join(tmpdir(), 'aws-models-')) : undefined
try {
  if (fetched !== undefined) await fetch(fetched)
  write(values.from ?? fetched ?? '')
} catch (error) {
  console.error(`aws-models: ${messageOf(error)}`)
  process.exitCode = 1
} finally {
  if (fetched !== undefined) rmSync(fetched, { recursive: true, force: true })
}

/** The packages at the versions that the sandbox has anyway. */
async function fetch(target: string): Promise<void> {
  const pinned = readFileSync('sandbox/cloud/moto/requirements.txt', 'utf8').match(
    /^(botocore|cfn-lint)==.+$/gm
  )
  const result = await runCommand('python3', [
    ...['-m', 'pip', 'install', '--quiet', '--no-deps', '--target', target],
    ...(pinned ?? [])
  ])
  if (result.kind === 'absent') throw new Error('there is no `python3` on the PATH')
  if (result.code !== 0) throw new Error(result.stderr)
}

function write(from: string): void {
  mkdirSync(into, { recursive: true })
  const called = [...operations, ...ofTheGuide]
  for (const service of new Set(called.map((one) => one.service))) {
    const folder = join(from, 'botocore', 'data', folders[service] ?? service)
    const newest =
      readdirSync(folder)
        .filter((name) => /^\d/.test(name))
        .sort()
        .at(-1) ?? ''
    const model: unknown = JSON.parse(
      gunzipSync(readFileSync(join(folder, newest, 'service-2.json.gz'))).toString('utf8')
    )
    const own = called.filter((one) => one.service === service).map(({ name }) => name)
    writeFileSync(join(into, `${service}.json`), text(slimModel(model, own)))
  }
  const schemas = join(from, 'cfnlint', 'data', 'schemas')
  const files = record(JSON.parse(readFileSync(join(schemas, 'providers', 'us-east-1.json'), 'utf8')))
  const permissions = templateTypes.map((type) => {
    const schema: unknown = JSON.parse(
      readFileSync(join(schemas, 'resources', `${String(files[type])}.json`), 'utf8')
    )
    return [type, schemaPermissions(schema)] as const
  })
  writeFileSync(join(into, 'resource-schemas.json'), text(Object.fromEntries(permissions)))
  console.log(`Written: ${called.length} operations, ${templateTypes.length} resource types, to ${into}.`)
}

/** One line an operation and one a shape, so that a change shows as one. */
function text(value: JsonMap): string {
  const lines = Object.entries(value).map(([name, part]) => {
    const rows = Object.entries(record(part)).map(
      ([key, row]) => `    ${JSON.stringify(key)}: ${JSON.stringify(row)}`
    )
    const shown = typeof part === 'string' ? JSON.stringify(part) : `{\n${rows.join(',\n')}\n  }`
    return `  ${JSON.stringify(name)}: ${shown}`
  })
  return `{\n${lines.join(',\n')}\n}\n`
}
