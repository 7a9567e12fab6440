import { createReadStream, createWriteStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createBrotliDecompress } from 'node:zlib'
import { launch, type Page } from 'puppeteer-core'
import { extract } from 'tar'

export interface Browser {
  readonly newPage: () => Promise<Page>
  readonly close: () => Promise<void>
}

const resolve = createRequire(import.meta.url).resolve

/**
 * Chromium as @sparticuz/chromium carries it: headless, for Linux on x64, with the libraries (nss, nspr, expat) and fonts
 * that a plain image lacks. It is unpacked into a folder of its own, and nothing of the machine's is used.
 */
export async function startBrowser(): Promise<Browser> {
  const folder = mkdtempSync(join(tmpdir(), 'pages-'))
  const packed = join(dirname(resolve('@sparticuz/chromium')), '..', '..', 'bin')
  const executablePath = join(folder, 'chromium')
  const unpack = async (name: string): Promise<void> =>
    pipeline(
      createReadStream(join(packed, `${name}.tar.br`)),
      createBrotliDecompress(),
      extract({ cwd: folder })
    )
  await Promise.all([
    pipeline(
      createReadStream(join(packed, 'chromium.br')),
      createBrotliDecompress(),
      createWriteStream(executablePath, { mode: 0o700 })
    ),
    unpack('al2023'),
    unpack('fonts')
  ])
  // The one that comes along looks for them where a function of AWS has them.
  const fonts = join(folder, 'fonts.conf')
  writeFileSync(
    fonts,
    `<fontconfig><dir>${join(folder, 'fonts')}</dir><cachedir>${join(folder, 'cache')}</cachedir></fontconfig>`
  )
  const browser = await launch({
    executablePath,
    headless: 'shell',
    // A job's container gives it no user namespaces and little shared memory; the pages are our own.
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'],
    env: { ...process.env, HOME: folder, LD_LIBRARY_PATH: join(folder, 'lib'), FONTCONFIG_FILE: fonts }
  })
  return {
    newPage: async () => browser.newPage(),
    close: async () => {
      await browser.close()
      rmSync(folder, { recursive: true, force: true })
    }
  }
}
