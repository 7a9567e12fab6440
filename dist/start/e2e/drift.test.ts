import { newest } from '../sandbox/index.js'
import { describe, expect, test } from '@jest/globals'
import { driftScenario } from './drift-scenario.js'
import { driftsOfTheGuide, todaysDriftsInAws, todaysDriftsInTheCluster } from './drift-table.js'
import { today } from './drifts/today.js'

const together = [...todaysDriftsInAws, ...todaysDriftsInTheCluster]

describe('the table of drifts', () => {
  const all = [...together, ...driftsOfTheGuide]

  test('has at least 40, each once', () => {
    expect(all.length).toBeGreaterThanOrEqual(40)
    expect(new Set(all.map(({ name }) => name)).size).toBe(all.length)
  })

  test('has at least 40 that can be there at once', () => {
    expect(together.filter(({ hides }) => hides !== true).length).toBeGreaterThanOrEqual(40)
  })
})

driftScenario({
  ...today,
  title: `Kubernetes 1.35, authentication mode API, Karpenter ${newest} by Pod Identity: drift in AWS, and all of it`,
  drifts: todaysDriftsInAws,
  together
})
