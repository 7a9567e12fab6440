/** `expect.stringContaining`, typed. */
export function containing(text: string): unknown {
  return expect.stringContaining(text)
}
