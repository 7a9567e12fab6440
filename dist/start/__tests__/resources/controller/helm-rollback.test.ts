import type { Step } from '../../../src/engine/resource.js'
import { type Helm, HelmError } from '../../../src/helm/run-helm.js'
import { helmRelease, type HelmReleasePorts } from '../../../src/resources/controller/helm-release.js'
import { releasePath, releaseSecret } from '../../helm/release-secret.js'
import { ApiServer } from '../../kubernetes/api-server.js'
import { available, deployment, deploymentPath, wanted } from './released.js'
import { recordedStep } from '../step.js'

const old = '1.1.1'
const manifestOf = (version: string): string =>
  `apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: karpenter, namespace: karpenter, labels: { version: ${version} } }\nspec: { replicas: 2 }\n`

let server: ApiServer
let asked: string[]
let now: number
beforeEach(async () => {
  server = await ApiServer.start()
  asked = []
  now = 0
})
afterEach(async () => server.stop())

/** The chart's Deployment as the cluster has it, and a pod of its template that does not start. */
function rollOut(version: string, healthy: boolean): void {
  server.put(deploymentPath, {
    ...deployment,
    metadata: { name: 'karpenter', labels: { version } },
    status: healthy ? available : { ...available, availableReplicas: 1 }
  })
  if (healthy) return
  server.put(`/api/v1/namespaces/karpenter/pods/karpenter-${version}`, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { labels: { 'app.kubernetes.io/instance': 'karpenter', 'pod-template-hash': version } },
    status: {
      containerStatuses: [
        {
          name: 'controller',
          restartCount: 0,
          state: { waiting: { reason: 'ErrImagePull', message: 'not found' } }
        }
      ]
    }
  })
}

function keep(revision: number, status: string, version: string): void {
  server.put(
    releasePath(revision),
    releaseSecret(revision, status, version, wanted.values, { manifest: manifestOf(version) })
  )
}

interface Scene {
  readonly upgrade?: (() => void) | undefined
  readonly rollback?: () => void
  readonly recorded?: HelmReleasePorts['recorded']
}

/** helm that keeps revisions as helm does: an upgrade is revision 2, a rollback revision 3. */
function helmOf({ upgrade, rollback }: Scene): Helm {
  return {
    version: '3.22.0',
    folder: '/tmp',
    run: async (args) => {
      asked.push(args.slice(0, 3).join(' '))
      if (args[0] === 'upgrade') (upgrade ?? upgradeThatFails)()
      else (rollback ?? rollbackThatWorks)()
      return { stdout: '', stderr: '' }
    },
    close: async () => undefined
  }
}

function upgradeThatFails(): void {
  keep(1, 'superseded', old)
  keep(2, 'deployed', wanted.version)
  rollOut(wanted.version, false)
}

function rollbackThatWorks(): void {
  keep(2, 'superseded', wanted.version)
  keep(3, 'deployed', old)
  rollOut(old, true)
}

async function upgrade(scene: Scene, step: Step = recordedStep(() => (now += 31_000))): Promise<void> {
  const release = helmRelease(wanted, {
    kubernetes: server.kubernetes,
    ownership: { owner: 'setup-karpenter', run: 'https://run/1' },
    dependsOn: [],
    helm: async () => helmOf(scene),
    chart: async () => ({
      path: '/tmp/karpenter-1.2.1.tgz',
      name: 'karpenter',
      version: wanted.version,
      appVersion: wanted.version,
      digest: undefined,
      values: {},
      crds: []
    }),
    recorded: scene.recorded,
    stays: (running) => `CRDs of ${wanted.version}, which ${running} works with.`
  })
  const found = await release.inspect(new AbortController().signal)
  await found.apply(step)
  await found.settle(step)
}

const containing = (part: string): unknown => expect.stringContaining(part)

