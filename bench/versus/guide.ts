import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { runCommand } from '../../sandbox/build/command.js'
import type { Peers } from '../../sandbox/build/peers.js'
import { newest, type Sandbox } from '../../sandbox/index.js'

const script = fileURLToPath(new URL('guide.sh', import.meta.url))
const upstream =
  'website/content/en/preview/getting-started/getting-started-with-karpenter/cloudformation.yaml'

/** Of either side's machine: helm is there, as on GitHub's images. */
export function machinePath({ built }: Sandbox): string {
  return [dirname(built.helm.binary), '/usr/local/bin', '/usr/bin', '/bin'].join(':')
}

/** A machine with the script's programs and somebody's credentials, and the folder that is their home. */
export interface Desk {
  /** Seconds of the guide's script. Throws with what it said when it fails. */
  run(env: Readonly<Record<string, string>>): Promise<number>
  leave(): void
}

/** Sits down with every right in account and cluster. */
export async function sitDown(sandbox: Sandbox, peers: Peers): Promise<Desk> {
  const home = mkdtempSync(join(tmpdir(), 'setup-karpenter-guide-'))
  const { cloud, vpc } = sandbox
  const { arn } = cloud.iam.putRole({
    name: 'platform-engineer',
    trust: { Version: '2012-10-17', Statement: [] },
    attached: [`arn:${cloud.iam.home.partition}:iam::aws:policy/AdministratorAccess`]
  })
  cloud.eks.putAccessEntry(sandbox.name, arn, 'STANDARD', ['AmazonEKSClusterAdminPolicy'])
  const template = join(home, 'cloudformation.yaml')
  writeFileSync(template, await published(sandbox))
  return {
    run: async (env) => {
      const keys = cloud.credentialsFor(arn, 3600)
      const startedAt = performance.now()
      const result = await runCommand('bash', [script], {
        cwd: home,
        env: {
          ...env,
          PATH: [...peers.folders, machinePath(sandbox)].join(':'),
          HOME: home,
          AWS_REGION: sandbox.region,
          AWS_DEFAULT_REGION: sandbox.region,
          AWS_ACCESS_KEY_ID: keys.accessKeyId,
          AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
          AWS_SESSION_TOKEN: keys.sessionToken,
          CLUSTER_NAME: sandbox.name,
          KARPENTER_VERSION: newest,
          KARPENTER_CHART: sandbox.published.chart,
          TEMPLATE: template,
          SUBNETS: vpc.subnets.map(({ id }) => id).join(' '),
          SECURITY_GROUP: vpc.clusterSecurityGroupId
        }
      })
      if (result.kind === 'absent') throw new Error('bench: there is no `bash` on the PATH')
      if (result.code !== 0)
        throw new Error(
          `bench: the guide's script ended with ${result.code}\n${result.stdout}\n${result.stderr}`
        )
      return (performance.now() - startedAt) / 1000
    },
    leave: () => rmSync(home, { recursive: true, force: true })
  }
}

/** Upstream's template of the version, fetched before the clock starts: the action has its own in it. */
async function published(sandbox: Sandbox): Promise<string> {
  const path = `aws/karpenter-provider-aws/v${newest}/${upstream}`
  const answer = await fetch(`${sandbox.published.url}/${path}`)
  if (!answer.ok) throw new Error(`bench: ${path}: ${answer.status}`)
  return answer.text()
}
