import { ensurePeers, type Peers } from '../../sandbox/build/peers.js'
import { newest, type Sandbox, startSandbox } from '../../sandbox/index.js'
import type { Figure } from '../figure.js'
import { measure } from '../measure.js'
import { roundTrips, startSlowNetwork } from '../slow-network.js'
import { compared, type Took } from './compared.js'
import { machinePath, sitDown } from './guide.js'

/** Milliseconds that a resource of a stack takes, and how often each side installs at that. */
const paces = [
  { pace: 100, rounds: 2 },
  { pace: 10_000, rounds: 1 }
] as const
const inputs = { 'karpenter-version': newest, template: 'built-in', 'smoke-test': 'false' }

type Side = (sandbox: Sandbox, env: Readonly<Record<string, string>>) => Promise<Took>

/** The guide's script and the action, each on fresh clusters and by turns, on the slow network. */
export async function versusGuide(log: (line: string) => void): Promise<readonly Figure[]> {
  const peers = await ensurePeers(log)
  const circumstances = `${roundTrips.aws} ms to AWS, ${roundTrips.kubernetes} ms to the cluster; the script by ${peers.titles.join(', ')}`
  const figures: Figure[] = []
  for (const { pace, rounds } of paces) {
    const script: Took[] = []
    const action: Took[] = []
    for (let round = 0; round < rounds; round += 1) {
      const turns = [
        async () => script.push(await onFreshCluster(pace, log, byScript(peers))),
        async () => action.push(await onFreshCluster(pace, log, byAction))
      ]
      for (const turn of round % 2 === 0 ? turns : turns.toReversed()) await turn()
      log(`versus: round ${round + 1} of ${rounds} at ${pace / 1000} s a stack resource is done`)
    }
    figures.push(...compared({ pace, action, script, circumstances }))
  }
  return figures
}

async function onFreshCluster(stackPace: number, log: (line: string) => void, side: Side): Promise<Took> {
  const sandbox = await startSandbox({
    name: 'bench-versus',
    kubernetesVersion: '1.35',
    authenticationMode: 'API',
    stackPace,
    log
  })
  const network = await startSlowNetwork(sandbox)
  try {
    return await side(sandbox, network.env)
  } finally {
    await network.stop()
    await sandbox.stop()
  }
}

function byScript(peers: Peers): Side {
  return async (sandbox, env) => {
    const desk = await sitDown(sandbox, peers)
    try {
      return { install: await desk.run(env), unchanged: await desk.run(env) }
    } finally {
      desk.leave()
    }
  }
}

const byAction: Side = async (sandbox, env) => {
  const seconds = async (): Promise<number> => {
    const { result } = await measure(sandbox, inputs, { env, path: machinePath(sandbox) })
    return result.milliseconds / 1000
  }
  return { install: await seconds(), unchanged: await seconds() }
}
