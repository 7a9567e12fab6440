import fc from 'fast-check'
import { policyDifferences } from '../../../src/aws/policy/differences.js'
import { parsePolicy, samePolicy } from '../../../src/aws/policy/document.js'

const base = {
  Version: '2012-10-17',
  Statement: [
    {
      Sid: 'Read',
      Effect: 'Allow',
      Action: ['ec2:DescribeSubnets', 'ec2:DescribeImages'],
      Resource: '*',
      Condition: { StringEquals: { 'aws:RequestedRegion': 'eu-west-1' } }
    },
    { Sid: 'Pass', Effect: 'Allow', Action: 'iam:PassRole', Resource: ['arn:aws:iam::1:role/node'] }
  ]
}

describe('Two policy documents are the same', () => {
  it.each([
    ['in URL encoding', encodeURIComponent(JSON.stringify(base))],
    ['with statements in another order', { ...base, Statement: base.Statement.toReversed() }],
    [
      'with strings for lists of one, and lists for strings',
      {
        ...base,
        Statement: [
          { ...base.Statement[0], Resource: ['*'] },
          { ...base.Statement[1], Action: ['iam:PassRole'], Resource: 'arn:aws:iam::1:role/node' }
        ]
      }
    ],
    [
      'with actions in another case and order',
      {
        ...base,
        Statement: [
          { ...base.Statement[0], Action: ['EC2:describeimages', 'ec2:DescribeSubnets'] },
          base.Statement[1]
        ]
      }
    ]
  ])('%s', (_how, other) => {
    expect(samePolicy(base, other)).toBe(true)
    expect(policyDifferences(base, other)).toEqual([])
  })

  it('when principals say the same in other words', () => {
    const trust = (principal: unknown) => ({
      Version: '2012-10-17',
      Statement: { Effect: 'Allow', Action: 'sts:AssumeRole', Principal: principal }
    })
    expect(samePolicy(trust('*'), trust({ AWS: '*' }))).toBe(true)
    expect(
      samePolicy(trust({ AWS: '111122223333' }), trust({ AWS: ['arn:aws:iam::111122223333:root'] }))
    ).toBe(true)
    expect(samePolicy(trust({ AWS: '111122223333' }), trust({ Service: '111122223333' }))).toBe(false)
  })
})

describe('Differences of policy documents', () => {
  it('are listed by statement, with what was added and taken away', () => {
    const live = {
      ...base,
      Statement: [
        {
          ...base.Statement[0],
          Action: ['ec2:DescribeSubnets', 'ec2:RunInstances'],
          Condition: { StringLike: { 'aws:RequestedRegion': 'eu-west-1' } }
        },
        { Sid: 'Extra', Effect: 'Allow', Action: '*', Resource: '*' }
      ]
    }
    expect(policyDifferences(base, live)).toEqual([
      {
        statement: 'Read',
        change: 'changed',
        grants: { less: true, more: true },
        wanted: ['Action: ec2:DescribeImages', 'Condition StringEquals aws:RequestedRegion: eu-west-1'],
        live: ['Action: ec2:RunInstances', 'Condition StringLike aws:RequestedRegion: eu-west-1']
      },
      {
        statement: 'Pass',
        change: 'removed',
        grants: { less: true, more: false },
        wanted: ['Effect: Allow', 'Action: iam:PassRole', 'Resource: arn:aws:iam::1:role/node'],
        live: []
      },
      {
        statement: 'Extra',
        change: 'added',
        grants: { less: false, more: true },
        wanted: [],
        live: ['Effect: Allow', 'Action: *', 'Resource: *']
      }
    ])
  })

  it('of the only statement without a Sid are a change of it', () => {
    const trust = (...services: readonly string[]) => ({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: services } }]
    })
    expect(
      policyDifferences(trust('ec2.amazonaws.com'), trust('ec2.amazonaws.com', 'lambda.amazonaws.com'))
    ).toEqual([
      {
        statement: 'Allow sts:assumerole Service=ec2.amazonaws.com',
        change: 'changed',
        grants: { less: false, more: true },
        wanted: [],
        live: ['Principal: Service=lambda.amazonaws.com']
      }
    ])
  })
})

const word = fc.stringMatching(/^[a-z]{1,6}$/)
const statement = fc.record({
  Sid: word,
  Effect: fc.constantFrom('Allow', 'Deny'),
  Action: fc.uniqueArray(
    fc.tuple(word, word).map(([service, action]) => `${service}:${action}`),
    { minLength: 1, maxLength: 4 }
  ),
  Resource: fc.uniqueArray(word, { minLength: 1, maxLength: 3 }),
  Condition: fc.dictionary(
    fc.constantFrom('StringEquals', 'StringLike'),
    fc.dictionary(word, fc.uniqueArray(word, { minLength: 1 }))
  )
})
const policy = fc.record({
  Version: fc.constant('2012-10-17'),
  Statement: fc.uniqueArray(statement, { minLength: 1, maxLength: 5, selector: (one) => one.Sid })
})

/** Rewrites a document in ways that mean nothing to IAM. */
function reworded(value: unknown, random: () => number): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item) => reworded(item, random)).toSorted(() => random() - 0.5)
    return items.length === 1 && typeof items[0] === 'string' && random() < 0.5 ? items[0] : items
  }
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value)
        .map(([key, part]): [string, unknown] => [key, reworded(part, random)])
        .toSorted(() => random() - 0.5)
    )
  }
  return value
}

describe('For every policy document', () => {
  it('wording that means nothing makes no difference', () => {
    fc.assert(
      fc.property(
        policy,
        fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
        (document, stream) => {
          const other = reworded(document, () => {
            const next: IteratorResult<number, undefined> = stream.next()
            return next.value ?? 0
          })
          expect(samePolicy(document, encodeURIComponent(JSON.stringify(other)))).toBe(true)
          expect(policyDifferences(document, other)).toEqual([])
        }
      )
    )
  })

  it('documents are the same exactly when no difference is listed, in both directions', () => {
    fc.assert(
      fc.property(policy, policy, (a, b) => {
        expect(policyDifferences(a, b).length === 0).toBe(samePolicy(a, b))
        expect(policyDifferences(b, a).length === 0).toBe(samePolicy(a, b))
      })
    )
  })

  it('one action more is one difference', () => {
    fc.assert(
      fc.property(policy, (document) => {
        const [first, ...rest] = document.Statement
        if (first === undefined) throw new Error('a policy has a statement')
        const live = {
          ...document,
          Statement: [{ ...first, Action: [...first.Action, 'other:Action9'] }, ...rest]
        }
        expect(policyDifferences(document, live)).toEqual([
          {
            statement: first.Sid,
            change: 'changed',
            grants: first.Effect === 'Allow' ? { less: false, more: true } : { less: true, more: false },
            wanted: [],
            live: ['Action: other:Action9']
          }
        ])
      })
    )
  })
})

describe('A policy that is none', () => {
  it.each(['', 'null', '"text"', '{"Statement":["x"]}', '{'])('is refused: %j', (text) => {
    expect(() => parsePolicy(text)).toThrow(SyntaxError)
  })
})
