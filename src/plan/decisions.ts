import {
  chooseControllerIdentity,
  chooseNodeAccess,
  type ControllerIdentityStrategy,
  type NodeAccessStrategy
} from '../aws/choices.js'
import { iamArn } from '../aws/partition.js'
import { overlay } from '../engine/json.js'
import type { Step } from '../engine/resource.js'
import type { Discovery } from './discovery.js'
import type { Chart } from '../helm/chart.js'
import { downloadText } from '../helm/download.js'
import type { Helm } from '../helm/run-helm.js'
import { adoptedValues, guideValues, type Values } from '../helm/values.js'
import type { Inputs } from '../inputs/inputs.js'
import { readManifests } from '../karpenter/convert/manifests.js'
import { defaultNodePools } from '../karpenter/default-node-pools.js'
import type { OthersParts } from '../karpenter/others-parts.js'
import { type RenderedStack, renderTemplate } from '../karpenter/rendered-stack.js'
import { adaptTemplate, loadTemplate } from '../karpenter/template.js'
import { templateVersionFor } from '../karpenter/template-version.js'
import { chooseVersion } from '../karpenter/versions.js'
import type { Manifest } from '../kubernetes/manifest.js'
import type { Ports } from '../run/ports.js'
import type { Session } from '../run/session.js'

/** Everything that is decided before the first write, and why; the model is made of it. */
export interface Decisions {
  readonly version: string
  /** The version that runs in the namespace now; undefined when none does. */
  readonly installed: string | undefined
  readonly identity: ControllerIdentityStrategy
  readonly nodeAccess: NodeAccessStrategy
  readonly template: string
  /** Where the template came from, for a person. */
  readonly templateOrigin: string
  readonly stack: RenderedStack
  /** Name of the queue that the controller listens to; undefined: none. */
  readonly queueName: string | undefined
  readonly controllerRoleArn: string
  readonly chart: Chart
  readonly helm: Helm
  /** The guide's values overlaid with the user's. */
  readonly values: Values
  readonly nodePools: readonly Manifest[]
  readonly nodeClasses: readonly Manifest[]
  /** What was chosen and why, for log, summary and report. */
  readonly choices: Readonly<Record<string, string>>
  readonly warnings: readonly string[]
}

/** Release and service account have the chart's own name, so the trust policy can be written before the release is. */
export const releaseName = 'karpenter'

/**
 * Chooses versions, strategies and names, and gets template, helm and chart, the downloads side by side. A chart that is
 * known already is not pulled.
 */
export async function decide(
  inputs: Inputs,
  found: Discovery,
  session: Session,
  ports: Ports,
  step: Step,
  knownChart?: Chart
): Promise<Decisions> {
  const { aws, cluster } = found
  const installed = installedVersion(inputs, found)
  const chosen = chooseVersion({
    requested: inputs.karpenterVersion,
    installed,
    kubernetes: cluster.kubernetesVersion
  })
  const { version } = chosen
  const nodeAccess = chooseNodeAccess(inputs.nodeAccess, cluster.authenticationMode)
  const manifests = manifestsOf(inputs, found)
  const [identity, template, { helm, why, chart }] = await Promise.all([
    identityOf(inputs, found),
    loadTemplate({
      input: inputs.template,
      version: templateVersionFor(version, found.adopted?.adoption.templateVersion),
      ports: { fetchText: fetchText(ports, step.signal), readFile: ports.readFile }
    }),
    helmAndChart(inputs, version, found, session, ports, step, knownChart)
  ])
  const others = othersParts(found)
  const text = adaptTemplate(template.text, {
    clusterName: cluster.name,
    nodeRoleName: inputs.nodeRoleName,
    nodeRolePolicies: inputs.nodeRolePolicies,
    permissionsBoundary: inputs.permissionsBoundary,
    others
  })
  const stack = renderTemplate(text, {
    clusterName: cluster.name,
    stackName: inputs.stackName,
    account: aws.account,
    ...(others.nodeRoleArn !== undefined && { nodeRoleArn: others.nodeRoleArn })
  })
  const queueName =
    inputs.interruptionQueue.kind === 'named'
      ? inputs.interruptionQueue.name
      : inputs.interruptionQueue.kind === 'stack'
        ? stack.queue?.name
        : undefined
  const controllerRoleArn = iamArn(aws.account, `role/${inputs.controllerRoleName}`)
  const adoptedReason = found.adopted === undefined ? undefined : 'as it was found'
  const choices = {
    Karpenter: `${version} (${chosen.reason})`,
    'Controller identity': `${identity.strategy} (${adoptedReason ?? identity.reason})`,
    'Node access': `${nodeAccess.strategy} (${adoptedReason ?? nodeAccess.reason})`,
    Template: template.origin,
    helm: why,
    Chart: `${inputs.chart} ${version}${chart.digest === undefined ? '' : ` ${chart.digest}`}`
  }
  for (const [name, choice] of Object.entries(choices)) step.note(`${name}: ${choice}`)
  return {
    version,
    installed,
    identity: identity.strategy,
    nodeAccess: nodeAccess.strategy,
    template: text,
    templateOrigin: template.origin,
    stack,
    queueName,
    controllerRoleArn,
    chart,
    helm,
    values: overlay(
      found.adopted === undefined
        ? guideValues({
            clusterName: cluster.name,
            interruptionQueue: queueName,
            controllerRoleArn: identity.strategy === 'irsa' ? controllerRoleArn : undefined
          })
        : adoptedValues(found.adopted.adoption.helmValues, queueName),
      inputs.helmValues
    ),
    nodePools: manifests.nodePools,
    nodeClasses: manifests.nodeClasses,
    choices,
    warnings: manifests.warnings
  }
}

