import type { Finding } from '../../src/engine/findings.js'
import { headlineOf } from '../../src/report/headline.js'
import type { Report } from '../../src/report/report.js'
import { summaryText as textOf } from '../../src/report/summary.js'
import { finding } from './finding.js'

type Facts = Omit<Report, 'headline'>

function summaryText(facts: Facts): string {
  return textOf({ ...facts, headline: headlineOf(facts) })
}

const report: Facts = {
  schema: 'setup-karpenter/report/v1',
  mode: 'install',
  result: 'succeeded',
  run: 'local',
  startedAt: '2026-01-01T00:00:00Z',
  seconds: 61,
  cluster: { name: 'blue', region: 'eu-west-1', kubernetesVersion: '1.35' },
  karpenterVersion: '1.14.0',
  changed: true,
  choices: { Identity: 'Pod Identity (asked for)' },
  resources: [
    {
      id: 'stack',
      title: 'CloudFormation stack Karpenter-blue',
      layer: 'cloudformation',
      result: 'applied',
      differences: [],
      changes: ['created | it'],
      seconds: 12
    }
  ],
  stages: [{ name: 'discover', seconds: 1 }],
  smokeTests: [],
  requests: { total: 60, writes: 4, repeated: [], byService: {} },
  warnings: [],
  kept: {}
}

