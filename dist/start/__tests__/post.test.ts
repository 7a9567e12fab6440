import { post } from '../src/post.js'
import type { Session } from '../src/run/session.js'
import { WriteGuard } from '../src/run/write-guard.js'
import { type LocalRun, localRun } from './local-run.js'

let local: LocalRun
beforeEach(() => {
  local = localRun()
})
afterEach(() => local.end())

const state = {
  clusterName: 'blue',
  region: 'eu-west-1',
  namespace: 'karpenter',
  lockHolder: 'https://github.com/org/repo/actions/runs/7#job-step-1'
}

/** Post after a main that left this, with a cluster that does not answer. */
async function postAfter(
  left: object
): Promise<{ readonly answered: readonly boolean[]; readonly closed: number }> {
  const answered: boolean[] = []
  let closed = 0
  const { ports } = local.run
  const session: Session = {
    aws: async () => Promise.reject(new Error('no answer')),
    tokens: () => async () => '',
    kubernetes: () => {
      throw new Error('no cluster')
    },
    now: () => 0,
    writes: new WriteGuard(),
    onClose: () => undefined,
    close: async () => {
      closed += 1
    },
    requests: () => ({ total: 0, writes: 0, repeated: [], byService: {} })
  }
  await post({
    ...ports,
    env: { ...ports.env, AWS_REGION: 'eu-west-1' },
    runner: {
      ...ports.runner,
      getInput: (name) => (name === 'cluster-name' ? 'blue' : ''),
      getState: () => JSON.stringify(left)
    },
    session: (_inputs, _signal, reached = false) => {
      answered.push(reached)
      return session
    }
  })
  return { answered, closed }
}

test('waits for a cluster that main has reached, and does not look for one', async () => {
  expect((await postAfter(state)).answered).toEqual([true])
})

test('closes what it has opened, so that the process ends, also where it could do nothing', async () => {
  expect((await postAfter(state)).closed).toBe(1)
})

test('speaks of the lock that it could not give back, and of no smoke test where there was none', async () => {
  await postAfter(state)
  expect(local.log).toEqual([
    '::warning::lock: it could not be given back; the next run takes it over within a minute: no answer'
  ])
})

test('speaks of the smoke test that it could not remove', async () => {
  await postAfter({ ...state, smokeTestRun: 'run-7' })
  expect(local.log).toEqual([
    '::warning::smoke test: what is left of run run-7 could not be removed; the next run of this action removes it. ' +
      'lock: it could not be given back; the next run takes it over within a minute: no answer'
  ])
})
