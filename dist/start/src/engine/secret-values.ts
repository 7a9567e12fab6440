import type { Difference } from './difference.js'
import type { Finding } from './findings.js'
import { isMap } from './json.js'

const hidden = '***'
/** Characters of a text that a report carries; a policy or a script is told by its beginning. */
const longestText = 4000
const longestReason = 1000

/** Last words of names whose values are secret. Plurals such as `httpTokens` are settings, not secrets. */
const secretWords = /^(password|passwd|passphrase|pass|secret|token|credentials?|apikey)$/
/** `key` by itself is the key of a label, a taint or a tag. */
const secretKeys = /^(api|access|private|secret|signing|encryption|auth|license)$/
/** Password of a URL, such as a proxy's. */
const userInfo = /(\/\/[^\s/:@"']*:)[^\s/@"']+(?=@)/g
/** What is secret wherever it stands: tokens of GitHub, JWTs, private keys. */
const secretTexts =
  /\bgh[a-z]_\w{20,}|\bgithub_pat_\w{20,}|\beyJ[\w-]{10,}\.eyJ[\w-]+|-----BEGIN [A-Z ]*PRIVATE KEY/

/**
 * The difference as it may be shown: log, annotations, summary, report and issue are read by others than the cluster's
 * objects and helm's Secrets are, and GitHub masks what a workflow gave, not what somebody wrote into the cluster.
 */
export function withoutSecrets<D extends Difference>(difference: D): D {
  const { path, wanted, live, reason } = difference
  const name = nameAt(path)
  const shown = { wanted: shownOf(wanted, name), live: shownOf(live, name) }
  const secret = showsSecrets(difference)
  return { ...difference, ...shown, reason: secret ? reasonWithout(difference) : cut(reason, longestReason) }
}

/** Whether a value of the difference is secret by its name or by its text. */
export function showsSecrets({ path, wanted, live }: Difference): boolean {
  return [wanted, live].some((value) => hides(value, nameAt(path)))
}

/** The same of a finding, which has the recorded value besides, and what install would write. */
export function findingWithoutSecrets(finding: Finding): Finding {
  const name = nameAt(finding.path)
  const secret = [finding.wanted, finding.live, finding.recorded].some((value) => hides(value, name))
  return {
    ...withoutSecrets(finding),
    recorded: shownOf(finding.recorded, name),
    ...(secret && {
      reason: reasonWithout(finding),
      install: finding.install.replace(/^(set it|change it back|change it) to [^]*$/, '$1')
    })
  }
}

/** Whether anything in the map is secret by its name or by its text. */
export function mayHoldSecrets(values: Readonly<Record<string, unknown>>): boolean {
  return hides(values, '')
}

/** A sentence that quotes no value: the one that it replaces may hold half a secret, cut. */
function reasonWithout({ path, wanted, live }: Difference): string {
  const what =
    live === undefined
      ? 'is not set'
      : wanted === undefined
        ? 'is set, and was not installed'
        : 'is not as wanted'
  return `${path === '' ? 'it' : path} ${what}; what may be secret is not shown`
}

/** Name of the last field of a path; of `env[TOKEN].value` that of the variable. */
function nameAt(path: string): string {
  return /\[([^\]]+)\](?:\.value)?$/.exec(path)?.[1] ?? path.slice(path.lastIndexOf('.') + 1)
}

function hides(value: unknown, name: string): boolean {
  if (typeof value === 'string')
    return (isSecret(name) && value !== '') || value.search(userInfo) !== -1 || secretTexts.test(value)
  if (typeof value === 'number') return isSecret(name)
  if (Array.isArray(value)) return value.some((entry: unknown) => hides(entry, name))
  return isMap(value) && Object.entries(value).some(([key, inner]) => hides(inner, nameIn(value, key)))
}

function shownOf(value: unknown, name: string): unknown {
  if (typeof value === 'string') {
    if (isSecret(name) && value !== '') return hidden
    return secretTexts.test(value) ? hidden : cut(value.replaceAll(userInfo, `$1${hidden}`), longestText)
  }
  if (typeof value === 'number') return isSecret(name) ? hidden : value
  if (Array.isArray(value)) return value.map((entry: unknown) => shownOf(entry, name))
  if (!isMap(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, shownOf(inner, nameIn(value, key))])
  )
}

/** A variable is called by its `name`, its value stands in `value`. */
function nameIn(map: Readonly<Record<string, unknown>>, key: string): string {
  const { name } = map
  return key === 'value' && typeof name === 'string' ? name : key
}

function isSecret(name: string): boolean {
  const words = name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
  const [last = '', before = ''] = words.toReversed()
  return secretWords.test(last) || (last === 'key' && secretKeys.test(before))
}

function cut(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most)}... (${text.length} characters)` : text
}
