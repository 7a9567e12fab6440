import {
  clearCleanup,
  type PostState,
  readCleanup,
  saveCleanup,
  type StateStore
} from '../../src/run/state.js'

/** As the runner keeps it from main to post: text by name, empty where nothing was saved. */
function storeOf(saved: Readonly<Record<string, string>> = {}): StateStore {
  const texts = new Map(Object.entries(saved))
  return {
    saveState: (name, value) => void texts.set(name, String(value)),
    getState: (name) => texts.get(name) ?? ''
  }
}

const left: PostState = {
  clusterName: 'blue',
  region: 'eu-west-1',
  namespace: 'karpenter',
  smokeTestRun: 'run-7',
  lockHolder: 'https://github.com/org/repo/actions/runs/7#install'
}

test('post is handed what main has left, and nothing once main has cleaned up behind itself', () => {
  const store = storeOf()
  expect(readCleanup(store)).toBeUndefined()
  saveCleanup(store, left)
  expect(readCleanup(store)).toEqual(left)
  clearCleanup(store)
  expect(readCleanup(store)).toBeUndefined()
})

test('a run that took no lock and began no smoke test leaves neither to post', () => {
  const store = storeOf()
  const neither = { ...left, smokeTestRun: undefined, lockHolder: undefined }
  saveCleanup(store, neither)
  expect(readCleanup(store)).toEqual(neither)
})

test('of a state that another version has left, post takes only what it understands', () => {
  const store = storeOf({ cleanup: JSON.stringify({ ...left, smokeTestRun: 7, lockHolder: {} }) })
  expect(readCleanup(store)).toEqual({ ...left, smokeTestRun: undefined, lockHolder: undefined })
})

test.each(['clusterName', 'region', 'namespace'])('without its %s a state reaches no cluster', (name) => {
  expect(readCleanup(storeOf({ cleanup: JSON.stringify({ ...left, [name]: 7 }) }))).toBeUndefined()
})

test.each(['null', '"blue"', '[]'])('%s is no state', (text) => {
  expect(readCleanup(storeOf({ cleanup: text }))).toBeUndefined()
})
