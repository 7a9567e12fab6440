import { templateDifferences } from '../../src/karpenter/template-differences.js'

const template = `AWSTemplateFormatVersion: "2010-09-09"
Description: one
Parameters:
  ClusterName:
    Type: String
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: !Sub "\${ClusterName}"
      Tags: !If [A, { Key: a }, !Ref AWS::NoValue]
  Role:
    Type: AWS::IAM::Role
    Properties:
      Arn: !GetAtt Queue.Arn
      Note: !Sub
        - x
        - { y: z }
`

describe('Templates', () => {
  it('that differ in comments, layout and descriptions do not differ', () => {
    const other = template
      .replace('Description: one', '# hello\nDescription: two')
      .replace(/ {6}Tags/, '      # why\n      Tags')
    expect(templateDifferences(template, other)).toEqual([])
  })

  it('that differ in what CloudFormation takes no update for do not differ', () => {
    const other = template
      .replace('Parameters:', 'Metadata: { a: b }\nParameters:')
      .replace('    Type: String', '    Type: String\n    Description: of the cluster')
    expect(templateDifferences(template, other)).toEqual([])
  })

  it('whose characters beyond ASCII are answered with ? do not differ', () => {
    const one = template.replace('- x', '- für 🚀')
    expect(templateDifferences(one, one.replace(/[^\n -~]/gu, '?'))).toEqual([])
    expect(templateDifferences(one, template.replace('- x', '- f?r Knoten'))).toEqual(['Role'])
  })

  it('name the resources and sections that differ', () => {
    const other = template.replace('!GetAtt Queue.Arn', '!Ref Queue').replace('Type: String', 'Type: Number')
    expect(templateDifferences(template, other)).toEqual(['Parameters', 'Role'])
  })

  it('that cannot be read differ as a whole', () => {
    expect(templateDifferences(template, 'a: [')).toEqual(['the template'])
  })
})
