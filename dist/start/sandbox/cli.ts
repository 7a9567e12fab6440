import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { kubernetesVersions } from './control-plane/index.js'
import { startSandbox, type SandboxSpec } from './index.js'

const USAGE = `npm run sandbox -- [options]
  --name NAME             cluster name (eksworkshop)
  --region REGION         cn-... and us-gov-... are in their own partitions (ap-northeast-2)
  --kubernetes VERSION    ${kubernetesVersions.join(', ')} (1.34)
  --authentication MODE   API, API_AND_CONFIG_MAP or CONFIG_MAP (API_AND_CONFIG_MAP)
  --public-subnets N      (3)
  --private-subnets N     (3)
  --nodes N               nodes of the managed node group (2)
  --help
Ctrl-C stops it and leaves nothing behind.`

const MODES = ['API', 'API_AND_CONFIG_MAP', 'CONFIG_MAP'] as const

function specOf(values: Readonly<Record<string, string | boolean | undefined>>): SandboxSpec {
  const word = (name: string): string | undefined => {
    const value = values[name]
    return typeof value === 'string' ? value : undefined
  }
  const choice = <Choice extends string>(name: string, choices: readonly Choice[], usual: Choice): Choice => {
    const given = word(name) ?? usual
    const found = choices.find((one) => one === given)
    if (found === undefined) {
      throw new Error(`--${name}: "${given}" is none of ${choices.join(', ')}`)
    }
    return found
  }
  const count = (name: string, usual: number): number => {
    const given = Number(word(name) ?? usual)
    if (!Number.isInteger(given) || given < 0) {
      throw new Error(`--${name}: "${word(name) ?? ''}" is no count`)
    }
    return given
  }
  return {
    name: word('name') ?? 'eksworkshop',
    region: word('region') ?? 'ap-northeast-2',
    kubernetesVersion: choice('kubernetes', kubernetesVersions, '1.34'),
    authenticationMode: choice('authentication', MODES, 'API_AND_CONFIG_MAP'),
    publicSubnets: count('public-subnets', 3),
    privateSubnets: count('private-subnets', 3),
    nodeGroup: { name: 'managed', count: count('nodes', 2), instanceType: 'm5.large', zones: 2 },
    log: (line) => console.error(line)
  }
}

async function main(): Promise<void> {
  const option = { type: 'string' } as const
  const { values } = parseArgs({
    options: {
      name: option,
      region: option,
      kubernetes: option,
      authentication: option,
      'public-subnets': option,
      'private-subnets': option,
      nodes: option,
      help: { type: 'boolean' }
    }
  })
  if (values.help === true) {
    console.log(USAGE)
    return
  }
  const sandbox = await startSandbox(specOf(values))
  const session = sandbox.cloud.credentialsFor(sandbox.deployerRoleArn, 12 * 3600)
  const lines: Readonly<Record<string, string>> = {
    ...sandbox.env,
    AWS_ACCESS_KEY_ID: session.accessKeyId,
    AWS_SECRET_ACCESS_KEY: session.secretAccessKey,
    AWS_SESSION_TOKEN: session.sessionToken,
    KUBECONFIG: sandbox.controlPlane.kubeconfigPath
  }
  console.error(
    [
      `${sandbox.name} in ${sandbox.region}, started in ${(sandbox.startedIn / 1000).toFixed(1)} s`,
      `  API server       ${sandbox.controlPlane.endpoint}`,
      `  AWS              ${sandbox.cloud.url}`,
      `  chart            ${sandbox.published.chart}`,
      `  chart-trust-root ${sandbox.published.trustRootPath}`,
      `  helm             ${sandbox.built.helm.binary}`,
      `  nodes            ${sandbox.nodes.names().join(', ')}`,
      `  deployer's role  ${sandbox.deployerRoleArn}`,
      'To use it from another shell (kubectl and helm take KUBECONFIG):'
    ].join('\n')
  )
  console.log(
    Object.entries(lines)
      .map(([name, value]) => `export ${name}='${value}'`)
      .join('\n')
  )
  console.error('Ctrl-C stops it.')
  const ending = new AbortController()
  const { signal } = ending
  await Promise.race([once(process, 'SIGINT', { signal }), once(process, 'SIGTERM', { signal })])
  ending.abort()
  await sandbox.stop()
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
})
