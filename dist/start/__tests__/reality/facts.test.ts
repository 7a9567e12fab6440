import { readdirSync, readFileSync } from 'node:fs'
import { operations } from '../../scripts/aws-models/operations.js'
import { modelOf, type ShapeModel } from '../../sandbox/cloud/model/model.js'
import { refusedTogether } from '../../src/aws/simulate.js'
import { isAlreadyExists, isNotFound, issuerUnread } from '../../src/aws/errors.js'
import { hasBeenTaken } from '../../src/resources/stack/spot-service-linked-role.js'
import { commonCodes, ec2Codes } from './error-codes.js'
import { facts } from './facts.js'

/**
 * facts.ts held to what AWS publishes: botocore's service models, cut down to what src/ calls and committed
 * (sandbox/cloud/model/published; made anew by `npm run aws-models`), so that no test needs a network or another language. The
 * SDK's own schemas have neither lengths nor patterns, and no errors by operation.
 */
const serviceOf = (operation: string): string =>
  operation.replace('eventbridge', 'events').split(':')[0] ?? ''

function modelled(operation: string) {
  const model = modelOf(serviceOf(operation))
  const own = model?.operations.get(operation.split(':')[1] ?? '')
  if (model === undefined || own === undefined) throw new Error(`${operation}: no model has it`)
  return { model, own }
}

test('every operation that src/ calls has its row, and no row is of another', () => {
  const called = operations.map(({ service, name }) => `${service}:${name}`)
  expect(Object.keys(facts).sort()).toEqual(called.sort())
})

/** EKS and IAM name every code in their models, CloudFormation those with a shape, EC2 none. */
test.each(Object.entries(facts))('%s: codes and their HTTP status are of its model', (operation, fact) => {
  const { own } = modelled(operation)
  const wrong = Object.entries(fact.errors ?? {}).filter(([code, status]) => {
    if (operation.startsWith('ec2:')) return !ec2Codes.has(code) || status !== 400
    return !own.errors.has(code) || (own.errors.get(code) ?? status) !== status
  })
  expect(wrong).toEqual([])
})

test('where the model gives a code no status, as those of SQS and EventBridge do, the row names who does', () => {
  const unsaid = Object.entries(facts).filter(
    ([operation, { errors = {}, source }]) =>
      source === undefined &&
      Object.keys(errors).some((code) => modelled(operation).own.errors.get(code) === undefined)
  )
  expect(unsaid.map(([operation]) => operation)).toEqual([])
})

/** In src/: `codeOf(error) === 'X'`, `case 'X'` after it, and a pattern of whole codes. */
function codesMatchedOn(): readonly string[] {
  const all = sources.filter((source) => source.includes('codeOf') || source.includes('failure.code'))
  const compared = all.flatMap((source) => [
    ...source.matchAll(/(?:codeOf\(\w+\)|\bcode|failure\.code) [!=]== '([\w.]+)'/g)
  ])
  const patterns = all.flatMap((source) => [
    ...source.matchAll(/\/\^\(?([\w|]+?)\)?\$\/\.test\((?:codeOf|failure\.code|code\b)/g)
  ])
  return [...new Set([...compared, ...patterns].flatMap(([, codes = '']) => codes.split('|')))]
}

test('each code that src/ decides by is of a row, or common to all operations', () => {
  const bare = (code: string): string => code.replace(/(?<=.)(Exception|Error)$/, '')
  const known = new Set([
    ...Object.values(facts).flatMap(({ errors }) =>
      Object.keys(errors ?? {}).flatMap((code) => [code, bare(code)])
    ),
    ...Object.keys(commonCodes),
    // The SDK's own: no answer came.
    'Timeout'
  ])
  const matched = codesMatchedOn()
  expect(matched.length).toBeGreaterThan(15)
  expect(matched.filter((code) => !known.has(code)).toSorted()).toEqual([])
})

const tokens = ['NextToken', 'nextToken', 'Marker']

test.each(Object.entries(facts))(
  '%s: is read to its last page, or is known to have one',
  (operation, fact) => {
    const { model, own } = modelled(operation)
    const members = own.output === undefined ? [] : [...model.shape(own.output.shape).members.keys()]
    const paged = members.some((name) => tokens.includes(name))
    expect(fact.pages !== undefined).toBe(paged)
    if (fact.pages !== 'all') return
    const name = operation.split(':')[1] ?? ''
    const readers = sources.filter(
      (source) => source.includes(`paginate${name}`) || source.includes(`${name}Command(`)
    )
    expect(
      readers.some(
        (source) =>
          source.includes(`paginate${name}(`) || tokens.some((token) => source.includes(`page.${token}`))
      )
    ).toBe(true)
  }
)

const sources = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.startsWith('aws/sdk/'))
  .map((file) => readFileSync(`src/${file}`, 'utf8'))

