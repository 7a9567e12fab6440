import { Masks } from './masks.js'
import { parseWorkflowCommand, type WorkflowCommand } from './workflow-commands.js'

export interface Annotation {
  readonly level: 'error' | 'warning' | 'notice'
  readonly title: string | undefined
  /** Masked, and cut at 4,096 characters, as GitHub cuts it. */
  readonly message: string
  readonly file: string | undefined
}

const ANNOTATION_LIMIT = 4096
/** Annotations of one level that GitHub keeps for a step. */
const ANNOTATIONS_KEPT = 10

/** What GitHub's log page makes of a step's output: masked, commands carried out, groups folded. */
export class StepLog {
  readonly masks: Masks
  readonly annotations: Annotation[] = []
  /** Every line as the log keeps it, groups opened. */
  readonly lines: string[] = []
  /** The lines that are seen when no group is opened; a group is one line. */
  readonly visible: string[] = []
  /** Outputs and state by the commands of old, which the runner still takes. */
  readonly outputs: Record<string, string> = {}
  readonly state: Record<string, string> = {}
  readonly #debug: boolean
  #inGroup = false
  #stopToken: string | undefined

  constructor(masks: Masks, debug: boolean) {
    this.masks = masks
    this.#debug = debug
  }

  /** Takes one line of stdout or stderr. */
  take(line: string): void {
    const command = parseWorkflowCommand(line, this.#stopToken)
    if (this.#stopToken !== undefined) {
      if (command?.name === this.#stopToken) {
        this.#stopToken = undefined
        return
      }
      this.#show(line)
      return
    }
    if (command === undefined || !this.#carryOut(command)) {
      this.#show(line)
    }
  }

  /** Adds an annotation that is the runner's own. */
  annotate(level: Annotation['level'], message: string): void {
    this.#annotation({ name: level, properties: {}, data: message }, level)
  }

  /** Whether the command is one that the runner knows. */
  #carryOut(command: WorkflowCommand): boolean {
    switch (command.name) {
      case 'add-mask':
        this.masks.add(command.data)
        return true
      case 'debug':
        if (this.#debug) {
          this.#show(`##[debug]${command.data}`)
        }
        return true
      case 'error':
      case 'warning':
      case 'notice':
        this.#annotation(command, command.name)
        return true
      case 'group':
        this.#inGroup = false
        this.#show(`▶ ${command.data}`)
        this.#inGroup = true
        return true
      case 'endgroup':
        this.#inGroup = false
        return true
      case 'stop-commands':
        this.#stopToken = command.data.toLowerCase()
        return true
      case 'set-env':
      case 'add-path':
        // The runner refuses them: they were how the output of a step took over the job.
        this.#annotation(
          { name: 'error', properties: {}, data: `The \`${command.name}\` command is disabled.` },
          'error'
        )
        return true
      case 'set-output':
        this.outputs[command.properties['name'] ?? ''] = command.data
        return true
      case 'save-state':
        this.state[command.properties['name'] ?? ''] = command.data
        return true
      case 'echo':
      case 'add-matcher':
      case 'remove-matcher':
        return true
      default:
        return false
    }
  }

  #annotation(command: WorkflowCommand, level: Annotation['level']): void {
    const message = this.masks.apply(command.data)
    const prefix = { error: 'Error', warning: 'Warning', notice: 'Notice' }[level]
    this.#show(`${prefix}: ${message}`)
    if (this.annotations.filter((annotation) => annotation.level === level).length < ANNOTATIONS_KEPT) {
      this.annotations.push({
        level,
        title: command.properties['title'],
        message: message.slice(0, ANNOTATION_LIMIT),
        file: command.properties['file']
      })
    }
  }

  #show(text: string): void {
    const lines = this.masks.apply(text).split('\n')
    this.lines.push(...lines)
    if (!this.#inGroup) {
      this.visible.push(...lines)
    }
  }
}
