/** The second runner asks an entry for `run`, and for nothing else. */
export { main as run } from '../../src/main.js'
