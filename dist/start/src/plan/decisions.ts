import {
  chooseControllerIdentity,
  chooseNodeAccess,
  type ControllerIdentityStrategy,
  type NodeAccessStrategy
} from '../aws/choices.js'
import { iamArn } from '../aws/partition.js'
import { boundaryArn, noBoundary, type WantedBoundary } from '../aws/role-boundary.js'
import { overlay } from '../engine/json.js'
import type { ProvedChart } from '../engine/record.js'
import type { Step } from '../engine/resource.js'
import { tooLong } from '../aws/template-size.js'
import type { Discovery } from './discovery.js'
import type { Chart } from '../helm/chart.js'
import type { HelmBinary } from '../helm/get-helm.js'
import type { Helm } from '../helm/run-helm.js'
import { adoptedValues, guideValues, type Values } from '../helm/values.js'
import { asksAsInstall, type Inputs } from '../inputs/inputs.js'
import { readManifests } from '../karpenter/convert/manifests.js'
import { defaultNodePools } from '../karpenter/default-node-pools.js'
import type { OthersParts } from '../karpenter/others-parts.js'
import type { NamedPolicy } from '../aws/policy/changes.js'
import { type RenderedStack, renderTemplate, type StackSettings } from '../karpenter/rendered-stack.js'
import { builtInTemplateText } from '../karpenter/template-built-in.js'
import type { VersionFacts } from '../karpenter/version-facts.js'
import { choiceText, type StatementsOrigin, untestedWarning } from '../karpenter/version-words.js'
import { ec2NodeClasses } from '../kubernetes/kinds.js'
import type { Manifest } from '../kubernetes/manifest.js'
import type { Ports } from '../run/ports.js'
import type { Session } from '../run/session.js'
import { runPreflight } from '../preflight/index.js'
import { nextMajor } from '../preflight/version-pair.js'
import { helmAlone, helmAndChart } from './helm-and-chart.js'
import { type DecidedTemplate, decideTemplate } from './stack-template.js'
import { formerRoleWarning, othersNodeRole } from './node-role.js'
import { decideVersion, fetchText } from './version.js'
import { idOf } from '../resources/ids.js'
import { isRecorded, recordedControllerRole } from '../resources/recorded.js'

/** Everything that is decided before the first write, and why; the model is made of it. */
export interface Decisions {
  readonly version: string
  /** The version that runs in the namespace now; undefined when none does. */
  readonly installed: string | undefined
  /** What holds for the version, and where that is known from. */
  readonly facts: VersionFacts
  readonly statements: StatementsOrigin
  /** Policies of a version that the table does not have, of its own template; undefined for others. */
  readonly ownPolicies: readonly NamedPolicy[] | undefined
  /** Policies of a version's published template by the table, as this cluster would get them. */
  readonly publishedPolicies: (version: string) => readonly NamedPolicy[]
  readonly standing: DecidedTemplate['standing']
  /** Of every role that is made: as asked for, else as it was at the last install. */
  readonly permissionsBoundary: WantedBoundary
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
  /** For the record; undefined where this run has proved nothing. */
  readonly provedChart: ProvedChart | undefined
  readonly helm: () => Promise<Helm>
  /** Which helm, for a person; asked for where it is needed. */
  readonly helmChoice: () => Promise<string>
  /** The guide's values overlaid with the user's. */
  readonly values: Values
  readonly nodePools: readonly Manifest[]
  readonly nodeClasses: readonly Manifest[]
  /** What was chosen and why, for log, summary and report. */
  readonly choices: Readonly<Record<string, string>>
  readonly warnings: readonly string[]
}

/**
 * Chooses versions, strategies and names, and gets template, helm and chart, the downloads side by side. A chart that is
 * known already is not pulled.
 */
