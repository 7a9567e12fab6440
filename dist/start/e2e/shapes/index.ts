import { eksctl } from './eksctl.js'
import { guide } from './guide.js'
import { helmAlone } from './helm-alone.js'
import { kubectlDatadog, kubectlDatadogOnNodes } from './kubectl-datadog.js'
import type { Shape } from './shape.js'
import { terraform } from './terraform.js'

/** Tools that people have installed Karpenter with. */
export const shapes: readonly Shape[] = [
  guide,
  eksctl,
  terraform,
  helmAlone,
  kubectlDatadog,
  kubectlDatadogOnNodes
]
