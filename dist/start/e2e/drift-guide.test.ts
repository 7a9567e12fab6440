import { oldest } from '../sandbox/index.js'
import { driftScenario } from './drift-scenario.js'
import { driftsOfTheGuide } from './drift-table.js'

driftScenario({
  title: `the manual guide: Kubernetes 1.32, CONFIG_MAP, Karpenter ${oldest} by IRSA`,
  spec: {
    name: 'guide',
    region: 'ap-northeast-2',
    kubernetesVersion: '1.32',
    karpenter: [oldest],
    authenticationMode: 'CONFIG_MAP',
    stackPace: 10
  },
  inputs: { 'karpenter-version': oldest, 'controller-identity': 'irsa', 'smoke-test': 'false' },
  drifts: driftsOfTheGuide
})
