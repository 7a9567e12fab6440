import { gunzipSync } from 'node:zlib'
import type { Sandbox } from '../sandbox/index.js'
import { list, record, text } from '../sandbox/values.js'
import { at } from './scenario.js'

/** Kind and name of every object of the cluster that has the text somewhere, in base64 or compressed as well. */
export async function objectsHolding(sandbox: Sandbox, sought: string): Promise<readonly string[]> {
  const groups = list((await body(sandbox, '/apis'))['groups'])
  const versions = [
    '/api/v1',
    ...groups.map((group) => `/apis/${text(at(group, 'preferredVersion', 'groupVersion')) ?? ''}`)
  ]
  const found: string[] = []
  for (const version of versions) {
    const resources = list((await body(sandbox, version))['resources']).map(record)
    for (const { name, kind, verbs } of resources) {
      if (!list(verbs).includes('list')) continue
      const items = list((await body(sandbox, `${version}/${String(name)}`))['items'])
      for (const item of items)
        if (texts(item).some((one) => one.includes(sought)))
          found.push(`${String(kind)} ${text(at(item, 'metadata', 'name')) ?? ''}`)
    }
  }
  return found
}

async function body(sandbox: Sandbox, path: string): Promise<Readonly<Record<string, unknown>>> {
  const answer = await sandbox.kubernetes('GET', path)
  if (answer.status !== 200) throw new Error(`${path}: ${answer.status}`)
  return record(answer.body)
}

/** Every text inside, and what it is once it is unpacked. */
function texts(value: unknown): readonly string[] {
  if (typeof value === 'string') return unpacked(value)
  if (typeof value !== 'object' || value === null) return []
  return Object.values(value).flatMap(texts)
}

function unpacked(value: string): readonly string[] {
  if (value.length % 4 !== 0 || !/^[\w+/]+=*$/.test(value)) return [value]
  const bytes = Buffer.from(value, 'base64')
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return [value, gunzipSync(bytes).toString('utf8')]
  const inner = bytes.toString('utf8')
  // helm's own base64 inside of a Secret's.
  return inner === value ? [value] : [value, ...unpacked(inner)]
}
