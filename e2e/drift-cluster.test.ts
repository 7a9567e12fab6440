import { driftScenario } from './drift-scenario.js'
import { todaysDriftsInTheCluster } from './drift-table.js'
import { today } from './drifts/today.js'

driftScenario({
  ...today,
  title: 'Kubernetes 1.35, authentication mode API, Karpenter 1.14.0 by Pod Identity: drift in the cluster',
  drifts: todaysDriftsInTheCluster
})
