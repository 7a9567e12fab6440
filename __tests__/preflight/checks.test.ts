import { UserError } from '../../src/engine/errors.js'
import { type AnyResource, type Inspection, resource } from '../../src/engine/resource.js'
import { overlay } from '../../src/engine/json.js'
import { guideValues } from '../../src/helm/values.js'
import { renderTemplate } from '../../src/karpenter/rendered-stack.js'
import { builtInTemplateText } from '../../src/karpenter/template-built-in.js'
import { KubernetesError } from '../../src/kubernetes/errors.js'
import type { Manifest } from '../../src/kubernetes/manifest.js'
import { catalogue } from '../../src/preflight/catalogue.js'
import { preflight } from '../../src/preflight/checks.js'
import { type Checked, factsOf } from '../../src/preflight/facts.js'
import type { PreflightFinding } from '../../src/preflight/finding.js'
import { PreflightError } from '../../src/preflight/index.js'
import { awsWith, type Handlers, Refusal } from '../aws/stand-in.js'
import { textResource } from '../engine/fake-resources.js'
import { ApiServer, status } from '../kubernetes/api-server.js'
import { recordedStep } from '../resources/step.js'
import { checkedOf, type Given } from './checked.js'
import { node } from './nodes.js'

const matching = (pattern: RegExp): unknown => expect.stringMatching(pattern)
const denied = (): never => {
  throw new Refusal('AccessDenied', 'User: x is not authorized to perform: it', 403)
}
const everythingDenied: Handlers = Object.fromEntries(
  [
    'DescribeRouteTables',
    'DescribeVpcEndpoints',
    'DescribeInstances',
    'DescribeImages',
    'GetRole',
    'SimulatePrincipalPolicy',
    'ListFargateProfiles'
  ].map((action) => [action, denied])
)
const answers: Handlers = {
  ...everythingDenied,
  DescribeSubnets: () => ({ subnetSet: [] }),
  DescribeSecurityGroups: () => ({ securityGroupInfo: [] }),
  GetQueueUrl: () => {
    throw new Refusal('QueueDoesNotExist', 'The specified queue does not exist.')
  }
}

let cluster: ApiServer
let account: Awaited<ReturnType<typeof awsWith>>
beforeEach(async () => {
  cluster = await ApiServer.start()
  account = await awsWith(answers)
})
afterEach(async () => {
  await cluster.stop()
  await account.close()
})

/** Findings of a run, refused or not, and what its step was told. */
async function run(
  given: Given
): Promise<{ readonly findings: readonly PreflightFinding[]; readonly lines: readonly string[] }> {
  const checked = checkedOf({ aws: account.aws, kubernetes: cluster.kubernetes }, given)
  const step = recordedStep()
  let findings: readonly PreflightFinding[] = []
  try {
    await preflight(checked, step, (all) => (findings = all))
  } catch (error) {
    if (!(error instanceof PreflightError)) throw error
    findings = error.findings
  }
  return { findings, lines: step.lines }
}

const inspected = async (...resources: readonly AnyResource[]): Promise<readonly Inspection[]> =>
  Promise.all(resources.map(async (one) => one.inspect(new AbortController().signal)))
const foreign = resource<string, string>(
  {
    id: 'foreign',
    layer: 'iam',
    title: 'Role foreign',
    dependsOn: [],
    wanted: '',
    read: async () => ({ state: 'present', value: '' }),
    compare: () => [],
    absent: () => [],
    refusal: () => new UserError('controller-role-name', "is somebody else's", 'Take another.'),
    apply: async () => undefined,
    sign: { by: 'record' },
    remove: async () => ({ outcome: 'absent' })
  },
  (value): value is string => typeof value === 'string'
)

const crdOf = (group: string, kind: string, name: string): Manifest => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name },
  spec: {
    group,
    names: { kind },
    versions: [
      {
        name: 'v1',
        served: true,
        schema: { openAPIV3Schema: { properties: { spec: { type: 'object', properties: {} } } } }
      }
    ]
  }
})
const nodeClass: Manifest = {
  apiVersion: 'karpenter.k8s.aws/v1',
  kind: 'EC2NodeClass',
  metadata: { name: 'own' },
  spec: {
    role: 'other',
    subnetSelectorTerms: [{ id: 'subnet-1' }],
    securityGroupSelectorTerms: [{ id: 'sg-9' }],
    amiSelectorTerms: [{ id: 'ami-1' }]
  }
}
const oldImages: Manifest = {
  ...nodeClass,
  metadata: { name: 'old' },
  spec: { instanceProfile: 'no/name', amiSelectorTerms: [{ alias: 'al2@latest' }] }
}
const pool = (name: string, nodeClassRef: string): Manifest => ({
  apiVersion: 'karpenter.sh/v1',
  kind: 'NodePool',
  metadata: { name },
  spec: {
    template: {
      spec: {
        nodeClassRef: { name: nodeClassRef },
        requirements: [{ key: 'topology.kubernetes.io/zone', operator: 'In', values: ['nowhere'] }]
      }
    }
  }
})

