import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
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
    const error: unknown = await findToolchains([bin], { PATH: bin }).catch((reason: unknown) => reason)
    expect(String(error)).toContain('There is no `go` on the PATH.')
    expect(String(error)).toContain('https://go.dev/dl/')
    expect(String(error)).toContain('There is no `python3` on the PATH.')
    expect(String(error)).toContain('apt-get install python3 python3-venv')
  })

  it('is refused when Python is too old, with the version found', async () => {
    await program('go', 'echo go version go1.26.5 linux/amd64')
    await program('python3', 'echo 3.9.2')
    await expect(findToolchains([bin], { PATH: bin })).rejects.toThrow('The `python3` on the PATH is 3.9.2.')
  })

  it('is found', async () => {
    await program('go', 'echo go version go1.26.5 linux/amd64')
    await program('python3', 'echo 3.12.3')
    expect(await findToolchains([bin], { PATH: bin })).toEqual({
      goVersions: new Map([[bin, 'go version go1.26.5 linux/amd64']]),
      pythonVersion: '3.12.3'
    })
  })

  it('has for each module the release of Go that it switches to', async () => {
    // Go looks for the module in the folder that it is started in.
    await program('go', 'echo go version $(cat wants) linux/amd64')
    await program('python3', 'echo 3.12.3')
    const modules = await Promise.all(
      ['go1.26.8', 'go1.26.11'].map(async (release) => {
        const module = join(bin, release)
        await mkdir(module)
        await writeFile(join(module, 'wants'), release)
        return module
      })
    )
    const { goVersions } = await findToolchains(modules, { PATH: `${bin}:/usr/bin:/bin` })
    expect([...goVersions.values()]).toEqual([
      'go version go1.26.8 linux/amd64',
      'go version go1.26.11 linux/amd64'
    ])
  })

  it('is refused where the release of Go that a module asks for cannot be had, with the module', async () => {
    await program('go', 'echo "go: download go1.26.11: toolchain not available" >&2; exit 1')
    await program('python3', 'echo 3.12.3')
    await expect(findToolchains([bin], { PATH: bin })).rejects.toThrow(
      /`go version` in sandbox\/go\/path-\w+ says: go: download go1\.26\.11: toolchain not available/
    )
  })
})
