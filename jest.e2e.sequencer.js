import { basename } from 'node:path'
import Sequencer from '@jest/test-sequencer'

/** The longest first, from five minutes down to one and a half; those that wait and those that compute take turns. */
const first = [
  'smoke-test',
  'permissions',
  'uninstall',
  'drift',
  'uninstall-guide',
  'drift-cluster',
  'cancel',
  'drift-guide',
  'two-runs',
  'upgrade',
  'upgrade-failed',
  'smoke-test-refused',
  'broken'
]

/** What starts last should be short. jest knows only what its cache has seen, and a fresh CI has none. */
export default class LongestFirst extends Sequencer {
  sort(tests) {
    const place = ({ path }) => {
      const index = first.indexOf(basename(path, '.test.ts'))
      return index === -1 ? first.length : index
    }
    return super.sort(tests).toSorted((one, other) => place(one) - place(other))
  }
}
