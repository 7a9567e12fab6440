import { once, onceEach, sharedRead } from '../../src/engine/once.js'

/** A read that counts how often it is made. */
function counted(): {
  readonly read: (...question: readonly unknown[]) => Promise<number>
  readonly reads: () => number
} {
  let reads = 0
  return { read: async () => ++reads, reads: () => reads }
}

describe('once', () => {
  it('reads when it is first asked, and never again', async () => {
    const { read, reads } = counted()
    const asked = once(read)
    expect(reads()).toBe(0)
    expect(await Promise.all([asked(), asked()])).toEqual([1, 1])
    expect(await asked()).toBe(1)
  })

  it('gives everybody the same error', async () => {
    let reads = 0
    const asked = once(async () => Promise.reject(new Error(`no ${++reads}`)))
    await expect(asked()).rejects.toThrow('no 1')
    await expect(asked()).rejects.toThrow('no 1')
  })
})

describe('onceEach', () => {
  it('reads once for each question, whoever puts it', async () => {
    const { read, reads } = counted()
    const asked = onceEach(async (of: { readonly id: string }, more: readonly string[]) => read(of, more))
    expect(await Promise.all([asked({ id: 'a' }, []), asked({ id: 'a' }, [])])).toEqual([1, 1])
    expect(await asked({ id: 'b' }, [])).toBe(2)
    expect(await asked({ id: 'a' }, ['b'])).toBe(3)
    expect(await asked({ id: 'b' }, [])).toBe(2)
    expect(reads()).toBe(3)
  })
})

describe('sharedRead', () => {
  it('shares an answer that is under way, and reads again for who asks later', async () => {
    const shared = sharedRead(counted().read)
    expect(await Promise.all([shared(), shared()])).toEqual([1, 1])
    expect(await shared()).toBe(2)
  })
})
