import { dump } from 'js-yaml'
import { canonical, isMap, type JsonMap, mapAt } from '../engine/json.js'
import { lostStatements } from '../aws/policy/lost.js'
import { statementsOf } from '../aws/policy/statements.js'
import { iamQuotas } from '../aws/quotas.js'
import { policySize, type RenderedResource, renderTemplate, type StackSettings } from './rendered-stack.js'
import { templateDifferences } from './template-differences.js'
import { unknownValue } from './template-functions.js'
import { parseTemplate } from './template-syntax.js'

/** The stack that is there. */
export interface StandingStack {
  readonly template: string
  readonly parameters: Readonly<Record<string, string>>
}

export interface WidenedTemplate {
  readonly text: string
  /** Names of policies that have no room for all that the standing stack's allow besides. */
  readonly narrowed: readonly string[]
}

/**
 * A template for as long as the old controller may still run: the target, with every resource that the standing stack has
 * besides, with what its managed policies of the same name allow besides, and with the policies that its roles have
 * besides. CloudFormation then takes nothing away. The target's own text where there is nothing of that, and the same
 * template again for a stack that has been widened already.
 */
export function widenedTemplate(
  target: string,
  standing: StandingStack,
  settings: StackSettings
): WidenedTemplate {
  const asItIs = { text: target, narrowed: [] }
  if (templateDifferences(target, standing.template).length === 0) return asItIs
  const live = bodyOf(standing.template)
  if (live === undefined) return asItIs
  const { body } = parseTemplate(target)
  const declared = mapAt(body, 'Resources')
  const kept = entriesBeside(mapAt(live, 'Resources'), declared)
  const [wanted, found] = [rendered(target, settings), rendered(standing.template, settings)]
  const narrowed: string[] = []
  const resources = Object.fromEntries(
    Object.entries(declared).map(([logicalId, own]) => {
      const [now, before] = [wanted.get(logicalId), found.get(logicalId)]
      if (!isMap(own) || now === undefined || before === undefined || !isSame(now, before))
        return [logicalId, own]
      const { over, noRoom } = besides(now, before, mapAt(own, 'Properties'))
      if (noRoom) narrowed.push(now.name ?? logicalId)
      const properties = { ...mapAt(own, 'Properties'), ...over }
      return [logicalId, over === undefined ? own : { ...own, Properties: properties }]
    })
  )
  if (kept.length === 0 && canonical(resources) === canonical(declared)) return { text: target, narrowed }
  return {
    text: dump(
      {
        ...body,
        ...(kept.length > 0 && sectionsFor(body, live, standing.parameters)),
        Resources: { ...resources, ...Object.fromEntries(kept) }
      },
      { lineWidth: -1, noRefs: true }
    ),
    narrowed
  }
}

/** What the kept resources may refer to. A parameter has its value as its default, since only the target's are given. */
function sectionsFor(target: JsonMap, live: JsonMap, values: Readonly<Record<string, string>>): JsonMap {
  const parameters = entriesBeside(mapAt(live, 'Parameters'), mapAt(target, 'Parameters')).map(
    ([name, own]): readonly [string, unknown] => {
      const value = values[name]
      return [name, isMap(own) && value !== undefined ? { ...own, Default: value } : own]
    }
  )
  const sections = {
    Parameters: parameters,
    Mappings: entriesBeside(mapAt(live, 'Mappings'), mapAt(target, 'Mappings')),
    Conditions: entriesBeside(mapAt(live, 'Conditions'), mapAt(target, 'Conditions'))
  }
  return Object.fromEntries(
    Object.entries(sections)
      .filter(([, further]) => further.length > 0)
      .map(([name, further]) => [name, { ...mapAt(target, name), ...Object.fromEntries(further) }])
  )
}

/** Properties with what the standing resource has besides; undefined where that is nothing. */
interface Besides {
  readonly over: JsonMap | undefined
  /** Whether a quota has left some of it out. */
  readonly noRoom: boolean
}

function besides(now: RenderedResource, before: RenderedResource, declared: JsonMap): Besides {
  switch (now.type) {
    case 'AWS::IAM::ManagedPolicy':
      return statementsBesides(documentOf(now), documentOf(before))
    case 'AWS::IAM::Role':
      return policiesBesides(policiesOf(now), policiesOf(before), declared['ManagedPolicyArns'])
    default:
      return { over: undefined, noRoom: false }
  }
}

function statementsBesides(document: JsonMap | undefined, old: JsonMap | undefined): Besides {
  if (document === undefined || old === undefined) return { over: undefined, noRoom: false }
  const lost = lostStatements(old, document)
  const wider = (further: readonly JsonMap[]): JsonMap => ({
    ...document,
    Statement: [...statementsOf(document), ...further]
  })
  const smallestFirst = lost.toSorted((a, b) => policySize(a) - policySize(b))
  const fitting = smallestFirst.reduce<readonly JsonMap[]>(
    (all, one) => (policySize(wider([...all, one])) > iamQuotas.policyCharacters ? all : [...all, one]),
    []
  )
  return {
    over:
      fitting.length === 0
        ? undefined
        : { PolicyDocument: wider(lost.filter((statement) => fitting.includes(statement))) },
    noRoom: fitting.length < lost.length
  }
}

function policiesBesides(
  policies: readonly string[] | undefined,
  old: readonly string[] | undefined,
  declared: unknown
): Besides {
  const lost = (old ?? []).filter((arn) => policies?.includes(arn) === false)
  if (policies === undefined || lost.length === 0 || !Array.isArray(declared))
    return { over: undefined, noRoom: false }
  const written: readonly unknown[] = declared
  const fitting = lost.slice(0, Math.max(0, iamQuotas.policiesOfRole - policies.length))
  return {
    over: fitting.length === 0 ? undefined : { ManagedPolicyArns: [...written, ...fitting] },
    noRoom: fitting.length < lost.length
  }
}

/** Of one whose type or name changes CloudFormation makes another. */
function isSame(now: RenderedResource, before: RenderedResource): boolean {
  return now.type === before.type && now.arn !== undefined && now.arn === before.arn
}

function documentOf({ properties }: RenderedResource): JsonMap | undefined {
  const declared = properties['PolicyDocument']
  if (JSON.stringify(declared ?? null).includes(unknownValue)) return undefined
  const document: unknown = typeof declared === 'string' ? JSON.parse(declared) : declared
  return isMap(document) ? document : undefined
}

function policiesOf({ properties }: RenderedResource): readonly string[] | undefined {
  const declared: unknown = properties['ManagedPolicyArns'] ?? []
  if (!Array.isArray(declared)) return undefined
  const arns = declared.filter((arn) => typeof arn === 'string' && !arn.includes(unknownValue))
  return arns.length === declared.length ? arns : undefined
}

/** By logical id; none for a template that only CloudFormation can work out. */
function rendered(text: string, settings: StackSettings): ReadonlyMap<string, RenderedResource> {
  try {
    // Either may be without a node role, which is not looked for in it.
    const { resources } = renderTemplate(text, { nodeRoleArn: '', ...settings })
    return new Map(resources.map((one) => [one.logicalId, one]))
  } catch {
    return new Map()
  }
}

function bodyOf(text: string): JsonMap | undefined {
  try {
    return parseTemplate(text).body
  } catch {
    return undefined
  }
}

function entriesBeside(all: JsonMap, others: JsonMap): readonly (readonly [string, unknown])[] {
  return Object.entries(all).filter(([name]) => !(name in others))
}
