import { laterReleaseScenario } from './later-release.js'

laterReleaseScenario('unreachable')
