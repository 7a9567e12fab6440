import { adoptionScenario } from './adoption-scenario.js'
import { datadogReport, keptByDatadog, keptParts } from './shapes/datadog-report.js'
import { kubectlDatadogOnNodes } from './shapes/kubectl-datadog.js'

const cluster = 'observed'

adoptionScenario(kubectlDatadogOnNodes, {
  report: (made) => ({
    ...datadogReport(cluster, made),
    ...keptByDatadog('pod-identity-association', 'pod-identity-agent')
  }),
  gone: [],
  kept: keptParts(cluster),
  release: 'kept',
  nodesStay: true
})
