import { instanceEnds, instanceGroups, instanceStates } from '../aws/instance-states.js'
import { reach, type Reached } from '../plan/discovery.js'
import { UserError } from '../engine/errors.js'
import type { Step } from '../engine/resource.js'
import { type Controller, findScalers } from '../helm/release.js'
import { withLock } from '../plan/record-keeper.js'
import { noteSmokeTests, testedText, versionsOf } from './install-notes.js'
import { ownershipOf, type Run, stage } from '../run/run.js'
import { proveScaling } from '../smoke-test/prove-scaling.js'

/** Mode smoke-test: the proof that nodes come and go, on an installation that is there. Its own objects are all it writes. */
export async function smokeTest(run: Run): Promise<void> {
  const { inputs, session } = run
  const test = inputs.smokeTest
  if (test === undefined) throw new Error('mode smoke-test: the inputs hold no smoke test')
  const { aws, kubernetes } = await stage(run, 'Discover', async (step) => {
    const reached = await reach(inputs, session, step)
    noteInstalled(run, reached, await installedController(run, reached, step))
    return reached
  })
  await withLock(run, kubernetes, async ({ smokeTestBegins }) => {
    smokeTestBegins()
    await stage(run, 'Smoke test', async (step) =>
      proveScaling(
        {
          test,
          otherwise: { kind: 'every' },
          namespace: inputs.namespace,
          kubernetes,
          instanceStates: instanceStates(aws),
          instanceEnds: instanceEnds(aws),
          instanceGroups: instanceGroups(aws),
          ownership: ownershipOf(run),
          tested: (results) => noteSmokeTests(run, results)
        },
        step
      )
    )
  })
}

async function installedController(run: Run, { kubernetes }: Reached, step: Step): Promise<Controller> {
  const { namespace } = run.inputs
  const { controllers: all } = await findScalers(kubernetes)
  const controller = all.find((one) => one.namespace === namespace)
  if (controller === undefined) {
    const elsewhere = all.map((one) => one.namespace).join(', ')
    throw new UserError(
      'namespace',
      elsewhere === ''
        ? 'the cluster has no Karpenter'
        : `${namespace} has no Karpenter; there is one in ${elsewhere}`,
      elsewhere === ''
        ? 'Run mode install first.'
        : `Pass \`namespace\`: ${elsewhere}, or run mode install first.`
    )
  }
  step.note(`Karpenter: ${controller.version}, Deployment ${namespace}/${controller.deployment}`)
  return controller
}

function noteInstalled(run: Run, { aws, cluster }: Reached, { version }: Controller): void {
  const { ledger, outputs } = run
  ledger.cluster({ account: aws.account.id, kubernetesVersion: cluster.kubernetesVersion })
  ledger.karpenter(versionsOf(version))
  outputs['karpenter-version'] = version
  outputs['karpenter-tested'] = testedText(version)
  outputs['kubernetes-version'] = cluster.kubernetesVersion
}
