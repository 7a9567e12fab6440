import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { load } from 'js-yaml'
import { REPOSITORY } from '../sandbox/cluster/run.js'
import type { Sandbox } from '../sandbox/index.js'
import { list, record } from '../sandbox/values.js'

/** What a command of docs/permissions/README.md hands to `aws cloudformation deploy`. */
export interface Deployment {
  readonly stackName: string
  readonly parameters: Readonly<Record<string, string>>
}

/**
 * Runs the command of docs/permissions/README.md as it stands there, with the three names of its first line filled in and
 * `aws` and `gh` played for the sandbox's cluster and repository. `mode`: another one of its table.
 */
export async function byReadme(sandbox: Sandbox, mode = 'install'): Promise<Deployment> {
  const [owner = '', repository = ''] = REPOSITORY.repository.split('/')
  const readme = await readFile('docs/permissions/README.md', 'utf8')
  const [, block = ''] = /```bash\n(cluster=[^]*?)```/.exec(readme) ?? []
  const command = block
    .replace(/^.*\n/, `cluster=${sandbox.name} owner=${owner} repository=${repository}\n`)
    .replace('Mode=install ', `Mode=${mode} `)
    .replaceAll('role-of-', mode === 'install' ? 'role-of-' : `${mode}-of-`)
  const folder = await mkdtemp(join(tmpdir(), 'readme-'))
  try {
    const given = join(folder, 'given')
    await stub(join(folder, 'aws'), aws(sandbox, given))
    await stub(join(folder, 'gh'), gh(owner, repository))
    const env = { PATH: `${folder}:${process.env['PATH'] ?? ''}` }
    await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', command], { env })
    return deploymentOf((await readFile(given, 'utf8')).split('\n'))
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** The job of README.md's first workflow: its environment, and the inputs that it gives to the action. */
export function workflowOfReadme(): { readonly environment: string; readonly inputs: readonly string[] } {
  const [, workflow = ''] = /```yaml\n([^]*?)```/.exec(readFileSync('README.md', 'utf8')) ?? []
  const job = record(record(record(load(workflow))['jobs'])['karpenter'])
  const [step] = list(job['steps']).map(record)
  return { environment: String(job['environment']), inputs: Object.keys(record(step?.['with'])) }
}

async function stub(path: string, lines: readonly string[]): Promise<void> {
  await writeFile(
    path,
    ['#!/bin/bash', 'set -eu', ...lines, 'echo "not played: $*" >&2', 'exit 1', ''].join('\n')
  )
  await chmod(path, 0o755)
}

/** As the CLI answers with `--output text`; what it is given to deploy is kept, an argument a line. */
function aws(sandbox: Sandbox, given: string): readonly string[] {
  const { issuer, vpcId } = sandbox.cloud.eks.cluster(sandbox.name)
  const providers = sandbox.cloud.iam.oidcProviders
    .values()
    .map(({ arn }) => `OPENIDCONNECTPROVIDERLIST\t${arn}`)
  const describe = `eks describe-cluster --name ${sandbox.name} --query cluster.`
  const answer = (query: string, text: string): string =>
    `[ "$*" = '${query} --output text' ] && echo '${text}' && exit`
  return [
    answer(`${describe}resourcesVpcConfig.vpcId`, vpcId),
    answer(`${describe}identity.oidc.issuer`, issuer),
    `[ "$*" = 'iam list-open-id-connect-providers --output text' ] && echo '${providers.join('\n')}' && exit`,
    `[ "$1 $2" = 'cloudformation deploy' ] && printf '%s\\n' "\${@:3}" > '${given}' && exit`,
    `[ "$1 $2" = 'cloudformation describe-stacks' ] && exit`
  ]
}

/** Its `--jq` has `\(.path)` for what GitHub's API answers of the repository. */
function gh(owner: string, repository: string): readonly string[] {
  const { repositoryId, repositoryOwnerId } = REPOSITORY
  return [
    `[ "$1 $2 $3" = 'api repos/${owner}/${repository} --jq' ] || { echo "not played: $*" >&2; exit 1; }`,
    `echo "$4" | sed -e 's/^"//' -e 's/"$//' -e 's/\\\\(\\.owner\\.id)/${repositoryOwnerId}/' -e 's/\\\\(\\.id)/${repositoryId}/'`,
    'exit'
  ]
}

function deploymentOf(words: readonly string[]): Deployment {
  const from = words.indexOf('--parameter-overrides')
  return {
    stackName: words[words.indexOf('--stack-name') + 1] ?? '',
    parameters: Object.fromEntries(
      words.slice(from + 1).flatMap((word) => {
        const [, name = '', value = ''] = /^(\w+)=(.*)$/.exec(word) ?? []
        return name === '' ? [] : [[name, value]]
      })
    )
  }
}
