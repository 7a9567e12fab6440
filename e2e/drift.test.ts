import { describe, expect, test } from '@jest/globals'
import { boundary } from './damage.js'
import { driftScenario } from './drift-scenario.js'
import { driftsOfTheGuide, todaysDrifts } from './drift-table.js'

describe('the table of drifts', () => {
  const all = [...todaysDrifts, ...driftsOfTheGuide]

  test('has at least 40, each once', () => {
    expect(all.length).toBeGreaterThanOrEqual(40)
    expect(new Set(all.map(({ name }) => name)).size).toBe(all.length)
  })

  test('has at least 40 that can be there at once', () => {
    expect(todaysDrifts.filter(({ hides }) => hides !== true).length).toBeGreaterThanOrEqual(40)
  })
})

driftScenario({
  title: 'Kubernetes 1.35, authentication mode API, Karpenter 1.14.0 by Pod Identity',
  spec: {
    name: 'today',
    region: 'eu-central-1',
    kubernetesVersion: '1.35',
    authenticationMode: 'API',
    stackPace: 10
  },
  inputs: {
    'karpenter-version': '1.14.0',
    'controller-identity': 'pod-identity',
    'smoke-test': 'false',
    'permissions-boundary': boundary,
    tags: 'team=platform'
  },
  drifts: todaysDrifts
})
