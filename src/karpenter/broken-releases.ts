interface BadRelease {
  readonly flaw: string
  /** Version to take instead. */
  readonly take: string
}

/** Releases that do not work. */
export const brokenReleases: Readonly<Record<string, BadRelease>> = {
  '1.8.0': {
    flaw: 'its chart renders an empty feature gate and the controller panics (upstream issue 8608)',
    take: '1.8.6'
  }
}

/** Releases that work and that upstream advises against. */
export const discouragedReleases: Readonly<Record<string, BadRelease>> = {
  '1.8.4': {
    flaw: 'it has a regression in topology spread, and its own documentation says to skip it',
    take: '1.8.6'
  }
}
