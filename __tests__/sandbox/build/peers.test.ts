import { readFileSync } from 'node:fs'
import { awscliTitle, peerPrograms } from '../../../sandbox/build/peers.js'

const requirements = readFileSync('bench/versus/requirements.txt', 'utf8')

describe("the programs of the guide's script", () => {
  test.each(peerPrograms)('$title is the tool of its module, at that version', (program) => {
    const module = readFileSync(`sandbox/go/${program.name}/go.mod`, 'utf8')
    expect(module).toContain(`tool ${program.package}\n`)
    const path = program.package.replace(/\/cmd\/.*$/, '')
    expect(module).toContain(`\t${path} v${program.title.split(' ')[1]} // indirect\n`)
  })

  it('awscli is the one that is pinned', () => {
    expect(requirements).toContain(`\nawscli==${awscliTitle.split(' ')[1]} \\\n`)
  })

  it('come from PyPI by their digests alone, and from wherever pip looks', () => {
    const packages = requirements
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#') && !line.startsWith(' '))
    expect(packages.filter((line) => !/^[a-z0-9-]+==[\w.]+ \\$/.test(line))).toEqual([])
    expect(requirements.match(/--hash=sha256:[0-9a-f]{64}/g)?.length).toBeGreaterThanOrEqual(packages.length)
  })
})
