import { laterReleaseScenario } from './later-release.js'

laterReleaseScenario('reachable')
