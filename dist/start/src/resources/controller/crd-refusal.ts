import type { Difference } from '../../engine/difference.js'
import { UserError } from '../../engine/errors.js'
import type { Manifest } from '../../kubernetes/manifest.js'
import { type CrdKeeper, keeperText } from './crd-keeper.js'
import { namedFew } from '../removal/stuck-removal.js'
import { ourName } from '../../engine/owner.js'

/** Where Karpenter publishes its CRDs as a chart of their own. */
const crdChart = 'oci://public.ecr.aws/karpenter/karpenter-crd'

/** How whoever keeps CRDs brings them to a version. */
export function howToUpgrade(keeper: CrdKeeper | undefined, version: string): string {
  if (keeper === undefined)
    return `helm upgrade --install karpenter-crd ${crdChart} --version ${version}, or pass \`crds: auto\``
  const { release, who } = keeper
  return release === undefined || !who.startsWith('Helm release ')
    ? `give ${who} the CRDs of ${version} in its source`
    : `helm upgrade ${release.name} ${crdChart} --version ${version} -n ${release.namespace}`
}

/** Why CRDs that somebody keeps are not written: with `auto`, when they are not as wanted. */
export function refusalToWrite(
  different: readonly Manifest[],
  keepers: ReadonlyMap<string, CrdKeeper>,
  version: string
): UserError | undefined {
  const kept = different.flatMap(({ metadata: { name } }) => {
    const keeper = keepers.get(name)
    return keeper === undefined ? [] : [{ name, keeper }]
  })
  const [first] = kept
  if (first === undefined) return undefined
  const names = namedFew(kept.map(({ name }) => name))
  return new UserError(
    'crds',
    `${names} ${kept.length === 1 ? 'is' : 'are'} not of Karpenter ${version}, and ${keeperText(first.keeper)} keeps them`,
    [
      'Two ways out:',
      `- \`crds: take-over\`: this action upgrades them from now on, and ${first.keeper.who} can no longer take them away;`,
      `- \`crds: leave\`, after: ${howToUpgrade(first.keeper, version)}.`
    ].join('\n'),
    { state: 'Nothing was changed.' }
  )
}

/** A release that has more than CRDs would lose its hold on all of it with its record. */
export function refusalToTakeOver(keepers: ReadonlyMap<string, CrdKeeper>): UserError | undefined {
  for (const { release } of keepers.values()) {
    if (release === undefined || release.others.length === 0) continue
    return new UserError(
      'crds',
      `take-over: Helm release ${release.namespace}/${release.name} has more than Karpenter's CRDs (${namedFew(release.others)}), so its record cannot be removed, and with it a helm uninstall would delete them`,
      `Take the CRDs out of its chart first, with the annotation helm.sh/resource-policy: keep on them in the version before; or pass \`crds: leave\`.`,
      { state: 'Nothing was changed.' }
    )
  }
  return undefined
}

/** The difference of a CRD that is to be ours and that somebody keeps. */
export function notTakenOver({ metadata: { name } }: Manifest, keeper: CrdKeeper): Difference {
  return {
    path: `${name}.owner`,
    wanted: ourName,
    live: keeper.who,
    reason: `CRD ${name} is kept by ${keeperText(keeper)}`,
    severity: 'cosmetic'
  }
}
