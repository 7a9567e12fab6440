// Loaded before the action (NODE_OPTIONS=--import): a runner whose clock is wrong by CLOCK_SHIFT milliseconds.
const shift = Number(process.env.CLOCK_SHIFT)
const RealDate = Date
globalThis.Date = class extends RealDate {
  constructor(...given) {
    if (given.length === 0) super(RealDate.now() + shift)
    else super(...given)
  }
  static now() {
    return RealDate.now() + shift
  }
}
