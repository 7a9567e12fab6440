import { optionalText } from '../input.js'
import type { Operations } from '../operations.js'
import { AwsError, type AwsCall, type Question } from '../service.js'
import { text as printed } from './handler.js'
import { isJsonList } from './json.js'
import type { Region } from './region.js'
import { templateIn } from './requests.js'
import { readTemplate, type ParameterDeclaration, type Template } from './template.js'

type Answer = Readonly<Record<string, unknown>>

/** The actions on templates, of a stack or of nobody yet. `onStack` asks IAM on the stack that a call names. */
export function templateOperations(
  region: Region,
  onStack: (action: string, call: AwsCall) => readonly Question[]
): Operations {
  const read = (body: string): Template => readTemplate(body, new Set(region.types.keys()))
  return {
    ValidateTemplate: {
      questions: () => [{ action: 'cloudformation:ValidateTemplate', resource: '*' }],
      answer({ input }) {
        const template = read(templateIn(input, undefined))
        return {
          ...described(template),
          Parameters: [...template.parameters].map(([key, declared]) => parameterAnswer(key, declared)),
          ...capabilities(region, template)
        }
      }
    },
    /** API reference, GetTemplateSummary: of a template given, or of a stack's own. */
    GetTemplateSummary: {
      questions: (call) => onStack('GetTemplateSummary', call),
      answer({ input }) {
        const template = read(summarised(region, input))
        return {
          ...described(template),
          Parameters: [...template.parameters].map(([key, declared]) => ({
            ...parameterAnswer(key, declared),
            ParameterType: declared.type,
            ParameterConstraints: constraints(declared)
          })),
          ...capabilities(region, template),
          ResourceTypes: [...template.resources.values()].map(({ type }) => type),
          ...(template.version === undefined ? {} : { Version: template.version })
        }
      }
    }
  }
}

function summarised(region: Region, input: AwsCall['input']): string {
  const given = ['StackName', 'StackSetName', 'TemplateBody', 'TemplateURL'].filter(
    (member) => optionalText(input, member) !== undefined
  )
  if (given.length !== 1) {
    throw new AwsError(
      'ValidationError',
      'You must specify exactly one of: StackName, StackSetName, TemplateBody, or TemplateURL'
    )
  }
  if (given[0] === 'StackSetName')
    throw new AwsError(
      'StackSetNotFoundException',
      `StackSet ${optionalText(input, 'StackSetName') ?? ''} not found`,
      404
    )
  if (given[0] !== 'StackName') return templateIn(input, undefined)
  const stack = region.stack(input)
  if (stack.definition !== undefined) return stack.definition.text
  throw new AwsError('ValidationError', `Stack ${stack.name} is in ${stack.status} and has no template yet`)
}

function described({ description }: Template): Answer {
  return description === undefined ? {} : { Description: description }
}

function parameterAnswer(key: string, { declaration }: ParameterDeclaration): Answer {
  const fallback = declaration['Default']
  const description = declaration['Description']
  return {
    ParameterKey: key,
    ...(fallback === undefined ? {} : { DefaultValue: printed(fallback) }),
    NoEcho: declaration['NoEcho'] === true || declaration['NoEcho'] === 'true',
    ...(typeof description === 'string' ? { Description: description } : {})
  }
}

function constraints({ declaration }: ParameterDeclaration): Answer {
  const allowed = declaration['AllowedValues']
  return isJsonList(allowed) ? { AllowedValues: allowed.map(printed) } : {}
}

function capabilities(region: Region, template: Template): Answer {
  const asking = [...template.resources.values()].flatMap(({ type, properties }) => {
    const capability = region.types.get(type)?.capability(properties)
    return capability === undefined ? [] : [{ type, capability }]
  })
  const strongest = asking.find(({ capability }) => capability === 'CAPABILITY_NAMED_IAM') ?? asking[0]
  if (strongest === undefined) return {}
  const types = [...new Set(asking.map(({ type }) => type))]
  return {
    Capabilities: [strongest.capability],
    CapabilitiesReason: `The following resource(s) require capabilities: [${types.join(', ')}]`
  }
}
