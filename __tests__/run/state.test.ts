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

test('a run that began no smoke test leaves none to post, whatever another version may have left', () => {
  const none = { ...left, smokeTestRun: undefined }
  const store = storeOf()
  saveCleanup(store, none)
  expect(readCleanup(store)).toEqual(none)
  expect(readCleanup(storeOf({ cleanup: JSON.stringify({ ...left, smokeTestRun: 7 }) }))).toEqual(none)
})

test.each(['clusterName', 'region', 'namespace', 'lockHolder'])(
  'without its %s a state says nothing that post could do',
  (name) => {
    expect(readCleanup(storeOf({ cleanup: JSON.stringify({ ...left, [name]: 7 }) }))).toBeUndefined()
  }
)

test.each(['null', '"blue"', '[]'])('%s is no state', (text) => {
  expect(readCleanup(storeOf({ cleanup: text }))).toBeUndefined()
})
