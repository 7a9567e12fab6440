import { createServer } from 'node:http'
import { listen } from '../../sandbox/listen.js'
import { gitHubApi } from '../../src/github/api.js'

/** Answers one after the other; the last one again and again. */
async function answering(
  bodies: readonly string[],
  use: (all: () => Promise<unknown>, asked: () => number) => Promise<void>
): Promise<void> {
  let asked = 0
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end(bodies[Math.min(asked++, bodies.length - 1)])
  })
  const listening = await listen(server)
  const { all } = gitHubApi({
    apiUrl: `http://127.0.0.1:${listening.port}`,
    repository: 'org/repo',
    token: 'token',
    pause: async () => Promise.resolve()
  })
  try {
    await use(
      async () => all('/issues'),
      () => asked
    )
  } finally {
    await listening.close()
  }
}

const page = '<html>Sign in to go on</html>'

test.each([
  ['a page of a proxy', page],
  ['half an answer', '[{"number":'],
  ['nothing', '']
])('a listing that is answered with %s is asked for again', async (_what, broken) =>
  answering([broken, '[{"number":1}]'], async (all, asked) => {
    expect(await all()).toEqual([{ number: 1 }])
    expect(asked()).toBe(2)
  })
)

test.each([
  ['a page each time', page, 'the answer is none of GitHub', 4],
  ['something else than a list', '{}', 'the answer is no list', 1]
])('one that is %s is an error, and not an empty one', async (_what, body, message, times) =>
  answering([body], async (all, asked) => {
    await expect(all()).rejects.toThrow(message)
    expect(asked()).toBe(times)
  })
)
