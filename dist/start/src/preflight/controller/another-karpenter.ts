import type { ReleaseName } from '../../helm/release.js'
import { retiredCrds } from '../../karpenter/crd-names.js'
import type { Facts } from '../facts.js'
import type { Concern } from '../finding.js'
import { crdConcerns } from '../older-crds.js'
import { webhookConcerns } from '../older-webhooks.js'

type AnotherKarpenterFacts = Pick<
  Facts,
  | 'namespace'
  | 'releaseName'
  | 'crds'
  | 'version'
  | 'controllers'
  | 'changes'
  | 'releases'
  | 'crd'
  | 'replacingCrds'
  | 'objectsOf'
  | 'webhooks'
>

/** Two controllers on one set of NodePools undo each other's work; CRDs of another age refuse each other's objects. */
export async function anotherKarpenter(facts: AnotherKarpenterFacts): Promise<readonly Concern[]> {
  // A run that changes nothing need not ask again.
  if (!(await facts.changes())) return others(facts)
  // Of today's CRDs those that may be of another version.
  const todays = (await facts.replacingCrds()).map(({ metadata }) => metadata.name)
  const [releases, crds, webhooks] = await Promise.all([
    facts.releases(),
    crdConcerns([...retiredCrds, ...todays], facts),
    facts.webhooks()
  ])
  return [
    ...others(facts),
    ...releasesOf(releases, facts),
    ...crds,
    ...webhookConcerns(webhooks, facts.version)
  ]
}

function others({ namespace, releaseName, controllers }: AnotherKarpenterFacts): Concern[] {
  return controllers
    .filter(
      ({ release }) =>
        release === undefined || release.name !== releaseName || release.namespace !== namespace
    )
    .map(({ namespace: there, deployment, version, release }) => ({
      level: 'error',
      subject: there === namespace ? `Deployment ${there}/${deployment}` : 'namespace',
      problem: `Karpenter${version === '' ? '' : ` ${version}`} is already installed in namespace ${there}`,
      evidence: `Deployment ${there}/${deployment}, ${
        release === undefined ? 'not installed by helm' : `helm release ${release.namespace}/${release.name}`
      }`,
      fix:
        release?.name === releaseName
          ? `To take it over and keep it there, pass \`namespace: ${release.namespace}\`; to start anew, remove it first (helm uninstall ${release.name} -n ${release.namespace}).`
          : release === undefined
            ? `Remove it first: kubectl delete deployment ${deployment} -n ${there}`
            : `Remove it first: helm uninstall ${release.name} -n ${release.namespace}`
    }))
}

/** Releases without a controller of theirs: of the CRDs alone, or what a failed install has left. */
function releasesOf(releases: readonly ReleaseName[], facts: AnotherKarpenterFacts): Concern[] {
  const { namespace, releaseName, controllers } = facts
  const finding = (of: ReleaseName, problem: string, fix: string): Concern => ({
    level: 'warning',
    subject: `helm release ${of.namespace}/${of.name}`,
    problem,
    evidence: `status ${of.status}`,
    fix
  })
  return releases
    .filter((one) => one.name !== releaseName || one.namespace !== namespace)
    .flatMap((one) => {
      if (one.name === 'karpenter-crd') {
        if (facts.crds !== 'auto') return []
        return [
          finding(
            one,
            "owns Karpenter's CRDs: its next upgrade puts its own version of them back, and helm uninstall would delete them and every NodePool with them",
            'Pass `crds: leave` and upgrade it before this action, or `crds: take-over`, which removes its record.'
          )
        ]
      }
      const running = controllers.some(
        ({ release }) => release?.name === one.name && release.namespace === one.namespace
      )
      return running
        ? []
        : [
            finding(
              one,
              'has no controller: an install that failed, or was left half removed',
              `Remove what is left of it: helm uninstall ${one.name} -n ${one.namespace}`
            )
          ]
    })
}
