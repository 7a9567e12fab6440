import { type GitHubApi, startGitHubApi } from '../../../sandbox/runner/github-api.js'
import { list, record } from '../../../sandbox/values.js'

const path = '/repos/octo-org/octo-repo/issues'
let github: GitHubApi

beforeEach(async () => {
  github = await startGitHubApi(['octo-org/octo-repo'])
})
afterEach(async () => github.stop())

interface Answer {
  readonly status: number
  readonly body: unknown
  readonly headers: Headers
}

async function ask(method: string, where: string, body?: unknown, token = github.token): Promise<Answer> {
  const response = await fetch(`${github.url}${where}`, {
    method,
    headers: { authorization: `Bearer ${token}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) })
  })
  return { status: response.status, body: await response.json(), headers: response.headers }
}

function numbers({ body }: Answer): readonly unknown[] {
  return list(body).map((issue) => record(issue)['number'])
}

describe("the stand-in of GitHub's REST API", () => {
  it('creates, changes and comments', async () => {
    const created = await ask('POST', path, { title: 'A', body: 'b', labels: ['x'] })
    expect(created).toMatchObject({
      status: 201,
      body: { number: 1, state: 'open', labels: [{ name: 'x' }] }
    })
    const closed = await ask('PATCH', `${path}/1`, { state: 'closed' })
    expect(closed).toMatchObject({ status: 200, body: { title: 'A', body: 'b', state: 'closed' } })
    expect((await ask('POST', `${path}/1/comments`, { body: 'c' })).status).toBe(201)
    expect(github.comments()).toMatchObject([{ id: 1, issue: 1, body: 'c' }])
    expect(github.issues()).toMatchObject([{ number: 1, state: 'closed' }])
  })

  it('lists open ones first made last, pull requests among them, by state and labels', async () => {
    github.put({ labels: ['x'] })
    github.put({ labels: ['x', 'y'], state: 'closed' })
    github.put({ labels: ['x'], pullRequest: true })
    expect(numbers(await ask('GET', path))).toEqual([3, 1])
    expect(numbers(await ask('GET', `${path}?state=all`))).toEqual([3, 2, 1])
    expect(numbers(await ask('GET', `${path}?state=all&labels=x,y`))).toEqual([2])
    expect(list((await ask('GET', path)).body)[0]).toHaveProperty('pull_request')
  })

  it('gives one issue, and lists those of one creator', async () => {
    github.put({ title: 'Of a person' })
    await ask('POST', path, { title: 'Of a workflow' })
    expect(await ask('GET', `${path}/1`)).toMatchObject({ status: 200, body: { title: 'Of a person' } })
    expect((await ask('GET', `${path}/9`)).status).toBe(404)
    expect(numbers(await ask('GET', `${path}?creator=octocat`))).toEqual([1])
    expect(numbers(await ask('GET', `${path}?creator=${encodeURIComponent('github-actions[bot]')}`))).toEqual(
      [2]
    )
  })

  it('leads from page to page by the Link header', async () => {
    for (let i = 0; i < 5; i++) github.put({})
    const first = await ask('GET', `${path}?per_page=3`)
    expect(numbers(first)).toEqual([5, 4, 3])
    const next = /<(.+)>; rel="next"/.exec(first.headers.get('link') ?? '')?.[1] ?? ''
    const second = await ask('GET', next.replace(github.url, ''))
    expect(numbers(second)).toEqual([2, 1])
    expect(second.headers.get('link')).toBeNull()
  })

  it('lists the comments under a pull request, the oldest first, and edits one', async () => {
    github.put({ pullRequest: true })
    github.putComment({ issue: 1, body: 'first', association: 'MEMBER' })
    await ask('POST', `${path}/1/comments`, { body: 'second' })
    expect((await ask('PATCH', `${path}/comments/2`, { body: 'third' })).status).toBe(200)
    expect((await ask('GET', `${path}/1/comments`)).body).toMatchObject([
      { id: 1, body: 'first', user: { login: 'octocat', type: 'User' }, author_association: 'MEMBER' },
      { id: 2, body: 'third', user: { type: 'Bot' } }
    ])
    const first = await ask('GET', `${path}/1/comments?per_page=1`)
    expect([list(first.body).length, first.headers.get('link')]).toEqual([
      1,
      expect.stringContaining('page=2')
    ])
    expect((await ask('PATCH', `${path}/comments/9`, { body: 'x' })).status).toBe(404)
    expect((await ask('PATCH', `${path}/comments/2`, { body: 'x'.repeat(65_537) })).status).toBe(422)
  })

  it('refuses a bad token, an unknown repository or issue, and what is not valid', async () => {
    expect((await ask('GET', path, undefined, 'other')).status).toBe(401)
    expect((await ask('GET', '/repos/octo-org/other/issues')).status).toBe(404)
    expect((await ask('PATCH', `${path}/9`, { body: 'x' })).status).toBe(404)
    expect((await ask('POST', path, { body: 'no title' })).status).toBe(422)
    expect((await ask('POST', path, { title: 'A', body: 'x'.repeat(65_537) })).status).toBe(422)
    github.put({})
    expect((await ask('PATCH', `${path}/1`, { state: 'gone' })).status).toBe(422)
    expect((await ask('POST', `${path}/1/comments`, {})).status).toBe(422)
    expect(github.issues()).toHaveLength(1)
  })

  it('goes wrong as it is told to', async () => {
    github.setFault({ kind: 'no write' })
    expect((await ask('GET', path)).status).toBe(200)
    expect((await ask('POST', path, { title: 'A' })).status).toBe(403)
    github.setFault({ kind: 'issues disabled' })
    expect((await ask('GET', path)).status).toBe(410)
    github.setFault({ kind: 'secondary rate limit', times: 1 })
    const limited = await ask('GET', path)
    expect([limited.status, limited.headers.get('retry-after')]).toEqual([403, '1'])
    expect((await ask('GET', path)).status).toBe(200)
    github.setFault({ kind: 'labels dropped' })
    expect((await ask('POST', path, { title: 'A', labels: ['x'] })).body).toMatchObject({ labels: [] })
    github.setFault({ kind: 'drop' })
    await expect(ask('GET', path)).rejects.toThrow()
    github.setFault(undefined)
    expect((await ask('GET', path)).status).toBe(200)
  })
})
