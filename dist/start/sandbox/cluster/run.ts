import { randomInt } from 'node:crypto'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Cloud } from '../cloud/index.js'
import type { RunOptions, Sandbox } from '../sandbox.js'
import type { GitHubApi } from '../runner/github-api.js'
import type { IdTokenServer, WorkflowRun } from '../runner/id-token.js'
import { runAction } from '../runner/run-action.js'
import type { SandboxSpec } from './spec.js'

/** The repository whose workflow runs the action, as the published trust policy is filled in for it. */
export const REPOSITORY = {
  repository: 'octo-org/octo-repo',
  repositoryId: '456789123',
  repositoryOwnerId: '65234123'
} as const

export interface RunnerParts {
  readonly spec: SandboxSpec
  /** Of the sandbox, gone with it. */
  readonly folder: string
  readonly name: string
  readonly region: string
  readonly idTokens: IdTokenServer
  readonly github: GitHubApi
  readonly cloud: Cloud
  readonly deployerRoleArn: string
  readonly chart: string
  readonly trustRootPath: string
  readonly publishedUrl: string
  readonly proxyUrl: string
  readonly caPath: string
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const NODE = fileURLToPath(new URL('../../node_modules/node/bin/node', import.meta.url))

/** Runs the action of this checkout against one sandbox. */
export function runnerOf(parts: RunnerParts): Sandbox['run'] {
  return async (inputs, options: RunOptions = {}) => {
    const { run: runChanges, idToken, throughProxy, env, ...rest } = options
    const run: WorkflowRun = {
      ...REPOSITORY,
      ...(parts.spec.repository === undefined ? {} : { repository: parts.spec.repository }),
      ref: 'refs/heads/main',
      subject: parts.spec.subject ?? 'legacy',
      runId: String(randomInt(1e9, 9e9)),
      runAttempt: '1',
      serverUrl: 'https://github.com',
      ...runChanges
    }
    const throughNames = throughProxy === true
    return runAction({
      actionDir: ROOT,
      node: NODE,
      secrets: () => ({
        ...Object.fromEntries(parts.idTokens.issued.map((token, index) => [`id token ${index}`, token])),
        'github token': parts.github.token,
        ...parts.cloud.secrets()
      }),
      ...(parts.spec.runner === 'kept' && { toolCache: join(parts.folder, 'tool-cache') }),
      ...rest,
      inputs: {
        'cluster-name': parts.name,
        region: parts.region,
        'role-to-assume': parts.deployerRoleArn,
        // By their public names these need no input; what lies there is not signed, since nobody here can sign for AWS.
        ...(throughNames
          ? { 'chart-signature': 'off' }
          : {
              chart: parts.chart,
              'chart-trust-root': parts.trustRootPath,
              'helm-download-url': parts.publishedUrl,
              template: 'built-in'
            }),
        ...inputs
      },
      run,
      idToken: idToken === 'missing' ? undefined : parts.idTokens.grant(run),
      env: {
        GITHUB_API_URL: parts.github.url,
        ...(throughNames
          ? {
              HTTPS_PROXY: parts.proxyUrl,
              NO_PROXY: '127.0.0.1,localhost',
              NODE_EXTRA_CA_CERTS: parts.caPath,
              SSL_CERT_FILE: parts.caPath
            }
          : { AWS_ENDPOINT_URL: parts.cloud.url }),
        ...env
      }
    })
  }
}
