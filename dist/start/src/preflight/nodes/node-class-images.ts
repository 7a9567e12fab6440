import { isMap } from '../../engine/json.js'
import { field, listField, type Manifest, textField } from '../../kubernetes/manifest.js'
import type { Facts } from '../facts.js'
import type { Concern } from '../finding.js'
import type { ImageTerm } from '../reads/node-class-reads.js'

type ImageFacts = Pick<Facts, 'nodeClasses' | 'anyImage'>

/** EC2NodeClasses whose images are not found: they would never be Ready. Aliases are for ami-alias. */
export async function nodeClassImages({ nodeClasses, anyImage }: ImageFacts): Promise<readonly Concern[]> {
  return (await Promise.all(nodeClasses.map(async (nodeClass) => check(nodeClass, anyImage)))).flat()
}

async function check(nodeClass: Manifest, anyImage: ImageFacts['anyImage']): Promise<Concern[]> {
  const terms = listField(nodeClass, 'spec', 'amiSelectorTerms')
  // A parameter of the user's own is not for this run to read.
  if (terms.length === 0 || terms.some((term) => hasText(term, 'alias') || hasText(term, 'ssmParameter')))
    return []
  const asked = terms.map(termOf)
  const answers = await Promise.all(asked.map(async (term) => anyImage(term)))
  if (answers.includes(true)) return []
  const of = `EC2NodeClass ${nodeClass.metadata.name}`
  const evidence = asked.map(shown).join('; ')
  const about = { subject: 'node-pools' } as const
  return answers.includes('denied')
    ? [
        {
          ...about,
          level: 'note',
          problem: `${of}: whether its amiSelectorTerms find an image could not be read`,
          evidence: "the run's role may not call ec2:DescribeImages",
          fix: 'Allow it to have this looked at.'
        }
      ]
    : [
        {
          ...about,
          level: 'error',
          problem: `${of}: no image matches its amiSelectorTerms, so no node could start`,
          evidence,
          fix: 'Select an image that is in this region and shared with this account, or use `alias: al2023@latest`.'
        }
      ]
}

function hasText(term: unknown, name: string): boolean {
  return textField(term, name) !== undefined
}

function termOf(value: unknown): ImageTerm {
  const [id, name, owner] = ['id', 'name', 'owner'].map((one) => textField(value, one))
  const tags = field(value, 'tags')
  return {
    ...(id !== undefined && { id }),
    ...(name !== undefined && { name }),
    ...(owner !== undefined && { owner }),
    ...(isMap(tags) && {
      tags: Object.fromEntries(Object.entries(tags).map(([key, tag]) => [key, String(tag)]))
    })
  }
}

function shown({ id, name, owner, tags = {} }: ImageTerm): string {
  return [
    ...(id === undefined ? [] : [id]),
    ...(name === undefined ? [] : [`name ${name}`]),
    ...Object.entries(tags).map(([key, value]) => `${key}=${value}`),
    ...(owner === undefined ? [] : [`owner ${owner}`])
  ].join(' and ')
}