/** The ARN of a queue of the account, by its name alone. */
function othersParts({ aws, adopted }: Discovery): OthersParts {
  const { nodeRoleArn, queueName, policyArns } = adopted?.adoption.others ?? {}
  const { partition, region, id } = aws.account
  return {
    ...(nodeRoleArn !== undefined && { nodeRoleArn }),
    ...(queueName !== undefined && { queueArn: `arn:${partition}:sqs:${region}:${id}:${queueName}` }),
    ...(policyArns !== undefined && { policyNames: policyArns.map((arn) => arn.split('/').at(-1) ?? '') })
  }
}

/** Where the controllers may not be read, the record is the next best word. */
function installedVersion(
  { namespace }: Inputs,
  { controllers, record, denied }: Discovery
): string | undefined {
  if (denied.some(({ what }) => what === 'controllers')) return record?.karpenterVersion
  return controllers.find((controller) => controller.namespace === namespace)?.version || undefined
}

async function identityOf(
  inputs: Inputs,
  found: Discovery
): Promise<ReturnType<typeof chooseControllerIdentity>> {
  const installed = installedIdentity(inputs, found)
  const stays = installed !== undefined && ['auto', installed].includes(inputs.controllerIdentity)
  const asks = inputs.controllerIdentity === 'auto' && installed === undefined && !found.podIdentityAgent
  return chooseControllerIdentity(inputs.controllerIdentity, {
    podIdentityAgent: found.podIdentityAgent,
    oidcProvider: asks && (await found.oidcProvider()),
    // Where nothing is chosen anew the nodes, of which there may be thousands, are not asked for.
    fargateOnly: !stays && (await found.fargateOnly()),
    installed
  })
}

/** The record says how the installed controller gets its role: its model had one of two resources. */
function installedIdentity(inputs: Inputs, found: Discovery): ControllerIdentityStrategy | undefined {
  if (installedVersion(inputs, found) === undefined || found.record === undefined) return undefined
  return 'pod-identity-association' in found.record.resources ? 'pod-identity' : 'irsa'
}

function manifestsOf(
  inputs: Inputs,
  { adopted, cluster: { kubernetesVersion } }: Discovery
): Pick<Decisions, 'nodePools' | 'nodeClasses' | 'warnings'> {
  const settings = { clusterName: inputs.clusterName, nodeRoleName: inputs.nodeRoleName, tags: inputs.tags }
  switch (inputs.nodePools.kind) {
    case 'none':
      return { nodePools: [], nodeClasses: [], warnings: [] }
    case 'default':
      return { ...asTheyAre(adopted, settings), warnings: [] }
    case 'manifests':
      return readManifests(inputs.nodePools.text, {
        ...settings,
        kubernetesVersion,
        source: inputs.nodePools.source
      })
  }
}

/** Of an adopted installation its own NodePools; the guide's where it has none. */
function asTheyAre(
  adopted: Discovery['adopted'],
  settings: Parameters<typeof defaultNodePools>[0]
): Pick<Decisions, 'nodePools' | 'nodeClasses'> {
  const { nodePools, nodeClasses } = adopted ?? { nodePools: [], nodeClasses: [] }
  return nodePools.length + nodeClasses.length > 0 ? { nodePools, nodeClasses } : defaultNodePools(settings)
}

async function helmAndChart(
  inputs: Inputs,
  version: string,
  found: Discovery,
  session: Session,
  ports: Ports,
  step: Step,
  knownChart: Chart | undefined
): Promise<{ helm: Helm; why: string; chart: Chart }> {
  const temporary = ports.env['RUNNER_TEMP'] ?? '.'
  const binary = await ports.helm.find({
    range: inputs.helmVersion,
    baseUrl: inputs.helmDownloadUrl,
    platform: process.platform,
    arch: process.arch,
    temporary,
    env: ports.env,
    signal: step.signal
  })
  const helm = await ports.helm.prepare({
    path: binary.path,
    version: binary.version,
    temporary,
    env: ports.env,
    kubernetes: found.kubernetes,
    beforeWrite: session.writes.pass,
    mask: (secret) => ports.runner.setSecret(secret),
    debug: (line) => ports.runner.debug(line),
    signal: step.signal
  })
  session.onClose(async () => helm.close())
  return { helm, why: binary.why, chart: knownChart ?? (await ports.helm.chart(helm, inputs.chart, version)) }
}

function fetchText(ports: Ports, signal: AbortSignal): (url: string) => Promise<string> {
  return async (url) => {
    const text = await downloadText(new URL(url), { proxyEnv: ports.env, signal })
    if (text === undefined) throw new Error('it does not exist')
    return text
  }
}
