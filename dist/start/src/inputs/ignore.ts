import type { IgnoreEntry } from '../engine/ignore.js'
import { messageOf } from '../engine/errors.js'
import { isMap } from '../engine/json.js'
import { readOneYaml } from '../engine/yaml.js'
import type { Parser, Reading } from './parsers.js'
import { quoted, shown } from './problems.js'
import { fileText } from './files.js'

const right =
  'use a YAML list of `resource`, `field`, `reason` and, if it is to end, `until` (2026-12-31), or the path of a file with one'

const keys: readonly string[] = ['resource', 'field', 'reason', 'until']

/** YAML has a dash, a bracket, a comment or a second line; a path has none. */
const yaml = /^\s*(-\s|\[|#|---)|\n/

/** The entries, or none where nothing is given. */
export const ignore: Parser<readonly IgnoreEntry[]> = (value, reading) => {
  if (value === '') return []
  const text = yaml.test(value) ? value : fileText(value, right, reading)
  const entries = listOf(text, reading)
  return entries.flatMap((entry, index) => entryOf(entry, `entry ${index + 1}`, reading))
}

function listOf(text: string, reading: Reading): readonly unknown[] {
  try {
    const value = readOneYaml(text)
    if (Array.isArray(value)) return value
    if (value !== undefined) reading.problem('is no list', right)
  } catch (error) {
    reading.problem(`is no YAML: ${messageOf(error)}`, right)
  }
  return []
}

function entryOf(entry: unknown, name: string, reading: Reading): readonly IgnoreEntry[] {
  if (!isMap(entry)) {
    reading.problem(`${name} is no map`, right)
    return []
  }
  const unknown = Object.keys(entry).filter((key) => !keys.includes(key))
  if (unknown.length > 0) reading.problem(`${name} has ${quoted(unknown.join(', '))}`, right)
  const given = (key: string): string => {
    const value = entry[key]
    if (typeof value === 'string' && value.trim() !== '') return value.trim()
    reading.problem(`${name} has no ${key}`, right)
    return ''
  }
  const { until } = entry
  if (until !== undefined && !isDay(until))
    reading.problem(
      `${name}: until is ${typeof until === 'string' ? quoted(until) : shown(JSON.stringify(until))}, which is no day`,
      right
    )
  return [
    {
      resource: given('resource'),
      field: given('field'),
      reason: given('reason'),
      until: typeof until === 'string' ? until : undefined
    }
  ]
}

/** A day that there is: not the 30th of February. */
function isDay(value: unknown): boolean {
  if (typeof value !== 'string' || !/^\d{4}-\d{2}-\d{2}$/.test(value)) return false
  const time = Date.parse(`${value}T00:00:00Z`)
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(value)
}
