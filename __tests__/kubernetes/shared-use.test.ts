import { SharedUse } from '../../src/kubernetes/shared-use.js'

const never = new AbortController().signal

/** What is opened, numbered, and which of it has been closed. */
function opening() {
  const closed: number[] = []
  let opened = 0
  const open = () => {
    const number = ++opened
    return {
      number,
      close: async () => {
        closed.push(number)
      }
    }
  }
  return { open, closed }
}

const turn = async (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('who come at the same time use the same, which is closed when the last is done', async () => {
  const { open, closed } = opening()
  const shared = new SharedUse(open)
  const [first, second] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()]
  const using = [first, second].map(async ({ promise }) =>
    shared.use(never, async ({ number }) => {
      await promise
      return number
    })
  )
  first.resolve(undefined)
  expect(await using[0]).toBe(1)
  expect(closed).toEqual([])
  second.resolve(undefined)
  expect(await using[1]).toBe(1)
  expect(closed).toEqual([1])
  expect(await shared.use(never, async ({ number }) => Promise.resolve(number))).toBe(2)
  expect(closed).toEqual([1, 2])
})

test('it stays open for a while for who comes next, and is closed after that', async () => {
  const { open, closed } = opening()
  const shared = new SharedUse(open, 20)
  const number = async (): Promise<number> =>
    shared.use(never, async (thing) => Promise.resolve(thing.number))
  expect([await number(), await number(), await number()]).toEqual([1, 1, 1])
  expect(closed).toEqual([])
  while (closed.length === 0) await turn()
  expect(await number()).toBe(2)
  expect(closed).toEqual([1])
})

test('who comes after a failure gets a new one, and what has failed is closed when the others are done', async () => {
  const { open, closed } = opening()
  const shared = new SharedUse(open, 60_000)
  const other = Promise.withResolvers<undefined>()
  const going = shared.use(never, async ({ number }) => {
    await other.promise
    return number
  })
  await expect(shared.use(never, async () => Promise.reject(new Error('broken')))).rejects.toThrow('broken')
  expect(closed).toEqual([])
  expect(await shared.use(never, async ({ number }) => Promise.resolve(number))).toBe(2)
  other.resolve(undefined)
  expect(await going).toBe(1)
  expect(closed).toEqual([1])
})
