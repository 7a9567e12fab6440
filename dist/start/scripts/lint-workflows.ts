import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cacheFolder, fillOnce } from '../sandbox/build/cache.js'

const actionlintVersion = '1.7.12'
const zizmorVersion = '1.32.0'

/** Runs a command with its output shown; true when it succeeded. */
function run(command: string, args: readonly string[], cwd?: string): boolean {
  const result = spawnSync(command, args, { stdio: 'inherit', cwd })
  if (result.error !== undefined) console.error(`${command}: ${result.error.message}`)
  return result.status === 0
}

function actionlint(files: readonly string[]): boolean {
  // Outside the checkout, so that no go.mod decides the version; without the linters that a machine may or may not have.
  const paths = files.map((file) => join(process.cwd(), file))
  const module = `github.com/rhysd/actionlint/cmd/actionlint@v${actionlintVersion}`
  return run('go', ['run', module, '-shellcheck=', '-pyflakes=', ...paths], tmpdir())
}

async function zizmor(paths: readonly string[]): Promise<boolean> {
  const folder = join(cacheFolder(process.env), `zizmor-${zizmorVersion}`)
  await fillOnce(
    folder,
    () => console.log(`Waiting for another run that installs zizmor ${zizmorVersion}`),
    async () => {
      console.log(`Installing zizmor ${zizmorVersion} into ${folder}`)
      const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--only-binary', ':all:']
      const installed =
        run('python3', ['-m', 'venv', folder]) &&
        run(join(folder, 'bin', 'python'), [...pip, `zizmor==${zizmorVersion}`])
      if (!installed) throw new Error(`zizmor: ${zizmorVersion} could not be installed into ${folder}`)
    }
  )
  const options = ['--offline', '--quiet', '--pedantic', '--config', '.github/zizmor.yml']
  return run(join(folder, 'bin', 'zizmor'), [...options, ...paths])
}

const workflows = [...globSync('.github/workflows/*.yml'), ...globSync('examples/*.yml')].sort()
const passed = [actionlint(workflows), await zizmor(['action.yml', '.github', ...globSync('examples/*.yml')])]
if (passed.includes(false)) process.exitCode = 1
else console.log(`${workflows.length} workflows: actionlint and zizmor found nothing.`)
