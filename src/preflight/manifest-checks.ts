import type { Check } from './index.js'
import type { Checked, SharedReads } from './checks.js'
import { releaseName } from '../plan/decisions.js'
import { changes } from '../engine/changes.js'
import type { SelectorTerm } from '../karpenter/types.js'
import { ec2NodeClasses } from '../kubernetes/kinds.js'
import { listField, type Manifest, textField } from '../kubernetes/manifest.js'
import { amiAlias } from './nodes/ami-alias.js'
import { controllerOnOwnNodes } from './controller/controller-on-own-nodes.js'
import { controllerPodOf, profileFor } from './controller/fargate-profiles.js'
import { describedTypes, offeredTypes, onceEach } from './reads/instance-type-reads.js'
import { manifestDryRun } from './nodes/manifest-dry-run.js'
import { nodeClassImages } from './nodes/node-class-images.js'
import {
  anyImage,
  instanceProfile,
  nodeRole,
  securityGroupsByTerm,
  type SubnetFound,
  subnetsByTerm
} from './reads/node-class-reads.js'
import { nodeClassReference } from './nodes/node-class-reference.js'
import { nodeClassRole } from './nodes/node-class-role.js'
import { nodeClassSelectors, takes, termOf } from './nodes/node-class-selectors.js'
import { nodePoolRequirements, type Zone } from './nodes/node-pool-requirements.js'
import { publishedParameters } from './reads/reads.js'
import { refusals } from '../resources/dry-run.js'

/** What can be wrong with the NodePools and EC2NodeClasses. */
export function checksOfManifests(
  checked: Checked,
  { othersDocuments, profiles }: SharedReads
): readonly Check[] {
  const { found, decisions } = checked
  const { cluster, subnets, securityGroups, aws, kubernetes } = found
  const { nodeClasses, nodePools, stack, values, version, chart } = decisions
  const [subnetsBy, groupsBy] = [subnetsByTerm(aws), securityGroupsByTerm(aws)]
  return [
    nodeClassSelectors({
      clusterName: cluster.name,
      nodeClasses,
      subnets,
      securityGroups,
      find: async (kind, term) =>
        kind === 'subnets' ? (await subnetsBy(term)).map(({ id }) => id) : groupsBy(term)
    }),
    amiAlias({
      nodeClasses,
      kubernetes: cluster.kubernetesVersion,
      published: publishedParameters(aws)
    }),
    manifestDryRun({
      manifests: [...nodeClasses, ...nodePools],
      crds: chart.crds,
      karpenterVersion: version,
      crdsChange: async () =>
        checked.inspections.then(
          (inspections) => changes(inspections, 'crds'),
          () => false
        ),
      refusals: async (manifests) => refusals(kubernetes, manifests)
    }),
    controllerOnOwnNodes({
      nodePools,
      values,
      onFargate: async () => {
        const read = await profiles()
        const pod = controllerPodOf({ namespace: checked.inputs.namespace, releaseName, values })
        return read.state === 'read' && profileFor(read.items, pod) !== undefined
      }
    }),
    ...(checked.inputs.nodePools.kind === 'manifests'
      ? [
          nodeClassRole({
            nodeClasses,
            stack,
            othersDocuments,
            role: nodeRole(aws),
            profile: instanceProfile(aws)
          }),
          nodeClassImages({ nodeClasses, anyImage: anyImage(aws) }),
          ...ofNodePools(checked, subnetsBy)
        ].map((check) => onChanges(check, checked))
      : [])
  ]
}

function ofNodePools(
  { inputs, found, decisions }: Checked,
  subnetsBy: (term: SelectorTerm) => Promise<readonly SubnetFound[]>
): readonly Check[] {
  const { aws, kubernetes, subnets, cluster } = found
  const { nodePools, nodeClasses, values } = decisions
  const nodeClass = onceEach(
    async (name: string) =>
      nodeClasses.find(({ metadata }) => metadata.name === name) ?? kubernetes.get(ec2NodeClasses, name)
  )
  const zones = async (of: Manifest): Promise<readonly Zone[]> => {
    const terms = listField(of, 'spec', 'subnetSelectorTerms').map(termOf)
    const own = subnets.filter((subnet) => terms.some((term) => takes(term, subnet, cluster.name)))
    const found = await Promise.all(terms.map(async (term) => subnetsBy(term)))
    return [
      ...own.map(({ availabilityZone, availabilityZoneId }) => ({
        name: availabilityZone,
        id: availabilityZoneId
      })),
      ...found.flat().map(({ zone }) => zone)
    ]
  }
  return [
    nodeClassReference({ nodePools, nodeClass }),
    nodePoolRequirements({
      nodePools,
      region: inputs.region,
      minValuesPolicy:
        textField(values, 'settings', 'minValuesPolicy') === 'BestEffort' ? 'BestEffort' : 'Strict',
      nodeClass,
      zones,
      offered: offeredTypes(aws),
      described: describedTypes(aws)
    })
  ]
}

/** What a run that changes nothing was told by the run that installed need not be asked again. */
function onChanges(check: Check, { inspections }: Checked): Check {
  return { ...check, run: async () => (changes(await inspections) ? check.run() : []) }
}
