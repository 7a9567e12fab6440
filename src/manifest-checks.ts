import type { Check } from './preflight/index.js'
import type { Checked } from './checks.js'
import { releaseName } from './decisions.js'
import { changes } from './engine/changes.js'
import { ec2NodeClasses } from './kubernetes/kinds.js'
import { listField, type Manifest, textField } from './kubernetes/manifest.js'
import { amiAlias } from './preflight/ami-alias.js'
import { controllerOnOwnNodes } from './preflight/controller-on-own-nodes.js'
import { controllerPodOf, fargateProfiles, profileFor } from './preflight/fargate-profiles.js'
import { describedTypes, offeredTypes, onceEach } from './preflight/instance-type-reads.js'
import { manifestDryRun } from './preflight/manifest-dry-run.js'
import { nodeClassImages } from './preflight/node-class-images.js'
import { anyImage, instanceProfile, nodeRole, zonesByTerm } from './preflight/node-class-reads.js'
import { nodeClassReference } from './preflight/node-class-reference.js'
import { nodeClassRole, type NodeClassRoleFacts } from './preflight/node-class-role.js'
import { nodeClassSelectors, takes, termOf } from './preflight/node-class-selectors.js'
import { nodePoolRequirements, type Zone } from './preflight/node-pool-requirements.js'
import { findByTerm, publishedParameters } from './preflight/reads.js'
import { refusals } from './resources/dry-run.js'

/** What can be wrong with the NodePools and EC2NodeClasses. */
export function checksOfManifests(
  checked: Checked,
  othersDocuments: NodeClassRoleFacts['othersDocuments']
): readonly Check[] {
  const { found, decisions } = checked
  const { cluster, subnets, securityGroups, aws, kubernetes } = found
  const { nodeClasses, nodePools, stack, values, version, chart } = decisions
  return [
    nodeClassSelectors({
      clusterName: cluster.name,
      nodeClasses,
      subnets,
      securityGroups,
      find: findByTerm(aws)
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
        const profiles = await fargateProfiles(aws, cluster.name)()
        const pod = controllerPodOf({ namespace: checked.inputs.namespace, releaseName, values })
        return profiles.state === 'read' && profileFor(profiles.items, pod) !== undefined
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
          ...ofNodePools(checked)
        ].map((check) => onChanges(check, checked))
      : [])
  ]
}

function ofNodePools({ inputs, found, decisions }: Checked): readonly Check[] {
  const { aws, kubernetes, subnets, cluster } = found
  const { nodePools, nodeClasses, values } = decisions
  const byTerm = onceEach(zonesByTerm(aws))
  const nodeClass = onceEach(
    async (name: string) =>
      nodeClasses.find(({ metadata }) => metadata.name === name) ?? kubernetes.get(ec2NodeClasses, name)
  )
  const zones = async (of: Manifest): Promise<readonly Zone[]> => {
    const terms = listField(of, 'spec', 'subnetSelectorTerms').map(termOf)
    const own = subnets.filter((subnet) => terms.some((term) => takes(term, subnet, cluster.name)))
    const found = await Promise.all(terms.map(async (term) => byTerm(term)))
    return [
      ...own.map(({ availabilityZone, availabilityZoneId }) => ({
        name: availabilityZone,
        id: availabilityZoneId
      })),
      ...found.flat()
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
