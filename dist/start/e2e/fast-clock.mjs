// Loaded before the action (NODE_OPTIONS=--import): its minutes pass CLOCK_PACE times as fast, so that patience of minutes
// runs out in seconds. Timers stay as they are: what is looked at meanwhile comes at its own pace.
const pace = Number(process.env.CLOCK_PACE)
const RealDate = Date
const monotonic = performance.now.bind(performance)
const [date, from] = [RealDate.now(), monotonic()]
const now = () => Math.round(date + (monotonic() - from) * pace)
performance.now = () => from + (monotonic() - from) * pace
globalThis.Date = class extends RealDate {
  constructor(...given) {
    if (given.length === 0) super(now())
    else super(...given)
  }
  static now() {
    return now()
  }
}
