import { gunzipSync, gzipSync } from 'node:zlib'
import { isMap } from '../../src/engine/json.js'
import { field } from '../../src/kubernetes/manifest.js'
import { PlayedWorld } from './played-run.js'

const path = '/api/v1/namespaces/kube-system/configmaps/setup-karpenter'
const quick = { 'smoke-test': 'false' }

let world: PlayedWorld
let asWritten: ReturnType<PlayedWorld['server']['at']>
beforeAll(async () => {
  world = await PlayedWorld.start()
  await world.main(quick)
  asWritten = world.server.at(path)
})
afterAll(async () => world.stop())

/** Runs, and says how often it asked who signed the chart, and what it says of that. */
async function signatureOf(given: Readonly<Record<string, string>>): Promise<readonly [number, string]> {
  const before = world.helm.signaturesRead
  const { failed, log } = await world.main(given)
  expect(failed).toBeUndefined()
  const choice = log.find((line) => line.includes('Chart signature: ')) ?? ''
  return [world.helm.signaturesRead - before, choice]
}

/** Somebody who may write the ConfigMap. */
function edit(change: Readonly<Record<string, unknown>>): void {
  const configMap = asWritten
  const packed = field(configMap, 'binaryData', 'record.json.gz')
  const record: unknown = JSON.parse(gunzipSync(Buffer.from(String(packed), 'base64')).toString('utf8'))
  if (configMap === undefined || !isMap(record)) throw new Error('no record')
  const { provedChart } = record
  const edited = { ...record, provedChart: { ...(isMap(provedChart) ? provedChart : {}), ...change } }
  const binaryData = { 'record.json.gz': gzipSync(JSON.stringify(edited)).toString('base64') }
  world.server.put(path, { ...configMap, binaryData })
}

const recorded =
  /by aws\/karpenter-provider-aws\/.*@refs\/tags\/v1\.14\.1, as https:\/\/.*\/runs\/1 has proved of this digest on \d{4}-/

test.each(['check', 'plan'])('a %s goes by the proof of the run that installed this digest', async (mode) => {
  expect(await signatureOf({ mode })).toEqual([0, expect.stringMatching(recorded)])
})

test('what an install applies it proves itself, changed or not', async () => {
  expect(await signatureOf(quick)).toEqual([1, expect.not.stringMatching(recorded)])
})

test('who signed it for somebody else is asked anew', async () => {
  const chart = 'oci://mirror.example/karpenter/karpenter'
  const signer = 'https://github.com/org/mirror/.github/workflows/sign.yaml@refs/heads/main'
  expect((await signatureOf({ mode: 'check', chart, 'chart-signer': signer }))[0]).toBe(1)
  // The same signer, by the same trust root: where the same digest came from is no question.
  expect((await signatureOf({ mode: 'check', chart }))[0]).toBe(0)
})

test.each([{ digest: `sha256:${'b'.repeat(64)}` }, { asked: 'somebody else' }, { time: 1 }])(
  'a record that says otherwise is no proof: %j',
  async (change) => {
    edit(change)
    expect((await signatureOf({ mode: 'check' }))[0]).toBe(1)
  }
)
