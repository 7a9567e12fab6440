import { messageOf } from '../engine/errors.js'
import { isMap } from '../engine/json.js'
import { readOneYaml } from '../engine/yaml.js'
import { fileText, fileTexts, type SourceText } from './files.js'
import type { Parser } from './parsers.js'
import { quoted, shown } from './problems.js'

/** A cluster that a report is expected of. */
export interface ExpectedCluster {
  readonly name: string
  readonly region: string
}

export const reports: Parser<readonly SourceText[]> = (value, reading) =>
  fileTexts(value, 'use paths or globs of the reports that the other jobs have uploaded', reading)

const right =
  'use a JSON list such as [{"name": "green", "region": "eu-west-1"}], or the path of a file with one'

/** The list itself or the path of a file with it; what else its entries have is of no matter here. Empty: nobody says. */
export const expectedClusters: Parser<readonly ExpectedCluster[]> = (value, reading) => {
  const text = value === '' || /^\s*[[#-]/.test(value) ? value : fileText(value, right, reading)
  if (text === '') return []
  let entries: unknown
  try {
    entries = readOneYaml(text)
  } catch (error) {
    reading.problem(`it cannot be read (${shown(messageOf(error))})`, right)
    return []
  }
  if (!Array.isArray(entries)) {
    reading.problem(`${quoted(text)} is no list`, right)
    return []
  }
  return entries.flatMap((entry: unknown, index) => {
    const { name, region } = isMap(entry) ? entry : {}
    if (typeof name === 'string' && typeof region === 'string') return [{ name, region }]
    reading.problem(`entry ${index + 1} has no name and region`, right)
    return []
  })
}
