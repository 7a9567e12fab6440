import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { isSound } from '../../src/karpenter/tested-versions.js'
import { readGenerated, writeGenerated } from './files.js'
import { renewed, taskOf } from './renew.js'
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
const local = values.from === undefined ? undefined : together(await Promise.all(values.from.map(sourceAt)))
const task = taskOf(local?.versions ?? (await publishedVersions(values.repository)), kept, values.all)
if (task.read.length === 0) {
  console.log(`${local?.name ?? values.repository} has no version that the table does not have.`)
} else {
  const needed = [...new Set([...task.read, ...[...task.predecessors.values()].flatMap((one) => one ?? [])])]
  const remote = local === undefined ? await fetched(values.repository, needed) : undefined
  try {
    await renew(remote?.source ?? local)
  } finally {
    remote?.end()
  }
}

async function renew(source: Source | undefined): Promise<void> {
  if (source === undefined) return
  const { generated, changes } = await renewed(source, task, kept, isSound)
  const written = await writeGenerated(generated)
  console.log(logText(changes, task.read.length, source.name))
  if (values.summary !== undefined) writeFileSync(values.summary, summaryText(changes))
  console.log(
    written.length === 0 ? 'The generated files are up to date.' : `Renewed: ${written.join(', ')}.`
  )
}
