import { once } from 'node:events'
import type { GetHelmOptions } from '../../src/helm/get-helm.js'
import { lookForHelm } from '../../src/plan/helm-and-chart.js'
import { inputsOf } from '../given-inputs.js'
import { type LocalRun, localRun } from '../local-run.js'

let local: LocalRun
beforeEach(() => {
  local = localRun()
})
afterEach(() => local.end())

/** Looks for a helm that is not found before the search is ended. */
function looking(signal = new AbortController().signal) {
  const searches: GetHelmOptions[] = []
  const closers: (() => Promise<void> | void)[] = []
  const ports = {
    ...local.run.ports,
    helm: {
      ...local.run.ports.helm,
      find: async (options: GetHelmOptions) => {
        searches.push(options)
        await once(options.signal, 'abort')
        throw options.signal.reason
      }
    }
  }
  const binary = lookForHelm(
    {
      inputs: inputsOf({ 'cluster-name': 'blue', 'helm-version': '>=3.18.6 <4' }),
      ports,
      session: { onClose: (closer) => closers.push(closer), writes: local.run.session.writes }
    },
    signal
  )
  return { binary, searches, close: async () => Promise.all(closers.map(async (closer) => closer())) }
}

describe('the search for helm', () => {
  it('is begun at once, with the inputs of the run', () => {
    const { searches } = looking()
    expect(searches).toMatchObject([{ range: '>=3.18.6 <4' }])
  })

  it('ends with a run that ends before helm is needed, and fails nobody who does not ask for it', async () => {
    const { binary, searches, close } = looking()
    await close()
    expect(searches[0]?.signal.aborted).toBe(true)
    await expect(binary).rejects.toThrow('the run is over')
  })

  it('ends with the time of the run', async () => {
    const over = new AbortController()
    const { binary } = looking(over.signal)
    over.abort(new Error('timeout'))
    await expect(binary).rejects.toThrow('timeout')
  })
})
