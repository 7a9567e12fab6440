import { stdout } from 'node:process'
import { startSandbox } from './index.js'

/** Kubernetes and Karpenter of the demo; its node group, VPC and role are the sandbox's own. */
const cluster = {
  name: 'demo',
  region: 'eu-west-1',
  kubernetesVersion: '1.35',
  authenticationMode: 'API'
} as const

const say = (line: string): void => void stdout.write(`${line}\n`)

/** One install on a sandbox, as a workflow's step would show it: the log, then the job summary. */
async function demo(): Promise<void> {
  say(
    'Starting an EKS cluster on this machine. The first time builds it, which takes about ten minutes; then seconds.'
  )
  const sandbox = await startSandbox({ ...cluster, log: say })
  const stop = (): void => void sandbox.stop().then(() => process.exit(130))
  process.once('SIGINT', stop)
  try {
    say(
      `Cluster ${cluster.name} is up: Kubernetes ${cluster.kubernetesVersion}, no Karpenter. Running the action:\n`
    )
    const result = await sandbox.run(
      { 'karpenter-version': '1.14.0', 'smoke-test-replicas': '3', 'smoke-test-one-per-node': 'true' },
      { onLine: say }
    )
    say(`\nThe step ended: ${result.conclusion}. Its job summary:\n\n${result.summary}`)
    say(
      `Outputs:\n${Object.entries(result.outputs)
        .map(([name, value]) => `  ${name}=${value}`)
        .join('\n')}`
    )
    if (result.conclusion !== 'success') process.exitCode = 1
  } finally {
    process.off('SIGINT', stop)
    await sandbox.stop()
  }
}

await demo()
