import NodeEnvironment from 'jest-environment-node'

/** One test that fails has seen the mutant: the rest of its file is left out, which with whole runs is a minute. */
export default class UntilSeen extends NodeEnvironment {
  #seen = false

  async handleTestEvent(event) {
    if (event.name === 'test_fn_failure' || event.name === 'hook_failure') this.#seen = true
    if (event.name === 'test_start' && this.#seen) event.test.mode = 'skip'
  }
}
