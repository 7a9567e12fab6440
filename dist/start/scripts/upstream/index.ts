import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { messageOf } from '../../src/engine/errors.js'
import { isSound } from '../../src/karpenter/tested-versions.js'
import { readGenerated, writeGenerated } from './files.js'
import { renewed, type Task, taskOf } from './renew.js'
import { logText, summaryText } from './report.js'
import { fetched, publishedVersions, repository, type Source, sourceAt, together } from './sources.js'

// npm run upstream -- [--from <git directory or folder>]... [--repository <url>] [--all] [--summary <file>]
const { values } = parseArgs({
  options: {
    from: { type: 'string', multiple: true },
    repository: { type: 'string', default: repository },
    all: { type: 'boolean', default: false },
    summary: { type: 'string' }
  }
})

const kept = readGenerated()
try {
  await compare()
} catch (error) {
  console.error(`upstream: ${messageOf(error).trim()}`)
  console.error(
    'Nothing was written. Where the repository cannot be reached, pass --from <git directory or folder>.'
  )
  process.exitCode = 1
}

async function compare(): Promise<void> {
  const local = values.from === undefined ? undefined : together(await Promise.all(values.from.map(sourceAt)))
  const task = taskOf(local?.versions ?? (await publishedVersions(values.repository)), kept, values.all)
  if (task.read.length === 0) {
    console.log(`${local?.name ?? values.repository} has no version that the table does not have.`)
    return
  }
  if (local !== undefined) return renew(local, task)
  const needed = [...new Set([...task.read, ...[...task.predecessors.values()].flatMap((one) => one ?? [])])]
  const { source, end } = await fetched(values.repository, needed)
  try {
    await renew(source, task)
  } finally {
    end()
  }
}

async function renew(source: Source, task: Task): Promise<void> {
  const { generated, changes } = await renewed(source, task, kept, isSound)
  const written = await writeGenerated(generated)
  console.log(logText(changes, task.read.length, source.name))
  if (values.summary !== undefined) writeFileSync(values.summary, summaryText(changes))
  console.log(
    written.length === 0 ? 'The generated files are up to date.' : `Renewed: ${written.join(', ')}.`
  )
}
