import { isMap } from '../engine/json.js'
import { isManifest, type Manifest } from './manifest.js'

/**
 * The manifest with what the live object has at the paths, so that applying it changes nothing there: server-side apply
 * drops a field of ours that is left out. A list is left as a whole. Paths are those of differences: keys joined by dots,
 * which keys may hold themselves.
 */
export function leftAsLive(manifest: Manifest, live: unknown, paths: readonly string[]): Manifest {
  const left = paths.reduce<unknown>((wanted, path) => valueLeft(wanted, live, path), manifest)
  return isManifest(left) ? left : manifest
}

function valueLeft(wanted: unknown, live: unknown, path: string): unknown {
  if (path === '' || path.startsWith('[') || !(isMap(wanted) || isMap(live))) return live
  const [ours, theirs] = [isMap(wanted) ? wanted : {}, isMap(live) ? live : {}]
  const key = firstKey(path, [...Object.keys(ours), ...Object.keys(theirs)])
  if (key === undefined) return wanted
  const { [key]: own, ...others } = ours
  const value = valueLeft(own, theirs[key], path.slice(key.length).replace(/^\./, ''))
  return value === undefined ? others : { ...others, [key]: value }
}

/** The longest key that the path begins with. */
function firstKey(path: string, keys: readonly string[]): string | undefined {
  return keys
    .filter((key) => path === key || path.startsWith(`${key}.`) || path.startsWith(`${key}[`))
    .toSorted((a, b) => b.length - a.length)[0]
}
