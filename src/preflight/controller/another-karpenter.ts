import type { Controller, ReleaseName } from '../../helm/release.js'
import type { Check, Finding } from '../finding.js'
import { type CrdFacts, crdFindings } from '../older-crds.js'
import { type WebhookFacts, webhookFindings } from '../older-webhooks.js'

export interface AnotherKarpenterFacts extends CrdFacts {
  readonly namespace: string
  readonly releaseName: string
  /** With anything but `auto` whose the CRDs are to be is said already. */
  readonly crdsChoice: 'auto' | 'take-over' | 'leave'
  readonly controllers: readonly Controller[]
  readonly releases: () => Promise<readonly ReleaseName[]>
  readonly webhooks: () => Promise<readonly WebhookFacts[]>
}

/** Two controllers on one set of NodePools undo each other's work; CRDs of another age refuse each other's objects. */
export function anotherKarpenter(facts: AnotherKarpenterFacts): Check {
  return {
    name: 'another-karpenter',
    run: async () => {
      const [releases, crds, webhooks] = await Promise.all([
        facts.releases(),
        crdFindings(facts),
        facts.webhooks()
      ])
      return [
        ...others(facts),
        ...releasesOf(releases, facts),
        ...crds,
        ...webhookFindings(webhooks, facts.karpenterVersion)
      ]
    }
  }
}

function others({ namespace, releaseName, controllers }: AnotherKarpenterFacts): Finding[] {
  return controllers
    .filter(
      ({ release }) =>
        release === undefined || release.name !== releaseName || release.namespace !== namespace
    )
    .map(({ namespace: there, deployment, version, release }) => ({
      check: 'another-karpenter',
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
function releasesOf(releases: readonly ReleaseName[], facts: AnotherKarpenterFacts): Finding[] {
  const { namespace, releaseName, controllers } = facts
  const finding = (of: ReleaseName, problem: string, fix: string): Finding => ({
    check: 'another-karpenter',
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
        if (facts.crdsChoice !== 'auto') return []
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
