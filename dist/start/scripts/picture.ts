import { startBrowser } from '../e2e/pages/browser.js'
import { photograph } from '../e2e/pages/page.js'
import { newest, startSandbox } from '../sandbox/index.js'

/** The README's picture. */
const path = 'docs/summary.png'

/** Installs on the sandbox, and takes a picture of the summary as GitHub shows it. Needs what `npm run demo` needs. */
async function picture(): Promise<void> {
  const sandbox = await startSandbox({
    name: 'green',
    region: 'eu-west-1',
    kubernetesVersion: '1.35',
    authenticationMode: 'API',
    log: console.log
  })
  try {
    const { conclusion, summary, log } = await sandbox.run({
      'karpenter-version': newest,
      'smoke-test-replicas': '3',
      'smoke-test-one-per-node': 'true'
    })
    if (conclusion !== 'success') throw new Error(`the install ended with ${conclusion}:\n${log}`)
    const browser = await startBrowser()
    try {
      await photograph(browser, summary, path)
    } finally {
      await browser.close()
    }
    console.log(`wrote ${path}`)
  } finally {
    await sandbox.stop()
  }
}

await picture()
