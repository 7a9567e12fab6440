import { minorsBetween, type UpgradeFacts, upgradeNotes } from '../../src/upgrade/notes.js'
import { crdOf } from './crds.js'

const statement = (action: string): object => ({
  Sid: 'Read',
  Effect: 'Allow',
  Action: action,
  Resource: '*'
})
const document = (action: string) => ({ Version: '2012-10-17', Statement: [statement(action)] })
const manifest = (kind: 'NodePool' | 'EC2NodeClass', name: string, spec: object) => ({
  apiVersion: kind === 'NodePool' ? 'karpenter.sh/v1' : 'karpenter.k8s.aws/v1',
  kind,
  metadata: { name },
  spec
})
const facts = (more: Partial<UpgradeFacts> = {}): UpgradeFacts => ({
  from: '1.2.1',
  to: '1.14.0',
  record: undefined,
  breaking: [],
  policies: [{ name: 'Read-blue', document: document('ec2:DescribeImages') }],
  crds: { live: [], wanted: [] },
  objects: { live: [], wanted: [] },
  chart: undefined,
  nodes: undefined,
  unread: [],
  ...more
})

describe('upgradeNotes', () => {
  it('says where it goes and which minors are passed', () => {
    expect(upgradeNotes(facts({ from: '1.10.0' }))).toMatchObject({
      from: '1.10.0',
      to: '1.14.0',
      direction: 'upgrade',
      passes: ['1.11', '1.12', '1.13']
    })
    expect(upgradeNotes(facts({ from: '1.14.1', to: '1.13.1' }))).toMatchObject({
      direction: 'downgrade',
      passes: []
    })
  })

  it('compares with the recorded policies, and with the published ones where there is no record', () => {
    const record = {
      schema: 1 as const,
      karpenterVersion: '1.2.1',
      run: '',
      time: '',
      resources: {
        stack: { before: [], wanted: {} },
        'policy/Read-blue': { before: [], wanted: { document: document('ec2:DescribeVpcs') } },
        'policy/broken-off': { before: [], wanted: undefined }
      }
    }
    expect(upgradeNotes(facts({ record })).permissions).toMatchObject({
      by: 'recorded policies',
      added: ['ec2:DescribeImages'],
      removed: ['ec2:DescribeVpcs'],
      statements: [{ policy: 'Read-blue', statement: 'Read', change: 'changed' }]
    })
    const published = upgradeNotes(facts()).permissions
    expect(published?.by).toBe('published policies')
    expect(published?.added).toContain('iam:ListInstanceProfiles')
  })

  it('names fields in use that the new CRDs do not have, of the cluster and of this run, which goes before', () => {
    const schema = { type: 'object', properties: { role: {} } }
    const notes = upgradeNotes(
      facts({
        crds: { live: [], wanted: [crdOf('EC2NodeClass', schema)] },
        objects: {
          live: [
            manifest('EC2NodeClass', 'default', { cpuOptions: {} }),
            manifest('EC2NodeClass', 'hand', { role: 'r', cpuOptions: {} })
          ],
          wanted: [manifest('EC2NodeClass', 'default', { role: 'r' }), manifest('NodePool', 'p', { any: 1 })]
        }
      })
    )
    expect(notes.fieldsLost).toEqual([{ object: 'EC2NodeClass hand', path: 'spec.cpuOptions' }])
  })

  it('says of a change without another version only what nodes it reaches', () => {
    const notes = upgradeNotes(
      facts({
        from: '1.14.0',
        nodes: {
          hashes: { from: 'v5', to: 'v5' },
          claims: [],
          nodePools: [],
          nodeClasses: [],
          securityGroupTags: false
        }
      })
    )
    expect(notes).toMatchObject({ direction: 'same version', cautions: [], crds: [], nodes: { nodes: 0 } })
    expect(notes.permissions).toBeUndefined()
    expect(notes.chart).toBeUndefined()
  })
})

describe('upgradeNotes to a version that the table does not have', () => {
  const cautions = (from: string, to: string) =>
    upgradeNotes(
      facts({
        from,
        to,
        breaking: [
          { version: '1.16.0', text: 'A metric is gone.' },
          { version: '1.99.0', text: 'Another one.' }
        ]
      })
    ).cautions.filter(({ source }) => source.includes('at v'))

  it("passes on what upstream's guide calls breaking, of the versions that are passed", () => {
    expect(cautions('1.15.2', '1.16.0')).toEqual([
      {
        version: '1.16.0',
        text: 'A metric is gone.',
        source: 'upgrade guide of Karpenter at v1.16.0',
        concerns: 'unknown'
      }
    ])
    expect(cautions('1.16.0', '1.99.0').map(({ version }) => version)).toEqual(['1.99.0'])
    expect(cautions('1.99.0', '1.15.2')).toEqual([])
  })

  it('has no caution twice for a pre-release and its release', () => {
    expect(upgradeNotes(facts({ from: '1.12.0-rc.0', to: '1.12.0' })).cautions).toEqual([])
    expect(upgradeNotes(facts({ from: '1.11.3', to: '1.12.0-rc.0' })).cautions.length).toBeGreaterThan(0)
  })

  it('compares its own policies with the published ones, where nothing is recorded', () => {
    const published = {
      from: [{ name: 'Read-blue', document: document('ec2:DescribeImages') }],
      to: [{ name: 'Read-blue', document: document('ec2:NewInEighteen') }]
    }
    expect(upgradeNotes(facts({ from: '1.15.2', to: '1.99.0', published })).permissions).toMatchObject({
      by: 'published policies',
      added: ['ec2:NewInEighteen'],
      removed: ['ec2:DescribeImages']
    })
  })
})

describe('minorsBetween', () => {
  it.each([
    ['1.2.1', '1.3.0', []],
    ['1.2.1', '1.2.3', []],
    ['1.2.1', '1.5.0', ['1.3', '1.4']],
    ['1.5.0', '1.2.1', ['1.4', '1.3']],
    ['0.37.0', '1.0.8', []]
  ])('%s to %s: %j', (from, to, minors) => {
    expect(minorsBetween(from, to)).toEqual(minors)
  })
})