describe('summaryText', () => {
  it('says in its first line whether all is well', () => {
    expect(summaryText(report).split('\n')[2]).toMatch(/^\*\*Installed\*\*: Karpenter 1\.14\.0/)
    expect(summaryText({ ...report, changed: false })).toContain('**All as wanted**')
    expect(summaryText({ ...report, result: 'failed', error: 'setup-karpenter: stack: no' })).toContain(
      '**Failed**'
    )
  })

  it('says of an installation that somebody else made what it is, and of one that was taken over what was changed', () => {
    const adoption: Report['adoption'] = [
      {
        id: 'stack',
        title: 'CloudFormation stack eksctl-blue',
        layer: 'cloudformation',
        state: "somebody else's",
        keeper: 'eksctl',
        evidence: ['tag alpha.eksctl.io/cluster-name=blue'],
        differences: [],
        adopt: 'use it, and leave it to eksctl'
      }
    ]
    const counts = { drift: 0, unhealthy: 0, pending: 1, unknown: 0 }
    const looked = summaryText({ ...report, mode: 'check', resources: [], findings: [], counts, adoption })
    expect(looked).toContain(': not adopted yet')
    expect(looked).toContain("**Not installed by this action**: 1 somebody else's")
    expect(looked).toContain(
      "- **CloudFormation stack eksctl-blue**: somebody else's, kept by eksctl\n  - seen by tag alpha.eksctl.io/cluster-name=blue\n  - <code>adopt: true</code> would use it, and leave it to eksctl\n"
    )
    const taken = summaryText({ ...report, adoption })
    expect(taken).toContain(': adopted')
    expect(taken).toContain('**Adopted**: Karpenter 1.14.0, 0 resources as they were, 1 changed')
  })

  it('says why a run was cancelled, also where its findings say it too', () => {
    const error = 'setup-karpenter: NodePool default: is gone'
    const counts = { drift: 1, unhealthy: 0, pending: 0, unknown: 0 }
    const found = [{ ...finding, title: 'NodePool default', reason: 'is gone' }]
    const text = summaryText({ ...report, result: 'cancelled', error, findings: found, counts })
    expect(text).toContain('**Cancelled**')
    expect(text).toContain('\n> ')
  })

  it('names what failed before it had changed anything, and counts the lines that it leaves out', () => {
    const [resource] = report.resources
    if (resource === undefined) throw new Error('no resource')
    const failed = { ...resource, title: 'Subnet tags', result: 'failed', changes: [] } as const
    const long = { ...resource, changes: Array.from({ length: 10 }, (_, line) => `line ${line}`) }
    const text = summaryText({ ...report, result: 'failed', resources: [failed, long] })
    expect(text).toContain('- **Subnet tags**: **failed**, ')
    expect(text).toContain('  - line 7\n  - and 2 more (see the report)')
    expect(text).not.toContain('line 8')
  })

  it('lists 20 warnings, and counts the others', () => {
    const warnings = Array.from({ length: 25 }, (_, one) => `warning ${one}`)
    const text = summaryText({ ...report, warnings })
    expect(text.match(/warning \d+/g)).toHaveLength(20)
    expect(text).toMatch(/\b5 more\b/)
  })

  it('leaves out whole parts of what would be too long, and says so', () => {
    const text = summaryText({ ...report, choices: { Identity: 'x'.repeat(250_000) } })
    expect(Buffer.byteLength(text)).toBeLessThan(200_100)
    expect(text).toContain('_Cut: the report has the rest._')
    expect(summaryText(report)).not.toContain('_Cut')
    const last = summaryText(report).trimEnd().split('\n').at(-1) ?? ''
    expect(last).not.toBe('')
    expect(text).toContain(last)
  })

  it('keeps a pipe in a change from breaking the table', () => {
    expect(summaryText(report)).toContain('created &#124; it')
  })

  it('lists new nodes, at most 50 of them', () => {
    const node = { name: 'n', instanceType: 'm6i.large', zone: 'a', capacityType: 'spot', instanceId: 'i-1' }
    const smokeTest = {
      nodePool: 'default',
      nodesBefore: 2,
      nodesAfter: 62,
      nodesAdded: 60,
      nodes: Array.from({ length: 60 }, () => node),
      stages: { launched: 2 },
      nodeReadySeconds: 40,
      scaleDownSeconds: 80,
      took: { karpenter: 58.2, ec2: 61, ours: 0.8 },
      events: []
    }
    const text = summaryText({ ...report, smokeTests: [smokeTest] })
    expect(text).toContain('**60 added**')
    expect(text).toContain('and 10 more nodes')
    expect(text).toContain(
      "Waited for Karpenter to decide 58.2 s, for EC2 and the nodes 61.0 s; this action's own 0.8 s."
    )
  })

  it('says of mode smoke-test that it scales, and shows each NodePool', () => {
    const test = {
      nodesBefore: 2,
      nodesAfter: 3,
      nodesAdded: 1,
      nodes: [],
      stages: {},
      nodeReadySeconds: 40,
      scaleDownSeconds: 80,
      took: { karpenter: 58.2, ec2: 61, ours: 0.8 },
      events: []
    }
    const smokeTests = [
      { ...test, nodePool: 'default' },
      { ...test, nodePool: 'gpu', nodesAdded: 2, nodeReadySeconds: 90 }
    ]
    const text = summaryText({ ...report, mode: 'smoke-test', changed: false, smokeTests })
    expect(text).toContain('**Scales**: Karpenter 1.14.0, 3 new nodes came in 90.0 s and went again, 61.0 s.')
    expect(text).toContain('### Smoke test of NodePool `default`')
    expect(text).toContain('### Smoke test of NodePool `gpu`')
  })

  it('says which steps the whole run waited for', () => {
    const criticalPath = { seconds: 13.04, lost: 0, ids: ['Discover', 'stack'], calls: [], losses: [] }
    expect(summaryText({ ...report, criticalPath })).toContain(
      'Critical path, 13.0 s of calls that needed each other: `Discover` → `stack`. Nothing was lost beside it.'
    )
    expect(summaryText(report)).not.toContain('Critical path')
  })

  it("stays far below GitHub's limit of 1 MiB", () => {
    const warnings = Array.from({ length: 20 }, () => 'x'.repeat(100_000))
    expect(Buffer.byteLength(summaryText({ ...report, warnings }))).toBeLessThan(1_048_576)
  })

  it('says in its heading whether all is as installed, and lists what is not', () => {
    const counts = { drift: 0, unhealthy: 0, pending: 0, unknown: 0 }
    const clean = summaryText({ ...report, mode: 'check', changed: false, findings: [], counts })
    expect(clean.split('\n')[0]).toBe('## Karpenter on `blue`: all as installed')
    const finding: Finding = {
      kind: 'drift',
      id: 'node-pool/default',
      title: 'NodePool default',
      layer: 'karpenter',
      path: 'spec.template',
      wanted: 'a|b',
      recorded: 'a|b',
      live: '<img> @team',
      severity: 'breaks scaling',
      reason: 'it differs',
      install: 'change it back',
      by: { manager: '<b>@team</b>' }
    }
    const found = summaryText({
      ...report,
      mode: 'check',
      result: 'failed',
      findings: [finding],
      counts: { ...counts, drift: 1 }
    })
    expect(found.split('\n')[0]).toBe('## Karpenter on `blue`: 1 drift')
    expect(found).toContain('<code>a&#124;b</code>')
    const error =
      'setup-karpenter: Karpenter on blue: 1 drift\n    NodePool default: it differs\n  Nothing was changed.'
    const failed = { ...report, mode: 'check', result: 'failed', findings: [finding], counts } as const
    // What the findings say in more words is not said twice; another error is.
    expect(summaryText({ ...failed, error })).not.toContain('\n> ')
    expect(summaryText({ ...failed, error: 'setup-karpenter: timeout: is over' })).toContain(
      '> **timeout**: is over'
    )
    expect(found).toContain('&#60;b&#62;&#64;&#8203;team')
  })

  it('lists what an uninstall removed, kept and left, and what was read afterwards', () => {
    const removal = {
      removed: [{ id: 'stack', title: 'CloudFormation stack Karpenter-blue' }],
      kept: [{ id: 'crds', title: 'CRDs', reason: 'they stay unless asked for' }],
      leftovers: [],
      proof: [{ what: 'CRDs', found: ['CRD nodepools.karpenter.sh'] }],
      lagging: []
    }
    const text = summaryText({ ...report, mode: 'uninstall', removal })
    expect(text.split('\n')[0]).toBe('## Karpenter on `blue`: nothing is left')
    expect(text).toContain('- **CRDs**: they stay unless asked for')
    expect(text).toContain('- CRDs: CRD nodepools.karpenter.sh')
    const left = { ...removal, leftovers: [{ kind: 'iam' as const, name: 'Role', reason: 'held' }] }
    expect(summaryText({ ...report, result: 'failed', removal: left }).split('\n')[0]).toContain(
      '1 left over'
    )
    const nothing = { ...removal, removed: [], kept: [] }
    expect(summaryText({ ...report, mode: 'uninstall', removal: nothing })).toContain('**Nothing to remove**')
  })

  it('counts the findings that it leaves out, however long their values are', () => {
    const finding: Finding = {
      kind: 'drift',
      id: 'a',
      title: 'NodePool a',
      layer: 'karpenter',
      path: 'spec.template',
      wanted: '\u65e5'.repeat(300),
      recorded: '\u65e5'.repeat(300),
      live: `${'\u65e5'.repeat(300)}x`,
      severity: 'cosmetic',
      reason: 'it differs',
      install: 'change it back'
    }
    const findings = Array.from({ length: 1000 }, (_, index) => ({ ...finding, id: `a/${index}` }))
    const counts = { drift: 1000, unhealthy: 0, pending: 0, unknown: 0 }
    const text = summaryText({ ...report, mode: 'check', findings, counts })
    const rows = text.split('\n').filter((line) => line.startsWith('- **NodePool a**')).length
    expect(rows).toBeGreaterThan(50)
    expect(text).toContain(`and ${1000 - rows} more (see the report)`)
    expect(text).not.toContain('_Cut')
    expect(Buffer.byteLength(text)).toBeLessThan(200_000)
  })

  it('says of what could not be read which permission is missing', () => {
    const finding: Finding = {
      kind: 'unknown',
      id: 'role',
      title: 'Role',
      layer: 'iam',
      path: '',
      wanted: undefined,
      recorded: undefined,
      live: undefined,
      severity: 'cosmetic',
      reason: 'access denied',
      install: 'end before its first write',
      missingPermission: 'iam:GetRole'
    }
    const counts = { drift: 0, unhealthy: 0, pending: 0, unknown: 1 }
    expect(summaryText({ ...report, mode: 'check', findings: [finding], counts })).toContain(
      'access denied (missing: iam:GetRole)'
    )
  })

  it('counts the leftovers that it leaves out, and shows first in the proof what is still there', () => {
    const leftovers = Array.from({ length: 150 }, (_, index) => ({
      kind: 'iam' as const,
      name: `profile-${index}`,
      reason: 'held'
    }))
    const gone = Array.from({ length: 300 }, (_, index) => ({ what: `Object ${index}`, found: [] }))
    const proof = [...gone, { what: 'Role', found: ['Role'] }]
    const removal = { removed: [], kept: [], leftovers, proof, lagging: [] }
    const text = summaryText({ ...report, mode: 'uninstall', result: 'failed', removal })
    expect(text).toContain('<details><summary>138 more</summary>')
    expect(text).toMatch(
      /\n- Role: Role\n\n<details><summary>300 read as gone<\/summary>\n\n- Object 0: gone\n/
    )
  })
})
