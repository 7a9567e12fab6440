import fc from 'fast-check'
import { UserError } from '../../src/engine/errors.js'
import type { PublishedVersions } from '../../src/helm/chart-tags.js'
import { brokenReleases, discouragedReleases } from '../../src/karpenter/broken-releases.js'
import { newestTested, testedKubernetes, testedPatchOf } from '../../src/karpenter/tested-versions.js'
import type { KubernetesRange } from '../../src/karpenter/version-facts.js'
import { compareVersions } from '../../src/karpenter/versions.js'
import { type ChoiceFacts, chooseVersion, versionToRemove } from '../../src/plan/version-choice.js'

const listed = (...versions: readonly string[]): PublishedVersions => ({
  kind: 'listed',
  versions,
  where: 'public.ecr.aws/karpenter/karpenter'
})
const unlisted: PublishedVersions = {
  kind: 'unlisted',
  reason: 'the tags of x could not be listed: HTTP 503'
}

interface Given extends Partial<Omit<ChoiceFacts, 'published' | 'rangeOf'>> {
  readonly published?: PublishedVersions
  readonly range?: KubernetesRange
}

function facts({ published, range, ...given }: Given): ChoiceFacts {
  return {
    requested: undefined,
    installed: undefined,
    recorded: undefined,
    kubernetes: '1.35',
    published: async () => {
      if (published === undefined) throw new Error('the registry was asked')
      return published
    },
    rangeOf: async () => {
      if (range === undefined) throw new Error('a range was asked for')
      return range
    },
    ...given
  }
}

/** `1.14.1 (installed)`, and what could not be had on the way. */
const choose = async (given: Given, refuses = true): Promise<string> => {
  const { version, reason, notes } = await chooseVersion(facts(given), refuses)
  return [`${version} (${reason})`, ...notes].join('; ')
}

async function refusal(given: Given): Promise<string> {
  try {
    return await choose(given)
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    expect(error.state).toBe('Nothing was changed.')
    return `${error.message} | ${error.fix}`
  }
}

describe('what needs no request', () => {
  it.each(['1.2.1', '1.14.1-rc.0', '1.99.0', '2.0.0'])('%s, asked for', async (version) => {
    expect(await choose({ requested: { kind: 'exact', version }, installed: '1.9.3' })).toBe(
      `${version} (asked for)`
    )
  })

  it.each(['1.2.1', '1.99.0', '1.14.1-rc.0'])('%s, installed', async (installed) => {
    expect(await choose({ installed, recorded: '1.9.3', kubernetes: '1.99' })).toBe(
      `${installed} (installed)`
    )
  })
})

