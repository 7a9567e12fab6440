import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findToolchains } from '../../../sandbox/build/requirements.js'

describe('what the sandbox is built with', () => {
  let bin: string
  const program = async (name: string, script: string) => {
    await writeFile(join(bin, name), `#!/bin/sh\n${script}\n`)
    await chmod(join(bin, name), 0o755)
  }
  beforeEach(async () => {
    bin = await mkdtemp(join(tmpdir(), 'path-'))
  })
  afterEach(() => rm(bin, { recursive: true, force: true }))

  it('is named in one error, with the way to get it, when the machine has none of it', async () => {
    const error: unknown = await findToolchains(bin, { PATH: bin }).catch((reason: unknown) => reason)
    expect(String(error)).toContain('There is no `go` on the PATH.')
    expect(String(error)).toContain('https://go.dev/dl/')
    expect(String(error)).toContain('There is no `python3` on the PATH.')
    expect(String(error)).toContain('apt-get install python3 python3-venv')
  })

  it('is refused when Python is too old, with the version found', async () => {
    await program('go', 'echo go version go1.26.5 linux/amd64')
    await program('python3', 'echo 3.9.2')
    await expect(findToolchains(bin, { PATH: bin })).rejects.toThrow('The `python3` on the PATH is 3.9.2.')
  })

  it('is found', async () => {
    await program('go', 'echo go version go1.26.5 linux/amd64')
    await program('python3', 'echo 3.12.3')
    expect(await findToolchains(bin, { PATH: bin })).toEqual({
      goVersion: 'go version go1.26.5 linux/amd64',
      pythonVersion: '3.12.3'
    })
  })
})
