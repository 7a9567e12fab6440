import { optionalText, texts } from '../input.js'
import type { Operations } from '../operations.js'
import type { AwsCall } from '../service.js'
import { invalidParameter, page } from './pages.js'
import type { EksState } from './state.js'

interface Release {
  readonly version: string
  readonly released: string
  readonly endOfStandardSupport: string
  readonly endOfExtendedSupport: string
}

/** Those that a sandbox can run, newest first, by the release calendar of the EKS user guide (kubernetes-versions). */
const releases: readonly Release[] = [
  {
    version: '1.35',
    released: '2026-01-27',
    endOfStandardSupport: '2027-03-27',
    endOfExtendedSupport: '2028-03-27'
  },
  {
    version: '1.34',
    released: '2025-10-02',
    endOfStandardSupport: '2026-12-02',
    endOfExtendedSupport: '2027-12-02'
  },
  {
    version: '1.33',
    released: '2025-05-29',
    endOfStandardSupport: '2026-07-29',
    endOfExtendedSupport: '2027-07-29'
  },
  {
    version: '1.32',
    released: '2025-01-23',
    endOfStandardSupport: '2026-03-23',
    endOfExtendedSupport: '2027-03-23'
  }
]

const statuses = ['STANDARD_SUPPORT', 'EXTENDED_SUPPORT', 'UNSUPPORTED'] as const
type Status = (typeof statuses)[number]

/** The Kubernetes versions that EKS offers, and how long each is supported (API reference, DescribeClusterVersions). */
export function clusterVersionOperations(state: EksState): Operations {
  return {
    DescribeClusterVersions: {
      questions: () => [{ action: 'eks:DescribeClusterVersions', resource: '*' }],
      answer: ({ input }) => {
        const given = texts(input, 'clusterVersions')
        const wanted = wantedStatus(input)
        const all = optionalText(input, 'includeAll') === 'true'
        const shown = releases.filter(
          (release) =>
            (given.length === 0 || given.includes(release.version)) &&
            (wanted === undefined
              ? all || given.length > 0 || statusOf(release, state.now()) !== 'UNSUPPORTED'
              : statusOf(release, state.now()) === wanted) &&
            (optionalText(input, 'defaultOnly') !== 'true' || isDefault(release))
        )
        return page(
          input,
          'clusterVersions',
          shown.map((release) => output(release, state.now()))
        )
      }
    }
  }
}

/** `status` is the deprecated spelling of `versionStatus`. */
function wantedStatus(input: AwsCall['input']): Status | undefined {
  const given =
    optionalText(input, 'versionStatus') ?? optionalText(input, 'status')?.toUpperCase().replaceAll('-', '_')
  if (given === undefined) return undefined
  const known = statuses.find((status) => status === given)
  if (known === undefined) throw invalidParameter(`Version status ${given} is not supported.`)
  return known
}

function isDefault(release: Release): boolean {
  return release === releases[0]
}

function statusOf(release: Release, now: number): Status {
  if (now < Date.parse(release.endOfStandardSupport)) return 'STANDARD_SUPPORT'
  return now < Date.parse(release.endOfExtendedSupport) ? 'EXTENDED_SUPPORT' : 'UNSUPPORTED'
}

function output(release: Release, now: number): Readonly<Record<string, unknown>> {
  const status = statusOf(release, now)
  return {
    clusterVersion: release.version,
    clusterType: 'eks',
    defaultPlatformVersion: 'eks.1',
    defaultVersion: isDefault(release),
    releaseDate: new Date(release.released),
    endOfStandardSupportDate: new Date(release.endOfStandardSupport),
    endOfExtendedSupportDate: new Date(release.endOfExtendedSupport),
    status: status.toLowerCase().replaceAll('_', '-'),
    versionStatus: status,
    kubernetesPatchVersion: `${release.version}.0`
  }
}
