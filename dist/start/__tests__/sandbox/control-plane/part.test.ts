import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePorts } from '../../../sandbox/control-plane/free-ports.js'
import { startPart } from '../../../sandbox/control-plane/part.js'

describe('a part of the control plane', () => {
  let folder: string
  const program = async (script: string) => {
    const file = join(folder, 'program')
    await writeFile(file, `#!/bin/sh\n${script}\n`)
    await chmod(file, 0o755)
    return file
  }
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'part-'))
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  it('that ends by itself says what its log says last', async () => {
    const part = startPart(
      await program('echo "starting $1"; echo "port 1 is taken" >&2; exit 3'),
      'etcd',
      [],
      join(folder, 'log')
    )
    const reason = await part.ended
    expect(reason?.message).toContain('etcd: ended by itself (exit code 3)')
    expect(reason?.message).toContain('port 1 is taken')
    expect(await readFile(part.logFile, 'utf8')).toContain('starting etcd')
  })

  it('that is stopped has not failed', async () => {
    const part = startPart(await program('exec cat'), 'etcd', [], join(folder, 'log'))
    await part.stop()
    expect(await part.ended).toBeUndefined()
  })

  it('that does not exist is named', async () => {
    const part = startPart(join(folder, 'nothing'), 'etcd', [], join(folder, 'log'))
    expect((await part.ended)?.message).toContain('does not start')
  })

  it('gets a port of its own', async () => {
    expect(new Set(await freePorts(8)).size).toBe(8)
  })
})