export async function decide(
  from: {
    readonly inputs: Inputs
    readonly found: Discovery
    readonly session: Session
    readonly ports: Ports
    /** Where helm is being looked for already. */
    readonly binary?: Promise<HelmBinary>
  },
  step: Step,
  knownChart?: Chart
): Promise<Decisions> {
  const { inputs, found, ports } = from
  const { aws, cluster } = found
  const { facts, installed, version, reason } = await decideVersion(inputs, found, ports, step)
  if (asksAsInstall(inputs.mode))
    await runPreflight({ 'version-pair': () => nextMajor(version) }, inputs.preflight)
  const nodeAccess = chooseNodeAccess(inputs.nodeAccess, cluster.authenticationMode)
  const manifests = await manifestsOf(inputs, found)
  const usedRole = found.adopted === undefined ? await othersNodeRole(inputs, found) : undefined
  const others = othersParts(found, usedRole?.arn)
  const settings: StackSettings = {
    clusterName: cluster.name,
    stackName: inputs.stackName,
    account: aws.account,
    ...(others.nodeRoleArn !== undefined && { nodeRoleArn: others.nodeRoleArn })
  }
  const work = { ...from, step }
  const permissionsBoundary = wantedBoundary(inputs, found)
  const [identity, template, { helm, helmChoice, chart, provedChart, choices: tools, warnings: ofTools }] =
    await Promise.all([
      identityOf(inputs, found, installed),
      decideTemplate({
        inputs,
        facts,
        templateVersion: found.adopted?.adoption.templateVersion,
        record: found.record,
        aws,
        settings,
        adaptation: {
          clusterName: cluster.name,
          nodeRoleName: inputs.nodeRoleName,
          nodeRolePolicies: inputs.nodeRolePolicies,
          permissionsBoundary: boundaryArn(permissionsBoundary),
          others
        },
        fetchText: fetchText(ports, step.signal),
        readFile: ports.readFile
      }),
      knownChart === undefined ? helmAndChart(work, version) : helmAlone(work, knownChart)
    ])
  const refused = inputs.mode === 'uninstall' ? undefined : tooLong(template.text)
  if (refused !== undefined) throw refused
  const { stack, statements } = template
  const queueName =
    inputs.interruptionQueue.kind === 'named'
      ? inputs.interruptionQueue.name
      : inputs.interruptionQueue.kind === 'stack'
        ? stack.queue?.name
        : undefined
  const controllerRoleArn = iamArn(aws.account, `role/${inputs.controllerRoleName}`)
  const adoptedReason = found.adopted === undefined ? undefined : 'as it was found'
  const choices = {
    Karpenter: inputs.mode === 'uninstall' ? `${version} (${reason})` : choiceText(reason, facts, statements),
    'Controller identity': `${identity.strategy} (${adoptedReason ?? identity.reason})`,
    ...(usedRole !== undefined && {
      'Node role': `${inputs.nodeRoleName} (there already, ${usedRole.who}: used as it is, and never changed or removed)`
    }),
    'Node access': `${nodeAccess.strategy} (${adoptedReason ?? nodeAccess.reason})`,
    Template: template.origin,
    ...tools
  }
  const untested = asksAsInstall(inputs.mode) ? untestedWarning(facts, statements) : undefined
  const formerRole = formerRoleWarning(inputs, found.record, stack.nodeRole.arn)
  for (const [name, choice] of Object.entries(choices)) step.note(`${name}: ${choice}`)
  return {
    version,
    installed,
    facts,
    statements,
    permissionsBoundary,
    ownPolicies: template.own,
    publishedPolicies: (of) => renderTemplate(builtInTemplateText(of), settings).policies,
    standing: template.standing,
    identity: identity.strategy,
    nodeAccess: nodeAccess.strategy,
    template: template.text,
    templateOrigin: template.origin,
    stack,
    queueName,
    controllerRoleArn,
    chart,
    provedChart,
    helm,
    helmChoice,
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
    warnings: [
      ...(untested === undefined ? [] : [untested]),
      ...(formerRole === undefined ? [] : [formerRole]),
      ...ofTools,
      ...manifests.warnings
    ]
  }
}

/** One that this action has set stays as well until `none` is asked for. */
function wantedBoundary({ permissionsBoundary }: Inputs, { record }: Discovery): WantedBoundary {
  if (permissionsBoundary !== undefined) return permissionsBoundary
  const recorded = recordedControllerRole(record).permissionsBoundary
  return recorded === noBoundary ? undefined : recorded
}

/** The ARN of a queue of the account, by its name alone. */
function othersParts({ aws, adopted }: Discovery, usedRoleArn: string | undefined): OthersParts {
  const { nodeRoleArn = usedRoleArn, queueName, policyArns } = adopted?.adoption.others ?? {}
  const { partition, region, id } = aws.account
  return {
    ...(nodeRoleArn !== undefined && { nodeRoleArn }),
    ...(queueName !== undefined && { queueArn: `arn:${partition}:sqs:${region}:${id}:${queueName}` }),
    ...(policyArns !== undefined && { policyNames: policyArns.map((arn) => arn.split('/').at(-1) ?? '') })
  }
}

async function identityOf(
  inputs: Inputs,
  found: Discovery,
  version: string | undefined
): Promise<ReturnType<typeof chooseControllerIdentity>> {
  const installed = version === undefined ? undefined : await installedIdentity(inputs, found)
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

/** The record says how the installed controller gets its role: its model had one of two resources. Else what is there does. */
async function installedIdentity(
  { controllerIdentity, namespace }: Inputs,
  { record, identityOf: found }: Discovery
): Promise<ControllerIdentityStrategy | undefined> {
  if (record !== undefined) return isRecorded(record, idOf.podIdentityAssociation) ? 'pod-identity' : 'irsa'
  return controllerIdentity === 'auto' ? (await found(namespace))?.strategy : undefined
}

async function manifestsOf(
  inputs: Inputs,
  { adopted, cluster: { kubernetesVersion }, kubernetes, subnets, securityGroups }: Discovery
): Promise<Pick<Decisions, 'nodePools' | 'nodeClasses' | 'warnings'>> {
  const ids = { subnets: subnets.map(({ id }) => id), securityGroups: securityGroups.map(({ id }) => id) }
  const settings = {
    clusterName: inputs.clusterName,
    nodeRoleName: inputs.nodeRoleName,
    tags: inputs.tags,
    ...(inputs.discovery === 'ids' && { ids })
  }
  switch (inputs.nodePools.kind) {
    case 'none':
      return { nodePools: [], nodeClasses: [], warnings: [] }
    case 'default':
      return { ...asTheyAre(adopted, settings), warnings: [] }
    case 'manifests': {
      const { texts } = inputs.nodePools
      // A removal goes by names, so what an older manifest refers to does not matter to it.
      const asks =
        inputs.mode !== 'uninstall' && texts.some(({ text }) => /\b(Provisioner|v1beta1)\b/.test(text))
      const live = asks
        ? (await kubernetes.pick(ec2NodeClasses, ({ metadata }) => metadata.name, { metadataOnly: true }))
            .items
        : undefined
      return readManifests(texts, {
        ...settings,
        kubernetesVersion,
        liveNodeClasses: live
      })
    }
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
