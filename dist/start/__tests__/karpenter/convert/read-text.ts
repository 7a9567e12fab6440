import {
  type ManifestSettings,
  type ReadManifests,
  readManifests
} from '../../../src/karpenter/convert/manifests.js'

export interface TextSettings extends ManifestSettings {
  readonly source: string
}

/** What one text comes to. */
export function readText(text: string, { source, ...settings }: TextSettings): ReadManifests {
  return readManifests([{ source, text }], settings)
}
