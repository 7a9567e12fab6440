import { readFileSync } from 'node:fs'
import { parseRecord } from '../../src/engine/record.js'
import { ofMark } from '../../src/engine/standing.js'
import { recordedInputs } from '../../src/plan/recorded-inputs.js'
import { recordedCrds, recordedManifests, recordedRelease } from '../../src/resources/recorded.js'
import { inputsOf } from '../given-inputs.js'

/** Records as they were written once, and are read for ever: a file is added when what is written changes. */
const written = [
  { file: '2026-11-irsa.json', identity: 'irsa', part: 'oidc-provider' },
  { file: '2026-11-pod-identity.json', identity: 'pod-identity', part: 'pod-identity-association' }
]

describe.each(written)('the record $file', ({ file, identity, part }) => {
  const record = parseRecord(readFileSync(`__tests__/plan/records/${file}`, 'utf8'))

  it('says what was chosen at its install', () => {
    expect(recordedInputs(inputsOf({ mode: 'uninstall', 'cluster-name': 'blue' }), record)).toMatchObject({
      karpenterVersion: { kind: 'exact', version: '1.14.1' },
      namespace: 'karpenter',
      controllerRoleName: 'blue-karpenter',
      nodeRoleName: 'KarpenterNodeRole-blue',
      stackName: 'Karpenter-blue',
      controllerIdentity: identity,
      nodeAccess: 'access-entry',
      template: { kind: 'text' }
    })
    expect(recordedRelease(record)).toMatchObject({
      version: '1.14.1',
      values: { settings: { clusterName: 'blue' } }
    })
    expect(recordedCrds(record)).toHaveLength(3)
    expect(recordedManifests(record, 'nodePool').map(({ metadata }) => metadata.name)).toEqual(['default'])
    expect(recordedManifests(record, 'ec2NodeClass').map(({ metadata }) => metadata.name)).toEqual([
      'default'
    ])
  })

  it('knows nothing that was there before, and nothing that was taken over', () => {
    const entries = Object.entries(record?.resources ?? {})
    expect(entries.map(([id]) => id)).toEqual(
      expect.arrayContaining([part, 'stack', 'queue', 'helm-release', 'flow-schemas', 'subnet-tags'])
    )
    expect(entries.filter(([, { before, adopted }]) => before.length > 0 || adopted === true)).toEqual([])
    const claim = { recorded: record?.resources['stack'], removeAdopted: true }
    expect(ofMark({ kind: 'unmarked', evidence: [] }, 'CloudFormation stack Karpenter-blue', claim)).toEqual({
      standing: 'found',
      stays: 'it bears no mark of ours'
    })
  })
})
