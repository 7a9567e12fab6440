import { stdout } from 'node:process'
import { holdPublished } from '../cluster/deployer-policy.js'
import { otherHand } from './edits.js'
import { newest, startSandbox, type ActionResult, type Sandbox } from '../index.js'

/** Kubernetes and Karpenter of the demo; its node group, VPC and role are the sandbox's own. */
const cluster = {
  name: 'demo',
  region: 'eu-west-1',
  kubernetesVersion: '1.35',
  authenticationMode: 'API'
} as const

const say = (line: string): void => void stdout.write(`${line}\n`)

/** What each step of the demo is, as a workflow would have it. */
const install = {
  'karpenter-version': newest,
  'smoke-test-replicas': '3',
  'smoke-test-one-per-node': 'true'
}
const check = { ...install, mode: 'check' }
const repair = { ...install, 'smoke-test': 'false' }
const uninstall = { mode: 'uninstall', 'remove-crds': 'true' }

/** The life of an installation: install, check, edits by another hand, check, repair, uninstall. */
async function demo(): Promise<void> {
  say(
    'Starting an EKS cluster on this machine. The first time builds it, which takes about ten minutes; then seconds.'
  )
  const sandbox = await startSandbox({ ...cluster, log: say })
  const stop = (): void => void sandbox.stop().then(() => process.exit(130))
  process.once('SIGINT', stop)
  try {
    say(`Cluster ${cluster.name} is up: Kubernetes ${cluster.kubernetesVersion}, no Karpenter.`)
    await step(sandbox, 'mode install', install, 'success')
    await step(sandbox, 'mode check, straight after it', check, 'success')
    say('\n=== Another hand ===\n')
    for (const edit of otherHand(sandbox)) {
      await edit.make()
      say(edit.what)
    }
    await step(sandbox, 'mode check again: it fails, and says who did what', check, 'failure')
    await step(sandbox, 'mode install puts it right', repair, 'success')
    await holdPublished(sandbox, 'uninstall')
    await step(sandbox, 'mode uninstall takes it away, and proves it', uninstall, 'success')
  } finally {
    process.off('SIGINT', stop)
    await sandbox.stop()
  }
}

/** One run of the action, as a workflow's step would show it: the log, then the job summary and the outputs. */
async function step(
  sandbox: Sandbox,
  title: string,
  inputs: Readonly<Record<string, string>>,
  conclusion: ActionResult['conclusion']
): Promise<void> {
  say(`\n=== ${title} ===\n`)
  const result = await sandbox.run(inputs, { onLine: say })
  const outputs = Object.entries(result.outputs).map(([name, value]) => `  ${name}=${value}`)
  say(`\nThe step ended: ${result.conclusion}. Its job summary:\n\n${result.summary}`)
  say(`Outputs:\n${outputs.join('\n')}`)
  if (result.conclusion !== conclusion)
    throw new Error(`${title}: ended with ${result.conclusion}, not ${conclusion}`)
}

await demo()