describe('what is published', () => {
  const published = listed(
    '1.9.9',
    '1.14.9',
    '1.14.10',
    '1.15.2',
    '1.15.7',
    '1.15.8-rc.0',
    '1.15.10-rc.1',
    '1.16.0',
    '1.16.1',
    '1.17.0-rc.2',
    '2.0.0',
    '0.37.0',
    'v1.18.0',
    'latest',
    'sha256-abc.sig'
  )

  it.each([
    ['1.14', '1.14.10 (newest patch of 1.14, which is asked for)'],
    ['1.15', '1.15.7 (newest patch of 1.15, which is asked for)'],
    ['1.16', '1.16.1 (newest patch of 1.16, which is asked for)']
  ])('has for %s its newest patch', async (minor, expected) => {
    expect(await choose({ requested: { kind: 'minor', minor }, installed: '1.14.0', published })).toBe(
      expected
    )
  })

  it('has for lts the newest patch of the newest long-term minor', async () => {
    expect(await choose({ requested: { kind: 'lts' }, published })).toBe(
      '1.9.9 (newest patch of 1.9, the newest long-term minor)'
    )
  })

  it('has for latest the newest release, of this major', async () => {
    expect(await choose({ requested: { kind: 'latest' }, installed: '1.14.0', published })).toBe(
      '1.16.1 (latest, the newest that is published)'
    )
  })

  it('has where nothing is asked the newest patch of the newest tested minor that fits', async () => {
    expect(await choose({ published })).toBe('1.15.7 (newest that supports Kubernetes 1.35)')
    expect(await choose({ published, kubernetes: '1.37' })).toBe(
      '1.15.7 (newest that supports Kubernetes 1.37)'
    )
    expect(await choose({ published: listed('1.9.3', '1.12.2'), kubernetes: '1.35' })).toBe(
      '1.12.2 (newest that supports Kubernetes 1.35)'
    )
  })

  it('has an untested one where no tested one fits', async () => {
    const range = { least: 29, most: 38 }
    expect(await choose({ published, kubernetes: '1.38', range })).toBe(
      '1.16.1 (newest that supports Kubernetes 1.38)'
    )
    expect(await choose({ published, kubernetes: '1.38', range: { least: 26, most: undefined } })).toContain(
      '1.16.1'
    )
    expect(await refusal({ published, kubernetes: '1.39', range })).toBe(
      'karpenter-version: no Karpenter that is known here supports Kubernetes 1.39 | Take a newer Karpenter as soon as one supports Kubernetes 1.39: `karpenter-version: latest` takes the newest there is.'
    )
  })

  it('is never a broken release, nor one that upstream advises against', async () => {
    const bad = [...Object.keys(brokenReleases), ...Object.keys(discouragedReleases)]
    expect(bad).toContain('1.8.0')
    for (const version of bad) {
      const minor = version.split('.').slice(0, 2).join('.')
      for (const requested of [undefined, { kind: 'latest' }, { kind: 'minor', minor }] as const) {
        const given = { published: listed(version), requested, kubernetes: '1.31' }
        expect(await refusal(given)).not.toContain(version)
      }
    }
  })

  it('is said to lack a minor that it has no release of', async () => {
    expect(await refusal({ requested: { kind: 'minor', minor: '1.17' }, published })).toBe(
      'karpenter-version: public.ecr.aws/karpenter/karpenter has no release of 1.17 | Pass one that is there, `latest`, or leave karpenter-version out.'
    )
  })

  const newestKubernetes = `1.${testedKubernetes.most}`
  const afterAll = `1.${testedKubernetes.most + 1}`
  it.each([
    ['no version where a tested one of the table fits', newestKubernetes, ['1.98.0', '1.99.0'], []],
    ['each untested minor by its newest patch', afterAll, ['1.15.7', '1.98.0', '1.98.1'], ['1.98.1']],
    [
      'the three newest untested minors',
      afterAll,
      ['1.96.0', '1.97.0', '1.98.0', '1.99.0'],
      ['1.99.0', '1.98.0', '1.97.0']
    ]
  ])('which Kubernetes it supports is asked of %s', async (_what, kubernetes, versions, wanted) => {
    const asked: string[] = []
    const rangeOf = async (version: string): Promise<KubernetesRange> => {
      asked.push(version)
      return { least: 29, most: 30 }
    }
    await chooseVersion({ ...facts({ kubernetes, published: listed(...versions) }), rangeOf }, false)
    expect(asked).toEqual(wanted)
  })
})

describe('where the tags cannot be listed', () => {
  const of14 = 'newest patch of 1.14, which is asked for'
  const latest = 'latest, the newest that is known here'
  it.each([
    [{ kind: 'minor', minor: '1.14' }, undefined, testedPatchOf('1.14'), of14],
    [{ kind: 'minor', minor: '1.14' }, '1.14.99', '1.14.99', of14],
    [{ kind: 'minor', minor: '1.14' }, '1.15.99', testedPatchOf('1.14'), of14],
    [{ kind: 'minor', minor: '1.99' }, '1.99.1', '1.99.1', 'newest patch of 1.99, which is asked for'],
    [{ kind: 'lts' }, undefined, testedPatchOf('1.9'), 'newest patch of 1.9, the newest long-term minor'],
    [{ kind: 'latest' }, undefined, newestTested, latest],
    [{ kind: 'latest' }, '1.99.0', '1.99.0', latest],
    [{ kind: 'latest' }, '2.0.0', newestTested, latest],
    [undefined, undefined, newestTested, 'newest that supports Kubernetes 1.35']
  ] as const)(
    '%j with %s installed is %s (%s), with a note',
    async (requested, installed, version, reason) => {
      expect(await choose({ requested, installed, published: unlisted })).toBe(
        `${version} (${reason}); the tags of x could not be listed: HTTP 503; the newest of this release's table is taken`
      )
    }
  )

  it('a minor that is not in the table ends an install, and says how to go on', async () => {
    const requested = { kind: 'minor', minor: '1.99' } as const
    expect(await refusal({ requested, published: unlisted })).toBe(
      'karpenter-version: the newest patch of 1.99 is not known: the tags of x could not be listed: HTTP 503 | Pass a whole version, such as 1.99.0.'
    )
  })
})

