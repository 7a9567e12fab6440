import { UserError } from '../../src/engine/errors.js'
import { chartSignatureOf, signer, trustRoot } from '../../src/inputs/chart-signature.js'
import type { Parser } from '../../src/inputs/parsers.js'
import { InputProblems } from '../../src/inputs/problems.js'

const workflow = 'https://github.com/acme/mirror/.github/workflows/charts.yml@refs/heads/main'
const root = JSON.stringify({
  mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
  certificateAuthorities: []
})

function parsed<T>(parser: Parser<T>, value: string, file?: string): { value: T; problems: string[] } {
  const problems: string[] = []
  const reading = {
    problem: (wrong: string) => problems.push(wrong),
    readFile: () => {
      if (file === undefined) throw new Error('no such file')
      return file
    },
    findFiles: () => []
  }
  return { value: parser(value, reading), problems }
}

test('a signer is a workflow on GitHub, or an identity with its issuer', () => {
  expect(parsed(signer, workflow)).toEqual({
    value: { identity: workflow, issuer: undefined },
    problems: []
  })
  expect(parsed(signer, 'sre@example.com  https://accounts.example.com').value).toEqual({
    identity: 'sre@example.com',
    issuer: 'https://accounts.example.com'
  })
})

test('a trust root is the text of its file', () => {
  expect(parsed(trustRoot, 'root.json', root)).toEqual({ value: root, problems: [] })
})

test.each([undefined, '', '{', '{}', '[]', '{"mediaType":"application/json"}'])(
  'a file with %s is none, and nothing is taken in its place',
  (file) => {
    const { value, problems } = parsed(trustRoot, 'root.json', file)
    expect(value).toBeUndefined()
    expect(problems).toHaveLength(1)
  }
)

describe('who signs on a mirror', () => {
  const request = {
    wanted: 'warn',
    trustRoot: root,
    signer: { identity: workflow, issuer: undefined }
  } as const

  it('is as given', () => {
    const problems = new InputProblems()
    expect(chartSignatureOf(request, false, problems)).toEqual(request)
    problems.throwIfAny()
  })

  it('signs nothing that AWS publishes', () => {
    const problems = new InputProblems()
    chartSignatureOf(request, true, problems)
    const refused = (): void => problems.throwIfAny()
    expect(refused).toThrow(UserError)
    expect(refused).toThrow(/^chart-trust-root: .*leave it out, or give the mirror as chart\nchart-signer: /)
  })
})
