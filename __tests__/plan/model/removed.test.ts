import type { Claim } from '../../../src/engine/standing.js'
import { inspect, PlayedModel } from './played-model.js'
import { removal, type Shape } from './shapes.js'

let played: PlayedModel
beforeEach(async () => {
  played = await PlayedModel.start()
})
afterEach(async () => played.stop())

const inputs = { 'controller-identity': 'irsa' }
const all: Shape = { installed: '1.14.1', inputs, removal }
const ours = (): Claim => ({ recorded: { before: [], wanted: {} }, removeAdopted: false })

/** What is kept, with the reason, and what failed; the role for spot instances is the account's. */
async function left(shape: Shape): Promise<Readonly<Record<string, string>>> {
  const outcomes = await played.remove(await played.graph(shape), ours)
  outcomes.delete('spot-service-linked-role')
  return Object.fromEntries([...outcomes].filter(([, outcome]) => !/^(removed|absent)$/.test(outcome)))
}

test.each<[string, Shape, Readonly<Record<string, RegExp>>]>([
  ['nothing where all of it is asked for', all, {}],
  [
    'CRDs where they are not asked for',
    { ...all, removal: { ...removal, removeCrds: false } },
    { crds: /`remove-crds: true`/ }
  ],
  ['CRDs that EKS Auto Mode works with', { ...all, cluster: { autoMode: true } }, { crds: /Auto Mode/ }],
  [
    'the OIDC provider where it is not asked for',
    { ...all, removal: { ...removal, removeOidcProvider: false } },
    { 'oidc-provider': /`remove-oidc-provider: true`/ }
  ]
])('of all that an install has made a removal leaves %s', async (_what, shape, kept) => {
  await played.installed({ inputs })
  expect(await left(shape)).toEqual(
    Object.fromEntries(Object.entries(kept).map(([id, why]) => [id, expect.stringMatching(why)]))
  )
  expect(played.cloud.iam.roles.values().filter(({ name }) => name.includes('blue'))).toEqual([])
  expect([...played.aws.queues, ...played.aws.rules]).toEqual([])
})

test('the objects of a release that says whose it is are not read for a removal', async () => {
  await played.installed({ inputs })
  const graph = await played.graph(all)
  played.server.calls.length = 0
  await inspect(graph)
  expect(played.server.calls.filter(({ path }) => path.includes('/deployments'))).toEqual([])
})
