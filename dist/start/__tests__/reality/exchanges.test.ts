import { readdirSync, readFileSync } from 'node:fs'
import { answerFaults, requestFaults } from '../../sandbox/cloud/model/judge.js'
import { RawReply } from '../../sandbox/cloud/service.js'
import { operations } from '../../scripts/aws-models/operations.js'
import { PlayedWorld } from '../modes/played-run.js'

/**
 * Every request of src/ to AWS, and every answer of the sandbox's stand-in, held to the service's own model: sandbox/cloud/model
 * judges what passes the stand-in's front, and what passes __tests__/aws/stand-in.ts, in whichever test. Here stands that no
 * operation is left out. What moto answers (EC2, SQS, EventBridge) is judged in
 * e2e/guide.test.ts.
 */
const judgedTests = readdirSync('__tests__', { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.ts') && !file.startsWith('reality/'))
  .map((file) => readFileSync(`__tests__/${file}`, 'utf8'))
  .filter((source) => /(stand-in|account|played-run|cloudformation)\.js'/.test(source))

/** Operations that a test below causes without their name in it. */
const caused: Readonly<Record<string, readonly string[]>> = {
  'resources/controller/boundary.test.ts': ['DeleteRolePermissionsBoundary'],
  'resources/stack/stack-role.test.ts': ['DeleteRolePolicy', 'GetRolePolicy', 'PutRolePolicy'],
  'resources/stack/validation.test.ts': ['DeleteChangeSet']
}

/** A test that sends to a stand-in which judges answers this operation, or expects it. */
const isTried = (name: string): boolean =>
  judgedTests.some((source) => new RegExp(`\\b(?:\\w+:)?${name}\\b(?!Command)`).test(source))

test('the requests of an installation’s life and what they are answered with are as the models have them', async () => {
  const world = await PlayedWorld.start()
  try {
    expect((await world.main({ 'cluster-name': 'green' })).failed).toContain('Clusters in eu-west-1: blue')
    expect((await world.main()).failed).toBeUndefined()
    expect((await world.main({ mode: 'uninstall' })).failed).toBeUndefined()
    const called = new Set(
      world.cloud
        .calls()
        .flatMap(({ service, action, outcome, via }) =>
          outcome === 'ok' && via === undefined ? [`${service}:${action}`] : []
        )
    )
    const left = operations.filter(
      ({ service, name }) => !called.has(`${service === 'eventbridge' ? 'events' : service}:${name}`)
    )
    expect(left.length).toBeLessThan(operations.length / 2)
    const notNamed = left.filter(({ name }) => !isTried(name)).map(({ name }) => name)
    expect(notNamed.sort()).toEqual(Object.values(caused).flat().sort())
    expect(world.cloud.unlikeAws()).toEqual([])
  } finally {
    await world.stop()
  }
})

test.each(Object.keys(caused))('%s sends to a stand-in that judges', (file) => {
  expect(readFileSync(`__tests__/${file}`, 'utf8')).toMatch(/(stand-in|account|cloudformation)\.js'/)
})

const trust = '{"Version":"2012-10-17"}'
const role = { RoleName: 'blue-karpenter', AssumeRolePolicyDocument: trust }
test.each([
  ['as it is sent', 'iam', 'CreateRole', role, []],
  [
    'without what it needs',
    'iam',
    'CreateRole',
    { RoleName: 'blue' },
    ['AssumeRolePolicyDocument is lacking']
  ],
  [
    'with a name that is too long',
    'iam',
    'CreateRole',
    { ...role, RoleName: 'a'.repeat(65) },
    ['RoleName has 65 characters, more than 64']
  ],
  [
    'with a character that no name has',
    'iam',
    'CreateRole',
    { ...role, RoleName: 'a/b' },
    ['RoleName is not of the pattern of roleNameType']
  ],
  ['with what the model lacks', 'iam', 'CreateRole', { ...role, Colour: 'blue' }, ['Colour is no member']],
  [
    'with more tags than there may be',
    'iam',
    'CreateRole',
    { ...role, Tags: Array.from({ length: 51 }, () => ({ Key: 'a', Value: '' })) },
    ['Tags has 51 items, more than 50']
  ],
  [
    'with a tag of no value',
    'iam',
    'CreateRole',
    { ...role, Tags: [{ Key: 'a' }] },
    ['Tags[0].Value is lacking']
  ],
  [
    'with a value that is none',
    'cloudformation',
    'CreateChangeSet',
    { StackName: 'a', ChangeSetName: 'a', ChangeSetType: 'RENEW' },
    ['ChangeSetType is none of the values of ChangeSetType: RENEW']
  ],
  [
    'by EC2’s own names',
    'ec2',
    'CreateTags',
    { ResourceId: ['subnet-1'], Tag: [{ Key: 'a', Value: 'b' }] },
    []
  ],
  [
    'by names that EC2 has not',
    'ec2',
    'CreateTags',
    { ResourceIds: ['subnet-1'], Tag: [] },
    ['ResourceId is lacking', 'ResourceIds is no member']
  ]
])('a request %s', (_, service, action, input, faults) => {
  expect(requestFaults(service, action, input)).toEqual(faults)
})

const xml = (body: string): RawReply =>
  new RawReply(200, {}, `<GetRoleResponse><GetRoleResult>${body}</GetRoleResult></GetRoleResponse>`)
const whole =
  '<Path>/</Path><RoleName>blue</RoleName><RoleId>AROA0123456789ABCDEF</RoleId><Arn>arn:aws:iam::111122223333:role/blue</Arn><CreateDate>2026-11-30T04:00:00Z</CreateDate>'
const error = (status: number, code: string): RawReply =>
  new RawReply(status, {}, `<ErrorResponse><Error><Code>${code}</Code></Error></ErrorResponse>`)
test.each([
  ['as IAM gives it', xml(`<Role>${whole}</Role>`), []],
  ['without a role', xml(''), ['Role is lacking']],
  [
    'with a role that lacks its path',
    xml(`<Role>${whole.replace('<Path>/</Path>', '')}</Role>`),
    ['Role.Path is lacking']
  ],
  [
    'with what the model lacks',
    xml(`<Role>${whole}<Colour>blue</Colour></Role>`),
    ['Role.Colour is no member']
  ],
  [
    'with a time that is none',
    xml(`<Role>${whole.replace('2026-11-30T04:00:00Z', 'soon')}</Role>`),
    ['Role.CreateDate is no time']
  ],
  ['that is an error of it', error(404, 'NoSuchEntity'), []],
  [
    'that is an error of it with another status',
    error(400, 'NoSuchEntity'),
    ['NoSuchEntity comes with 404, not with 400']
  ],
  ['that is an error of others', error(404, 'NoSuchRole'), ['NoSuchRole is no error of it']]
])('an answer %s', (_, reply, faults) => {
  expect(answerFaults('iam', 'GetRole', reply)).toEqual(faults)
})