/** Something for every check that a preflight asks. */
async function everythingWrong(): Promise<Given> {
  const { found, decisions } = checkedOf({ aws: account.aws, kubernetes: cluster.kubernetes })
  cluster.put('/apis/karpenter.sh/v1/nodepools/live', {
    ...pool('live', 'gone'),
    metadata: { annotations: { 'compatibility.karpenter.sh/v1beta1-kubelet-conversion': '{}' } }
  })
  return {
    inputs: {
      'interruption-queue': 'other',
      'helm-values': 'replica: 1',
      crds: 'leave',
      'stack-role-arn': 'arn:aws:iam::999999999999:role/other',
      'node-pools': 'apiVersion: karpenter.sh/v1'
    },
    cluster: { autoMode: true, status: 'FAILED', oidcIssuer: '', ipFamily: 'ipv6' },
    found: {
      controllers: [{ namespace: 'other', deployment: 'k', version: '1.0.5', release: undefined }],
      autoscalers: [{ namespace: 'kube-system', deployment: 'ca', replicas: 1, image: 'ca', scope: [] }],
      subnets: found.subnets.map((one) => ({ ...one, tags: { 'karpenter.sh/discovery': 'green' } })),
      nodes: async () => [{ ...node('ip-1', { cpu: '100m' }), instanceId: 'i-1' }]
    },
    decisions: {
      version: '1.8.0',
      installed: '1.0.5',
      stack: renderTemplate(builtInTemplateText('1.2.1'), {
        clusterName: 'blue',
        stackName: 'Karpenter-blue',
        account: account.aws.account
      }),
      values: overlay(
        guideValues({ clusterName: 'blue', interruptionQueue: 'blue', controllerRoleArn: undefined }),
        { strategy: { type: 'Recreate' }, affinity: { nodeAffinity: null } }
      ),
      chart: {
        ...decisions.chart,
        crds: [
          crdOf('karpenter.sh', 'NodePool', 'nodepools.karpenter.sh'),
          crdOf('karpenter.k8s.aws', 'EC2NodeClass', 'ec2nodeclasses.karpenter.k8s.aws')
        ]
      },
      nodeClasses: [nodeClass, oldImages],
      nodePools: [pool('a', 'own'), pool('b', 'nowhere')]
    },
    inspections: await inspected(
      foreign,
      textResource('stack', [], new Map()),
      textResource('queue', [], new Map([['queue', 'theirs']])),
      textResource('crds', [], new Map([['crds', 'older']])),
      textResource('flow-schemas', [], new Map())
    )
  }
}

/** Which discovery and adoption ask before. */
const askedBefore = ['cluster-endpoint', 'not-adopted']

