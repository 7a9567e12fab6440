import type { Built } from './build/index.js'
import type { Cloud } from './cloud/index.js'
import type { MotoServices, Vpc } from './cloud/moto/index.js'
import type { ControlPlane, KubernetesRequest } from './control-plane/index.js'
import type { Nodes } from './nodes/index.js'
import type { Proxy } from './proxy.js'
import type { Published } from './published/index.js'
import type { GitHubApi } from './runner/github-api.js'
import type { IdTokenServer, WorkflowRun } from './runner/id-token.js'
import type { ActionResult, ActionRun } from './runner/run-action.js'

/** How one run of the action differs from the usual one. */
export interface RunOptions extends Partial<Omit<ActionRun, 'inputs' | 'run' | 'idToken'>> {
  readonly run?: Partial<WorkflowRun>
  /** `missing`: the job lacks `id-token: write`. */
  readonly idToken?: 'granted' | 'missing'
  /** All traffic through the proxy, hosts by their public names. */
  readonly throughProxy?: boolean
}

export interface Sandbox {
  readonly name: string
  readonly region: string
  readonly accountId: string
  readonly built: Built
  readonly cloud: Cloud
  readonly moto: MotoServices
  readonly vpc: Vpc
  readonly controlPlane: ControlPlane
  /** A request to the API server as administrator. */
  readonly kubernetes: KubernetesRequest
  readonly published: Published
  readonly proxy: Proxy
  readonly idTokens: IdTokenServer
  /** The issues of the repository whose workflow runs the action. */
  readonly github: GitHubApi
  readonly nodes: Nodes
  /** CA (PEM) of the hosts behind the proxy, also as a file. */
  readonly caPath: string
  readonly deployerRoleArn: string
  readonly nodeGroupRoleArn: string
  /** Milliseconds from the call, what had to be built left out, until every node was Ready. */
  readonly startedIn: number
  /** Variables with which AWS's tools reach the cloud (no credentials). */
  readonly env: Readonly<Record<string, string>>
  /** Runs dist/ as a step of a workflow; `inputs` go over those that lead it to this sandbox. */
  run(inputs: Readonly<Record<string, string>>, options?: RunOptions): Promise<ActionResult>
  stop(): Promise<void>
}
