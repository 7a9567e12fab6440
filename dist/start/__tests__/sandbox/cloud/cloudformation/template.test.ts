import { evaluate, references, type Scope } from '../../../../sandbox/cloud/cloudformation/functions.js'
import { parseTemplateText } from '../../../../sandbox/cloud/cloudformation/template-text.js'
import { readTemplate } from '../../../../sandbox/cloud/cloudformation/template.js'
import { Account } from './account.js'

const scope: Scope = {
  parameter: (name) => ({ Name: 'blue', 'AWS::Region': 'eu-west-1' })[name],
  mappings: { Sizes: { small: { cpu: '1' } } },
  conditions: { Yes: { 'Fn::Equals': ['a', 'a'] }, No: { 'Fn::Not': [{ Condition: 'Yes' }] } },
  reference: (logicalId) => `ref-of-${logicalId}`,
  attribute: (logicalId, name) => `${name}-of-${logicalId}`
}

describe('functions of a template', () => {
  it.each([
    ['!Sub "${Name}/${Queue}/${Queue.Arn}/${!Literal}"', 'blue/ref-of-Queue/Arn-of-Queue/${Literal}'],
    ['!Sub ["${A}-${Name}", { A: !Ref AWS::Region }]', 'eu-west-1-blue'],
    ['!GetAtt Queue.Arn', 'Arn-of-Queue'],
    ['!GetAtt [Queue, Arn]', 'Arn-of-Queue'],
    ['!Join [",", [a, !Ref Name]]', 'a,blue'],
    ['!Select [1, !Split ["-", "a-b"]]', 'b'],
    ['!FindInMap [Sizes, small, cpu]', '1'],
    ['!If [No, 1, two]', 'two'],
    ['Fn::Base64: x', 'eA==']
  ])('%s', (text, expected) => {
    expect(evaluate(parseTemplateText(text), scope)).toBe(expected)
  })

  it('AWS::NoValue leaves its member out', () => {
    expect(evaluate(parseTemplateText('{a: !Ref AWS::NoValue, b: [!Ref AWS::NoValue, 1]}'), scope)).toEqual({
      b: [1]
    })
  })

  it('name what they refer to, even inside text', () => {
    expect(
      references(
        parseTemplateText(
          '[!Ref A, !GetAtt B.Arn, !Sub "${C.Arn} ${!D} ${E}", {x: !Sub ["${F}${G}", {F: !Ref H}]}]'
        )
      )
    ).toEqual([
      { name: 'A' },
      { name: 'B', attribute: 'Arn' },
      { name: 'C', attribute: 'Arn' },
      { name: 'E' },
      { name: 'G' },
      { name: 'H' }
    ])
  })

  it('leave an unquoted date the text that it is', () => {
    expect(parseTemplateText('Version: 2012-10-17')).toEqual({ Version: '2012-10-17' })
  })
})

describe('a template', () => {
  it.each([
    ['Resources: {}', 'At least one Resources member must be defined.'],
    ['Resources: {A: {Type: AWS::EC2::VPC}}', 'Unrecognized resource types: [AWS::EC2::VPC]'],
    ['Resources: {A: {Typ: x}}', "Invalid template resource property 'Typ'"],
    ['Resource: {A: {Type: x}}', 'Invalid template property or properties [Resource]'],
    ['a: [', 'YAML not well-formed.'],
    ['AWSTemplateFormatVersion: 2020-01-01\nResources: {}', 'unsupported value for AWSTemplateFormatVersion'],
    [
      'Parameters: {A: {Type: Strng}}\nResources: {A: {Type: AWS::SQS::Queue}}',
      'Unrecognized parameter type: Strng'
    ]
  ])('%s is refused', (text, reason) => {
    expect(() => readTemplate(text, new Set(['AWS::SQS::Queue']))).toThrow(reason)
  })

  it.each([
    [
      '{A: {Type: AWS::SQS::Queue, DependsOn: B}, B: {Type: AWS::SQS::Queue, DependsOn: A}}',
      'Circular dependency between resources: [A, B]'
    ],
    ['{A: {Type: AWS::SQS::Queue, Properties: {QueueName: !Ref B}}}', 'Unresolved resource dependencies [B]'],
    [
      '{A: {Type: AWS::SQS::Queue, Properties: {QueueName: !GetAtt B.Arn}}}',
      'references undefined resource B'
    ]
  ])('with resources %s is refused', async (resources, reason) => {
    const refused = new Account().call('CreateStack', {
      StackName: 'one',
      TemplateBody: `Resources: ${resources}`
    })
    await expect(refused).rejects.toThrow(reason)
  })

  it('longer than 51,200 bytes is refused', async () => {
    const refused = new Account().call('CreateStack', { StackName: 'one', TemplateBody: ' '.repeat(51_201) })
    await expect(refused).rejects.toThrow('Member must have length less than or equal to 51200')
  })

  it('must get a value for every parameter, and none that it does not have', async () => {
    const template = 'Parameters: {Name: {Type: String}}\nResources: {A: {Type: AWS::SQS::Queue}}'
    const account = new Account()
    const bare = account.call('CreateStack', { StackName: 'one', TemplateBody: template })
    await expect(bare).rejects.toThrow('Parameters: [Name] must have values')
    const other = account.call('CreateStack', {
      StackName: 'one',
      TemplateBody: template,
      Parameters: [{ ParameterKey: 'Nme', ParameterValue: 'x' }]
    })
    await expect(other).rejects.toThrow('Parameters: [Nme] do not exist in the template')
  })
})
