import { isRecord, texts, type Input } from '../input.js'
import { AwsError, type AwsCall, type Question, type Service } from '../service.js'
import { images } from './images.js'

const values: ReadonlyMap<string, { readonly id: string; readonly changedAt: number }> = new Map(
  images.flatMap(({ id, createdAt, parameters }) =>
    parameters.map((parameter) => [parameter, { id, changedAt: Date.parse(createdAt) / 1000 }] as const)
  )
)

/** SSM's public parameters of EKS images; there are no others, and none can be written. */
export function ssm(partition: string): Service {
  const arn = ({ region }: AwsCall, name: string): string =>
    `arn:${partition}:ssm:${region}::parameter${name}`
  const parameter = (call: AwsCall, name: string): Readonly<Record<string, unknown>> | undefined => {
    const value = values.get(name)
    if (value === undefined) return undefined
    return {
      Name: name,
      Type: 'String',
      Value: value.id,
      Version: 1,
      LastModifiedDate: value.changedAt,
      ARN: arn(call, name),
      DataType: 'text'
    }
  }
  return {
    name: 'ssm',
    protocol: 'json',
    async questions(call): Promise<readonly Question[]> {
      return namesIn(call.input).map((name) => ({ action: `ssm:${call.action}`, resource: arn(call, name) }))
    },
    async answer(call) {
      const names = namesIn(call.input)
      switch (call.action) {
        case 'GetParameter': {
          const found = parameter(call, names[0] ?? '')
          // SSM gives the name no words of its own.
          if (found === undefined) throw new AwsError('ParameterNotFound', '')
          return { Parameter: found }
        }
        case 'GetParameters':
          return {
            Parameters: names.map((name) => parameter(call, name)).filter(isRecord),
            InvalidParameters: names.filter((name) => !values.has(name))
          }
        case 'GetParametersByPath': {
          const folder = `${(names[0] ?? '').replace(/\/$/, '')}/`
          const below = [...values.keys()].filter((name) => name.startsWith(folder))
          const wanted =
            call.input['Recursive'] === true
              ? below
              : below.filter((name) => !name.slice(folder.length).includes('/'))
          return { Parameters: wanted.map((name) => parameter(call, name)).filter(isRecord) }
        }
        default:
          throw new AwsError(
            'UnknownOperationException',
            `ssm: ${call.action} is not to be had in the sandbox`
          )
      }
    }
  }
}

function namesIn(input: Input): readonly string[] {
  const one = input['Name'] ?? input['Path']
  return typeof one === 'string' ? [one] : texts(input, 'Names')
}
