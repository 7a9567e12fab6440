import { spawn } from 'node:child_process'

/** Ends what a sandbox has started and removes its folder when this process goes without having done so itself. */
export interface Reaper {
  /** Takes a process in its care, until `ended`. */
  watch(pid: number | undefined, ended: Promise<unknown>): void
  /** Ends without doing anything: all has been cleared away. */
  stop(): Promise<void>
}

// Reads `+pid` and `-pid` lines. Its input ends when this process does, however that comes about.
const SCRIPT = `
trap '' INT TERM HUP
pids=' '
while read -r line; do
  pid="\${line#?}"
  case "$line" in
    +*) pids="$pids$pid " ;;
    -*) case "$pids" in *" $pid "*) pids="\${pids%% $pid *} \${pids#* $pid }" ;; esac ;;
    done) exit 0 ;;
  esac
done
for pid in $pids; do kill -KILL "$pid"; done 2>/dev/null
rm -rf "$1"
`

/** Starts the reaper of one sandbox. */
export function startReaper(folder: string): Reaper {
  const child = spawn('/bin/sh', ['-c', SCRIPT, 'reaper', folder], {
    stdio: ['pipe', 'ignore', 'ignore'],
    // Out of the terminal's reach: Ctrl-C goes to every process of the foreground group.
    detached: true
  })
  const exit = new Promise<void>((resolve) => {
    child.once('exit', () => resolve())
    child.once('error', () => resolve())
  })
  child.unref()
  child.stdin.on('error', () => undefined)
  const say = (line: string): void => void child.stdin.write(`${line}\n`)
  return {
    watch: (pid, ended) => {
      if (pid === undefined) {
        return
      }
      say(`+${pid}`)
      const forget = (): void => say(`-${pid}`)
      ended.then(forget, forget)
    },
    stop: async () => {
      child.ref()
      child.stdin.end('done\n')
      await exit
    }
  }
}
