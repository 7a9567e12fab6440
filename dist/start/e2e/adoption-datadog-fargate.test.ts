import { adoptionScenario } from './adoption-scenario.js'
import { datadogReport, keptParts } from './shapes/datadog-report.js'
import { kubectlDatadog } from './shapes/kubectl-datadog.js'

const cluster = 'observed'

adoptionScenario(kubectlDatadog, {
  // The plugin makes the provider without a tag, outside its stacks.
  report: (made) => ({ ...datadogReport(cluster, made), 'oidc-provider': 'as wanted' }),
  gone: [],
  kept: [...keptParts(cluster), ':oidc-provider/'],
  release: 'kept',
  nodesStay: true
})
