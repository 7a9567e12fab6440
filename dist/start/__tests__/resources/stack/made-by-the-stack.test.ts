import { madeByTheStack } from '../../../src/resources/stack/made-by-the-stack.js'
import { textResource } from '../../engine/fake-resources.js'
import { recordedStep } from '../step.js'

const signal = new AbortController().signal

/** Whether an install writes, with what is there before and whether the stack has made the part since. */
async function writes(before: string | undefined, isMade: boolean): Promise<boolean> {
  const world = new Map(before === undefined ? [] : [['role', before]])
  const applied: string[] = []
  const part = madeByTheStack(
    textResource('role', ['stack'], world, { apply: async () => void applied.push('role') }),
    () => isMade
  )
  const inspection = (await part.inspect(signal)).leaving((path) => path === 'ignored')
  await inspection.apply(recordedStep())
  return applied.length > 0
}

test('what was not there, and the stack has made, is not read again', async () => {
  expect(await writes(undefined, true)).toBe(false)
})

test('what the stack has not made in this run is put right', async () => {
  expect(await writes(undefined, false)).toBe(true)
})

test('what was there and differs is put right, whatever the stack has made', async () => {
  expect(await writes('edited', true)).toBe(true)
})
