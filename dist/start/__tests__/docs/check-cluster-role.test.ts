import { readFileSync } from 'node:fs'
import { loadAll } from 'js-yaml'
import { listField, textField } from '../../src/kubernetes/manifest.js'
import { PlayedWorld } from '../modes/played-run.js'

const objects: readonly unknown[] = loadAll(readFileSync('docs/permissions/check-cluster-role.yaml', 'utf8'))

/** A request as RBAC sees it. */
interface Asked {
  readonly group: string
  readonly resource: string
  readonly name: string | undefined
  readonly namespace: string | undefined
  readonly verb: 'get' | 'list'
}

/** `/apis/<group>/<version>/namespaces/<namespace>/<resource>/<name>`; undefined for what is of no resource, as /version. */
function askedOf(path: string): Asked | undefined {
  const [, group = '', inNamespace, resource, name] =
    /^\/(?:api|apis\/([^/]+))\/[^/]+(?:\/namespaces\/([^/]+)(?=\/))?\/([^/]+)(?:\/([^/]+))?$/.exec(path) ?? []
  if (resource === undefined) return undefined
  return { group, resource, name, namespace: inNamespace, verb: name === undefined ? 'list' : 'get' }
}

function isGranted({ group, resource, name, namespace, verb }: Asked): boolean {
  return objects
    .filter(
      (one) =>
        textField(one, 'kind') === 'ClusterRole' ||
        (textField(one, 'kind') === 'Role' && textField(one, 'metadata', 'namespace') === namespace)
    )
    .flatMap((role) => listField(role, 'rules'))
    .some((rule) => {
      const names = listField(rule, 'resourceNames')
      return (
        listField(rule, 'apiGroups').includes(group) &&
        listField(rule, 'resources').includes(resource) &&
        listField(rule, 'verbs').includes(verb) &&
        (names.length === 0 || names.includes(name))
      )
    })
}

test('what a check reads in the cluster, its role may read', async () => {
  const world = await PlayedWorld.start()
  try {
    expect((await world.main({ 'smoke-test': 'false' })).failed).toBeUndefined()
    const before = world.server.calls.length
    expect((await world.main({ mode: 'check' })).failed).toBeUndefined()
    const calls = world.server.calls.slice(before)
    expect(calls.filter(({ method }) => method !== 'GET')).toEqual([])
    const asked = calls.flatMap(({ path }) => askedOf(path) ?? [])
    expect(asked.length).toBeGreaterThan(15)
    expect(asked.filter((one) => !isGranted(one))).toEqual([])
  } finally {
    await world.stop()
  }
})
