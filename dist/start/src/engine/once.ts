import { begun, joined } from './calls.js'

/** A read that is made when it is first asked for, and once: whoever asks gets the same answer, or the same error. */
export function once<T>(read: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | undefined
  return async () => joined((answer ??= begun(read)))
}

/** The same for each question, which is plain JSON. */
export function onceEach<A extends readonly unknown[], T>(
  read: (...question: A) => Promise<T>
): (...question: A) => Promise<T> {
  const answers = new Map<string, Promise<T>>()
  return async (...question) => {
    const key = JSON.stringify(question)
    const answer = answers.get(key) ?? begun(async () => read(...question))
    answers.set(key, answer)
    return joined(answer)
  }
}

/**
 * One read for all who ask while its answer is under way: several resources of one service then cost one request. Who
 * asks later, after a change, gets a new answer. What is asked with is the first one's: it must be the same for all.
 */
export function sharedRead<A extends readonly unknown[], T>(
  read: (...asked: A) => Promise<T>
): (...asked: A) => Promise<T> {
  let underWay: Promise<T> | undefined
  return async (...asked) =>
    joined(
      (underWay ??= begun(async () =>
        read(...asked).finally(() => {
          underWay = undefined
        })
      ))
    )
}
