import { getState, saveState } from '@actions/core'

// The runner starts this one file for main and, later, for post; only main finds no state.
if (getState('phase') === '') {
  saveState('phase', 'post')
  const { main } = await import('./main.js')
  await main()
} else {
  const { post } = await import('./post.js')
  await post()
}
