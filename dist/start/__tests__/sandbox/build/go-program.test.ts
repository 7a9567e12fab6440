import { goEnvironment } from '../../../sandbox/build/go-program.js'

describe('the environment that the Go programs are built in', () => {
  it('lets Go switch to the release that a module asks for, whatever the machine says', () => {
    expect(goEnvironment({ GOTOOLCHAIN: 'local', GOFLAGS: '-mod=vendor' })).toMatchObject({
      GOTOOLCHAIN: 'auto',
      GOFLAGS: ''
    })
  })
  it('leaves to the user where modules and releases of Go come from', () => {
    expect(goEnvironment({ GOPROXY: 'https://mirror.test', GONOSUMDB: '*' })).toMatchObject({
      GOPROXY: 'https://mirror.test',
      GONOSUMDB: '*'
    })
  })
})