describe('a chart from a path', () => {
  const local: PublishedVersions = { kind: 'local', version: '1.13.0' }

  it('is of the version that is taken', async () => {
    expect(await choose({ published: local })).toBe("1.13.0 (the chart's own)")
    expect(await choose({ published: local, requested: { kind: 'latest' } })).toBe(
      "1.13.0 (latest, which is the chart's own)"
    )
    expect(await choose({ published: local, requested: { kind: 'minor', minor: '1.13' } })).toBe(
      '1.13.0 (newest patch of 1.13, which is asked for, as the chart is)'
    )
  })

  it('is not of a minor that it is not of', async () => {
    expect(await choose({ published: local, requested: { kind: 'minor', minor: '1.14' } })).toContain(
      `${testedPatchOf('1.14')} `
    )
    expect(await refusal({ published: local, requested: { kind: 'minor', minor: '1.99' } })).toBe(
      'karpenter-version: the newest patch of 1.99 is not known | Pass a whole version, such as 1.99.0.'
    )
  })
})

describe('what ends an install, and neither a check nor a removal', () => {
  it.each([
    [
      'a version before 1.0',
      { requested: { kind: 'exact', version: '0.37.0' } },
      /^karpenter-version: 0\.37\.0 \(asked for\) is older than 1\.0, .* \| Follow Karpenter's upgrade guide to 1\.0/
    ],
    ['one that runs', { installed: '0.37.0' }, /0\.37\.0 \(installed\) is older than 1\.0/],
    [
      'an image with another tag',
      { installed: 'main' },
      /^karpenter-version: the controller that runs says that it is "main", which is no version \| Pass `karpenter-version`: the one that runs/
    ],
    [
      'a Kubernetes before all',
      { published: unlisted, kubernetes: '1.20' },
      /Update the cluster to Kubernetes 1\.25 or later/
    ],
    [
      'a Kubernetes after all',
      { published: unlisted, kubernetes: '1.99' },
      /supports Kubernetes 1\.99, and the tags of x could not be listed: HTTP 503 \| Take a newer Karpenter/
    ],
    [
      'a minor of which nothing is known',
      { published: unlisted, requested: { kind: 'minor', minor: '1.98' } },
      /1\.98/
    ]
  ] as const)('%s', async (_what, given, message) => {
    expect(await refusal(given)).toMatch(message)
    const checked = await chooseVersion(facts({ ...given, recorded: '1.99.0' }), false)
    expect(checked.version).toMatch(/^(0\.37\.0|1\.99\.0)$/)
    const removed = versionToRemove({
      requested: undefined,
      installed: undefined,
      recorded: undefined,
      ...given
    })
    expect(removed.version).not.toBe('')
  })

  it('is what a check says of the version that it goes by instead', async () => {
    expect(await choose({ installed: 'main', recorded: '1.13.1' }, false)).toBe(
      '1.13.1 (recorded); the controller that runs says that it is "main", which is no version'
    )
  })

  const exact = { kind: 'exact', version: '1.97.0' } as const
  it.each([
    [exact, '1.98.0', '1.99.0', '1.97.0', 'asked for'],
    [{ kind: 'latest' }, '1.98.0', '1.99.0', '1.98.0', 'installed'],
    [undefined, 'main', '1.99.0', '1.99.0', 'recorded'],
    [undefined, undefined, undefined, newestTested, 'newest that this release was tested with']
  ] as const)(
    'a removal goes by what is there: %j asked for, %s runs, %s recorded',
    (requested, installed, recorded, version, reason) => {
      expect(versionToRemove({ requested, installed, recorded })).toEqual({ version, reason, notes: [] })
    }
  )
})

test('whatever is published, an installation is never taken back by latest or by its own minor', async () => {
  const version = fc
    .tuple(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 12 }))
    .map(([minor, patch]) => `1.${minor}.${patch}`)
  await fc.assert(
    fc.asyncProperty(version, async (installed) => {
      const minor = installed.split('.').slice(0, 2).join('.')
      for (const requested of [{ kind: 'latest' }, { kind: 'minor', minor }] as const) {
        const chosen = await chooseVersion(facts({ requested, installed, published: unlisted }), true)
        expect(compareVersions(chosen.version, installed)).toBeGreaterThanOrEqual(0)
      }
    })
  )
  expect(testedKubernetes.most).toBeGreaterThan(testedKubernetes.least)
})