it('asks every check of the catalogue, and says what they find in one order', async () => {
  cluster.intercept = (call, response) => {
    if (call.method !== 'PATCH' || !call.path.includes('/flowschemas/')) return false
    status(response, 403, 'Forbidden', 'no flow schemas here')
    return true
  }
  const { findings } = await run(await everythingWrong())
  const firsts = [...Map.groupBy(findings, ({ check }) => check).values()].flatMap(([first]) => first ?? [])
  expect(firsts.map(({ check, problem }) => `${check}: ${problem}`)).toEqual([
    matching(/^auto-mode: blue is in EKS Auto Mode/),
    matching(/^cluster-active: blue is FAILED/),
    matching(/^version-pair: 1\.8\.0 is broken/),
    matching(/^rolling-update: no controller runs/),
    matching(/^v1beta1-remains: its kubelet settings/),
    matching(/^another-karpenter: Karpenter 1\.0\.5 is already installed/),
    matching(/^cluster-autoscaler: Cluster Autoscaler runs/),
    matching(/^identity: irsa needs the OIDC issuer/),
    matching(/^controller-capacity: whether the controller runs on Fargate/),
    matching(/^names-and-policy-size: .*is no name for an instance profile/),
    matching(/^subnet-tags-conflict: subnet-1 is tagged/),
    matching(/^network: whether nodes in them reach AWS's services/),
    matching(/^ipv6-pods: pods of blue have IPv6 addresses/),
    matching(/^node-security-groups: whether nodes that are there and new ones/),
    matching(/^queue: there is no queue "other"/),
    matching(/^not-ours: is somebody else's/),
    matching(/^name-taken: is there already, and there is no stack/),
    matching(/^stack-service-role: there is no role arn:aws:iam::999999999999:role\/other/),
    matching(/^permissions: whether the role may do all that is planned/),
    matching(/^template-policies: no policy of the stack allows/),
    matching(/^chart-values: replica: the chart has no such value/),
    matching(/^admission: the cluster will not let it be made: .*no flow schemas here/),
    matching(/^left-crds: leave: CRD nodepools\.karpenter\.sh is not there/),
    matching(/^pruned-fields: the CRDs of 1\.8\.0 do not have spec\.template/),
    matching(/^node-class-selectors: EC2NodeClass own: no security group/),
    matching(/^ami-alias: EC2NodeClass old: alias al2@latest/),
    matching(/^manifest-dry-run: EC2NodeClass own: .*unknown field/),
    matching(/^controller-on-own-nodes: the controller could run on nodes that it makes/),
    matching(/^node-class-role: EC2NodeClass own: role other could not be read/),
    matching(/^node-class-images: EC2NodeClass own: whether its amiSelectorTerms/),
    matching(/^node-class-reference: NodePool b: there is no EC2NodeClass/),
    matching(/^node-pool-requirements: NodePool a: no subnet of EC2NodeClass own/)
  ])
  expect(firsts.map(({ check }) => check).toSorted()).toEqual(
    Object.keys(catalogue)
      .filter((name) => !askedBefore.includes(name))
      .toSorted()
  )
})

it('counts the checks, which are fewer without manifests of the user', async () => {
  const { findings, lines } = await run({})
  expect(findings.map(({ level }) => level)).not.toContain('error')
  expect(lines.at(-1)).toBe(`note: 28 checks, ${findings.length} findings`)
})

it('asks EC2, IAM and SQS nothing where nothing is to be changed', async () => {
  await run({ inspections: [], decisions: { installed: '1.8.0' } })
  expect(account.server.calls).toEqual([])
})

it('says nothing of manifests that would be refused where nothing is to be changed', async () => {
  const { inputs = {}, ...wrong } = await everythingWrong()
  const { findings } = await run({ inputs, decisions: { ...wrong.decisions, installed: '1.8.0' } })
  const ofManifests = [
    'node-class-role',
    'node-class-images',
    'node-class-reference',
    'node-pool-requirements'
  ]
  const asked = new Set(findings.map(({ check }) => check))
  expect(ofManifests.filter((name) => asked.has(name))).toEqual([])
  expect(asked).toContain('node-class-selectors')
})

describe('of a plan', () => {
  const plan = async (nodes: () => Promise<never>): ReturnType<typeof run> =>
    run({ inputs: { mode: 'plan' }, found: { nodes } })

  it('a check that may not read is left to the install, in one note', async () => {
    const forbidden = { status: 403, reason: 'Forbidden', permission: 'list nodes' }
    const { lines } = await plan(async () =>
      Promise.reject(new KubernetesError('nodes', 'is forbidden', 'Allow it.', forbidden))
    )
    expect(lines).toContain(
      'note: controller-capacity: is left to the install, whose role may list nodes: nodes: is forbidden. A plan needs no more rights than a check.'
    )
  })

  it('a check that fails otherwise fails it, as it fails an install', async () => {
    await expect(plan(async () => Promise.reject(new Error('connection reset')))).rejects.toThrow(
      'connection reset'
    )
  })
})

it('knows before all is compared that something changes where no controller runs', async () => {
  const { decisions, ...of } = checkedOf({ aws: account.aws, kubernetes: cluster.kubernetes })
  const never = new Promise<never>(() => undefined)
  const facts = factsOf({ ...of, decisions: { ...decisions, installed: undefined }, inspections: never })
  await expect(facts.changes()).resolves.toBe(true)
})

it('says what can be said where the comparison failed, and else fails with it', async () => {
  const given = checkedOf({ aws: account.aws, kubernetes: cluster.kubernetes })
  const fails = (checked: Checked): Checked => ({
    ...checked,
    inspections: Promise.reject(new Error('no comparison'))
  })
  await expect(preflight(fails(given), recordedStep(), () => undefined)).rejects.toThrow('no comparison')
  const autoMode = checkedOf(
    { aws: account.aws, kubernetes: cluster.kubernetes },
    { cluster: { autoMode: true } }
  )
  await expect(preflight(fails(autoMode), recordedStep(), () => undefined)).rejects.toThrow(
    'is in EKS Auto Mode'
  )
})
