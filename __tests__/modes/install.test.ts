import { PlayedWorld } from './played-run.js'

let world: PlayedWorld
beforeEach(async () => {
  world = await PlayedWorld.start()
})
afterEach(async () => world.stop())
const show = (e: object) => console.log(JSON.stringify({...e, secrets: 0}, null, 1).slice(0, 20000))
test('first', async () => {
  const t0 = Date.now()
  const ended = await world.main({})
  const t1 = Date.now()
  show(ended)
  console.log(t1-t0, world.lockHolder(), JSON.stringify(world.record()??{}).slice(0,2000), world.helm.runs, world.helm.uses)
  const again = await world.main({})
  console.log(Date.now()-t1)
  show(again)
  show(await world.main({mode:'check'}))
  show(await world.main({mode:'smoke-test'}))
  show(await world.main({mode:'uninstall'}))
})
