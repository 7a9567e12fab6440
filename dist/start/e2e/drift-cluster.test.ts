import { newest } from '../sandbox/index.js'
import { driftScenario } from './drift-scenario.js'
import { todaysDriftsInTheCluster } from './drift-table.js'
import { today } from './drifts/today.js'

driftScenario({
  ...today,
  title: `Kubernetes 1.35, authentication mode API, Karpenter ${newest} by Pod Identity: drift in the cluster`,
  drifts: todaysDriftsInTheCluster
})