test.each(Object.entries(facts).filter(([, { absent }]) => absent !== undefined))(
  '%s: what is taken for unset when it is absent may be absent',
  (operation, fact) => {
    const { model, own } = modelled(operation)
    const output = own.output === undefined ? undefined : model.shape(own.output.shape)
    for (const path of fact.absent ?? []) {
      let shape: ShapeModel | undefined = output
      let required: boolean | undefined
      for (const part of path.split('.')) {
        while (shape?.element !== undefined) shape = model.shape(shape.element.shape)
        const member = shape?.members.get(part)
        required = member === undefined ? undefined : shape?.required.includes(part)
        shape = member === undefined ? undefined : model.shape(member.shape)
      }
      expect({ path, required }).toEqual({ path, required: false })
    }
  }
)

const failed = (name: string, status: number, message: string): Error =>
  Object.assign(new Error(message), { name, $metadata: { httpStatusCode: status } })

/** What AWS says, by the sources of the rows, and how src/ takes it. */
const wordings: Readonly<Record<string, readonly [taken: boolean, notTaken: boolean]>> = {
  'stack is gone': [
    isNotFound(failed('ValidationError', 400, 'Stack with id Karpenter-blue does not exist')),
    isNotFound(
      failed('ValidationError', 400, 'Stack:arn is in REVIEW_IN_PROGRESS state and can not be updated.')
    )
  ],
  'EC2 has it no more': [
    ['InvalidInstanceID', 'InvalidVolume', 'InvalidNetworkInterfaceID', 'InvalidSubnetID']
      .map((code) => isNotFound(failed(`${code}.NotFound`, 400, 'does not exist')))
      .every(Boolean) && isNotFound(failed('InvalidLaunchTemplateId.NotFound', 400, 'does not exist')),
    isNotFound(failed('InvalidInstanceID.Malformed', 400, 'Invalid id'))
  ],
  'no such image': [
    isNotFound(failed('InvalidAMIID.NotFound', 400, "The image id '[ami-1]' does not exist")),
    isNotFound(failed('InvalidAMIID.Malformed', 400, 'Invalid id: "x"'))
  ],
  'exists at EKS': [
    isAlreadyExists(
      failed(
        'ResourceInUseException',
        409,
        'The specified access entry resource is already in use on this cluster.'
      )
    ),
    isAlreadyExists(failed('InvalidRequestException', 400, 'Cluster is not in a state to create'))
  ],
  'queue is gone': [
    isNotFound(
      failed('AWS.SimpleQueueService.NonExistentQueue', 400, 'The specified queue does not exist.')
    ) && isNotFound(failed('QueueDoesNotExist', 400, 'The specified queue does not exist.')),
    isNotFound(failed('QueueDoesNotExist', 0, 'no answer came'))
  ],
  'the service-linked role exists': [
    hasBeenTaken(
      failed(
        'InvalidInputException',
        400,
        'Service role name AWSServiceRoleForEC2Spot has been taken in this account, please try a different suffix.'
      )
    ),
    hasBeenTaken(failed('InvalidInputException', 400, 'Custom suffix is not allowed for spot.amazonaws.com'))
  ],
  'actions asked together are refused': [
    refusedTogether(
      failed(
        'InvalidInput',
        400,
        '[iam:PassRole] and [ec2:RunInstances] require different authorization information.'
      )
    ),
    refusedTogether(failed('InvalidInput', 400, 'Invalid Entity Arn'))
  ],
  "the issuer's keys were not read": [
    issuerUnread(
      failed(
        'InvalidIdentityToken',
        400,
        "Couldn't retrieve verification key from your identity provider, please reference AssumeRoleWithWebIdentity documentation for requirements"
      )
    ),
    issuerUnread(failed('InvalidIdentityToken', 400, 'No OpenIDConnect provider found in your account'))
  ]
}

test.each(Object.entries(wordings))(
  '%s: AWS’s own words are taken for it, and others are not',
  (_, taken) => {
    expect(taken).toEqual([true, false])
  }
)

test('each wording is of a row, and each that a row names is tried', () => {
  const named = new Set(Object.values(facts).flatMap(({ wording }) => wording ?? []))
  expect([...named].sort()).toEqual(Object.keys(wordings).sort())
})
