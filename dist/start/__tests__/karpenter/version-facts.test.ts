import {
  factsOf,
  type FactsPorts,
  factsToRecord,
  knownHash,
  parseFacts,
  tableFacts
} from '../../src/karpenter/version-facts.js'
import { containing } from '../kubernetes/containing.js'

const base = 'https://raw.githubusercontent.com/aws/karpenter-provider-aws/v1.99.0'
const files: Readonly<Record<string, string>> = {
  [`${base}/pkg/providers/version/version.go`]:
    'const (\n\tMinK8sVersion = "1.29"\n\tMaxK8sVersion = "1.41"\n)\n',
  [`${base}/pkg/apis/v1/ec2nodeclass.go`]: 'const EC2NodeClassHashVersion = "v9"\n',
  [`${base}/website/content/en/preview/upgrading/upgrade-guide.md`]:
    '### Upgrading to `1.99.0`+\n\n* **Breaking:** Tags are gone.\n\n### Upgrading to `1.15.0`+\n\n* **Breaking:** Known.\n',
  [`${base}/website/content/en/preview/getting-started/getting-started-with-karpenter/cloudformation.yaml`]:
    'Resources: {}'
}

function ports(over: Readonly<Record<string, string | undefined>> = {}): FactsPorts & { asked: string[] } {
  const asked: string[] = []
  const all = { ...files, ...over }
  return {
    asked,
    fetchText: async (url) => {
      asked.push(url)
      const text = all[url]
      if (text === undefined) throw new Error('it does not exist')
      return text
    }
  }
}

describe('factsOf', () => {
  it.each(['1.2.1', '1.15.2', '1.14.99', '1.14.1-rc.0'])('asks for nothing of %s', async (version) => {
    const of = ports()
    expect(await factsOf(version, { ...of, template: true })).toEqual(tableFacts(version))
    expect(tableFacts(version).kubernetes.origin).toBe('table')
    expect(of.asked).toEqual([])
  })

  it('reads what upstream has at the tag of a version that the table does not have', async () => {
    const facts = await factsOf('1.99.0', { ...ports(), template: true })
    expect(facts).toEqual({
      version: '1.99.0',
      kubernetes: { value: { least: 29, most: 41 }, origin: 'tag' },
      nodeClassHash: { value: 'v9', origin: 'tag' },
      template: { value: 'Resources: {}', origin: 'tag' },
      upgradeNotes: { value: [{ version: '1.99.0', text: 'Tags are gone.' }], origin: 'tag' }
    })
  })

  it('takes them from the record afterwards, and asks for nothing', async () => {
    const recorded = parseFacts(JSON.parse(JSON.stringify(factsToRecord(await factsOf('1.99.0', ports())))))
    const of = ports()
    const facts = await factsOf('1.99.0', { ...of, recorded })
    expect(of.asked).toEqual([])
    expect(facts).toMatchObject({
      kubernetes: { value: { least: 29, most: 41 }, origin: 'record' },
      nodeClassHash: { value: 'v9', origin: 'record' },
      upgradeNotes: { value: [{ version: '1.99.0', text: 'Tags are gone.' }], origin: 'record' }
    })
    expect(knownHash('1.99.0', recorded)).toBe('v9')
  })

  it('asks again where the record is of another version', async () => {
    const of = ports()
    await factsOf('1.99.0', { ...of, recorded: { version: '1.98.0', nodeClassHash: 'v7' } })
    expect(of.asked).toHaveLength(3)
  })

  it('says what is not known where nothing may be asked, and records none of it', async () => {
    const facts = await factsOf('1.99.0', { fetchText: undefined, notAsked: 'template: built-in' })
    expect(facts.kubernetes).toEqual({
      value: { least: 26, most: undefined },
      origin: 'newest row',
      reason: 'template: built-in'
    })
    expect(facts.nodeClassHash).toMatchObject({ value: undefined, origin: 'newest row' })
    expect(factsToRecord(facts)).toBeUndefined()
    expect(factsToRecord(tableFacts('1.15.2'))).toBeUndefined()
  })

  it.each([
    ['a page of another kind', '<html>const MaxK8sVersion = "1.41"</html>'],
    ['a version of another form', 'const (\n\tMinK8sVersion = "1.29"\n\tMaxK8sVersion = "v2"\n)\n'],
    ['one of the two', 'const MinK8sVersion = "1.29"\n'],
    ['the two the wrong way round', 'const (\n\tMinK8sVersion = "1.41"\n\tMaxK8sVersion = "1.29"\n)\n'],
    ['no file', undefined]
  ])('has no range of %s, and says why, beside what else is there', async (_what, text) => {
    const facts = await factsOf('1.99.0', ports({ [`${base}/pkg/providers/version/version.go`]: text }))
    expect(facts.kubernetes).toEqual({
      value: { least: 26, most: undefined },
      origin: 'newest row',
      reason: containing('version.go: it ')
    })
    expect(facts.nodeClassHash.value).toBe('v9')
    expect(factsToRecord(facts)).not.toHaveProperty('kubernetes')
  })

  it('has no hash of a file that holds another kind of constant', async () => {
    const url = `${base}/pkg/apis/v1/ec2nodeclass.go`
    const facts = await factsOf('1.99.0', ports({ [url]: 'const EC2NodeClassHashVersion = "six"\n' }))
    expect(facts.nodeClassHash).toMatchObject({ value: undefined, origin: 'newest row' })
  })
})

test('a record that holds something else has no facts', () => {
  expect(parseFacts(undefined)).toBeUndefined()
  expect(parseFacts('1.99.0')).toBeUndefined()
  expect(parseFacts({ version: '1.99.0', kubernetes: { least: '26' }, nodeClassHash: 6 })).toEqual({
    version: '1.99.0'
  })
})

test('the hash of a version that is neither in the table nor recorded is not known', () => {
  expect(knownHash('1.14.0', undefined)).toBe('v5')
  expect(knownHash('1.99.0', undefined)).toBeUndefined()
  expect(knownHash('latest', undefined)).toBeUndefined()
  expect(knownHash(undefined, undefined)).toBeUndefined()
})