test('an upgrade whose pods do not start goes back to the revision that worked, and says how things stand', async () => {
  keep(1, 'deployed', old)
  rollOut(old, true)
  await expect(upgrade({})).rejects.toMatchObject({
    message: containing(
      'Helm release karpenter: Karpenter 1.2.1 did not come up, and 1.1.1 runs again: Deployment karpenter/karpenter: 1 of 2 pods are available; Pod karpenter-1.2.1 ErrImagePull: not found'
    ),
    state:
      'Karpenter 1.1.1 runs and all its pods are available: the release is at revision 3, which is revision 1 again.\nCRDs of 1.2.1, which 1.1.1 works with.',
    fix: containing('The nodes must reach the image')
  })
  expect(asked).toEqual(['upgrade karpenter /tmp/karpenter-1.2.1.tgz', 'rollback karpenter 1'])
})

test('a rollback that does not come up either says both reasons and how to go on by hand', async () => {
  keep(1, 'deployed', old)
  rollOut(old, true)
  const rollback = (): void => {
    keep(3, 'deployed', old)
    rollOut(old, false)
  }
  await expect(upgrade({ rollback })).rejects.toMatchObject({
    message: expect.stringMatching(
      /neither does 1\.1\.1 again: .* Pod karpenter-1\.2\.1 .*After the rollback to revision 1: .* Pod karpenter-1\.1\.1 /s
    ) as unknown,
    state: containing('nodes and their pods run on, and nothing is scaled'),
    fix: containing('helm rollback karpenter 1 -n karpenter')
  })
})

describe('helm that fails midway', () => {
  const halfway = (healthy: boolean) => (): never => {
    keep(2, 'failed', wanted.version)
    rollOut(wanted.version, healthy)
    throw new HelmError('Helm release karpenter', 'cannot patch "karpenter"', 'Correct it.')
  }

  test('is rolled back when the rollout says that the controller does not come up', async () => {
    keep(1, 'deployed', old)
    rollOut(old, true)
    await expect(upgrade({ upgrade: halfway(false) })).rejects.toMatchObject({
      message: containing('1.1.1 runs again: Deployment karpenter/karpenter: 1 of 2 pods are available'),
      state: containing('revision 3, which is revision 1 again')
    })
  })

  test('leaves a controller that is well where it is, and says what helm said', async () => {
    keep(1, 'deployed', old)
    rollOut(old, true)
    await expect(upgrade({ upgrade: halfway(true) })).rejects.toMatchObject({
      message: 'Helm release karpenter: cannot patch "karpenter"',
      state:
        'The release is failed at revision 2; all pods of the controller are available, so nothing was rolled back.',
      fix: containing('helm rollback karpenter 1 -n karpenter')
    })
    expect(asked).toHaveLength(1)
  })
})

describe('a passing error of the API server in helm', () => {
  const reset = (): HelmError =>
    new HelmError('Helm release karpenter', 'UPGRADE FAILED: read: connection reset by peer', 'Run again.')

  test.each([
    ['before it did anything', () => undefined],
    ['while its revision was pending', () => keep(2, 'pending-upgrade', wanted.version)],
    ['after which it could only say that it failed', () => keep(2, 'failed', wanted.version)]
  ])('%s is no failed upgrade: helm is run again', async (_when, left) => {
    keep(1, 'deployed', old)
    rollOut(old, true)
    let tries = 0
    await upgrade({
      upgrade: () => {
        if (++tries === 1) {
          left()
          throw reset()
        }
        keep(1, 'superseded', old)
        keep(3, 'deployed', wanted.version)
        rollOut(wanted.version, true)
      }
    })
    expect(asked.map((line) => line.split(' ')[0])).toEqual(['upgrade', 'upgrade'])
  })

  test('that came when all was done is only noted', async () => {
    keep(1, 'deployed', old)
    rollOut(old, true)
    await upgrade({
      upgrade: () => {
        keep(1, 'superseded', old)
        keep(2, 'deployed', wanted.version)
        rollOut(wanted.version, true)
        throw reset()
      }
    })
    expect(asked).toHaveLength(1)
  })

  test('in a rollback does not leave the cluster without a controller', async () => {
    keep(1, 'deployed', old)
    rollOut(old, true)
    let tries = 0
    await expect(
      upgrade({
        rollback: () => {
          if (++tries === 1) throw reset()
          rollbackThatWorks()
        }
      })
    ).rejects.toMatchObject({ message: containing('1.1.1 runs again') })
    expect(asked.map((line) => line.split(' ')[0])).toEqual(['upgrade', 'rollback', 'rollback'])
  })
})

