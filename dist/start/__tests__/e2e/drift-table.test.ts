import { driftsOfTheGuide, todaysDriftsInAws, todaysDriftsInTheCluster } from '../../e2e/drift-table.js'
import { type Place, withoutDrift } from '../../e2e/drifts/drift.js'
import { idOf, nameIn } from '../../src/resources/ids.js'

const place: Place = {
  cluster: 'blue',
  subnet: 'subnet-1',
  securityGroup: 'sg-1',
  sandbox: { region: 'eu-west-1' }
}

const found = [...todaysDriftsInAws, ...todaysDriftsInTheCluster, ...driftsOfTheGuide].flatMap(({ finds }) =>
  finds(place).map(({ id }) => id)
)

test.each(Object.entries(idOf))(
  '%s: a row of e2e/drifts changes it behind the back of an installation, or withoutDrift says why none does',
  (kind, of) => {
    const rows = found.filter((id) => (typeof of === 'string' ? of === id : nameIn(of, id) !== undefined))
    const reason = Object.entries(withoutDrift).find(([one]) => one === kind)?.[1]
    expect({ changed: rows.length > 0, reason }).toEqual(
      rows.length > 0
        ? { changed: true, reason: undefined }
        : { changed: false, reason: expect.stringMatching(/./) as unknown }
    )
  }
)