test.each([
  'Kubernetes cluster unreachable: Get "https://x/version": dial tcp 10.0.0.1:443: connect: connection refused',
  'UPGRADE FAILED: the server is currently unable to handle the request (get secrets)',
  'Post "https://x/api/v1/namespaces/karpenter/secrets": EOF',
  'UPGRADE FAILED: an error on the server ("") has prevented the request from succeeding',
  'create: failed to create: etcdserver: leader changed',
  'UPGRADE FAILED: Get "https://x": net/http: TLS handshake timeout',
  'release: already exists'
])('the API server is at fault in: %s', (said) => {
  expect(new HelmError('Helm release karpenter', said, '').passing).toBe(true)
})

test.each([
  'UPGRADE FAILED: cannot patch "karpenter" with kind Deployment: field is immutable',
  'Internal error occurred: failed calling webhook "x": dial tcp: connect: connection refused',
  'UPGRADE FAILED: Unable to continue with update: ServiceAccount "x" in namespace "y" exists and cannot be imported',
  'values do not meet the specifications of the schema(s)',
  'UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress',
  'serviceaccounts "karpenter" is forbidden: User cannot get resource'
])('the API server is not at fault in: %s', (said) => {
  expect(new HelmError('Helm release karpenter', said, '').passing).toBe(false)
})

test('an upgrade that helm refused before it made a revision leaves nothing to roll back', async () => {
  keep(1, 'deployed', old)
  rollOut(old, true)
  const refused = (): never => {
    throw new HelmError('Helm release karpenter', 'execution error at (karpenter/templates/x)', 'Correct it.')
  }
  await expect(upgrade({ upgrade: refused })).rejects.toMatchObject({
    message: 'Helm release karpenter: execution error at (karpenter/templates/x)'
  })
  expect(asked).toHaveLength(1)
})

test('a controller that did not work before is not gone back to, unless the record knows of an earlier one that did', async () => {
  keep(1, 'deployed', old)
  rollOut(old, false)
  await expect(upgrade({})).rejects.toMatchObject({ state: containing('Nothing was rolled back.') })
  expect(asked).toHaveLength(1)
  keep(1, 'deployed', old)
  rollOut(old, false)
  asked = []
  const recorded = { version: old, values: wanted.values }
  await expect(upgrade({ recorded })).rejects.toMatchObject({
    state: containing('which is revision 1 again')
  })
  expect(asked.at(-1)).toBe('rollback karpenter 1')
})

test('a revision that is the same as the failed one is not gone back to', async () => {
  const same = (status: string): void => {
    server.put(
      releasePath(1),
      releaseSecret(1, status, wanted.version, {}, { manifest: manifestOf(wanted.version) })
    )
  }
  same('deployed')
  rollOut(old, true)
  const again = (): void => {
    upgradeThatFails()
    same('superseded')
  }
  await expect(upgrade({ upgrade: again })).rejects.toMatchObject({
    state: containing('Nothing was rolled back.')
  })
  expect(asked).toHaveLength(1)
})

test('a first install is not rolled back', async () => {
  const install = (): void => {
    keep(1, 'deployed', wanted.version)
    rollOut(wanted.version, false)
  }
  await expect(upgrade({ upgrade: install })).rejects.toMatchObject({
    state: containing('Nothing was rolled back.')
  })
  expect(asked).toHaveLength(1)
})

test('a run that is told to end rolls nothing back, and says where it left the release', async () => {
  keep(1, 'deployed', old)
  rollOut(old, true)
  const ending = new AbortController()
  const reason = new Error('timeout: the run was not done after 60 s')
  const stopped = (): void => {
    upgradeThatFails()
    ending.abort(reason)
  }
  await expect(upgrade({ upgrade: stopped }, recordedStep(Date.now, ending.signal))).rejects.toMatchObject({
    cause: reason,
    state: containing('not rolled back: Kubernetes goes on with the rollout'),
    fix: containing('helm rollback karpenter 1 -n karpenter')
  })
  expect(asked).toHaveLength(1)
})
