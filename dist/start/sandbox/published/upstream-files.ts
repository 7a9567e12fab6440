import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** A release's files in upstream's repository, by their path there. */
export type UpstreamFiles = Readonly<Record<string, string>>

export const upstreamPaths = {
  template: 'website/content/en/preview/getting-started/getting-started-with-karpenter/cloudformation.yaml',
  version: 'pkg/providers/version/version.go',
  nodeClass: 'pkg/apis/v1/ec2nodeclass.go',
  upgradeGuide: 'website/content/en/preview/upgrading/upgrade-guide.md'
} as const

/** How a release differs from the one whose program and chart it has. */
export interface UpstreamChanges {
  /** Oldest and newest Kubernetes, as version.go has them: `1.30`. */
  readonly kubernetes: readonly [least: string, most: string]
  /** Given to the controller besides, in every statement that has `beside`. */
  readonly action: { readonly name: string; readonly beside: string }
  /** One line of the upgrade guide. */
  readonly breaking: string
}

/**
 * The files as a release has them: the Go files from its own module, the template as it is given. A module has no website/,
 * so a real release has no upgrade guide here.
 */
export async function upstreamFilesOf(sourceDir: string, template: string): Promise<UpstreamFiles> {
  const read = async (path: string): Promise<string> => readFile(join(sourceDir, path), 'utf8')
  return {
    [upstreamPaths.template]: template,
    [upstreamPaths.version]: await read(upstreamPaths.version),
    [upstreamPaths.nodeClass]: await read(upstreamPaths.nodeClass)
  }
}

/**
 * The files of a later release. The hash version of EC2NodeClasses stays, as the program writes it; the upgrade guide has the
 * sections of this release and of the one before, in the form that upstream's has.
 */
export function laterFiles(files: UpstreamFiles, version: string, changes: UpstreamChanges): UpstreamFiles {
  const [least, most] = changes.kubernetes
  const { name, beside } = changes.action
  return {
    ...files,
    [upstreamPaths.version]: changed(files, upstreamPaths.version, [
      [/^(\tMinK8sVersion = )"[\d.]+"$/m, `$1"${least}"`],
      [/^(\tMaxK8sVersion = )"[\d.]+"$/m, `$1"${most}"`]
    ]),
    [upstreamPaths.template]: changed(files, upstreamPaths.template, [
      [new RegExp(`"${beside}"`, 'g'), `"${beside}", "${name}"`]
    ]),
    [upstreamPaths.upgradeGuide]: upgradeGuide(version, changes.breaking)
  }
}

function changed(
  files: UpstreamFiles,
  path: string,
  changes: readonly (readonly [RegExp, string])[]
): string {
  return changes.reduce((text, [pattern, replacement]) => {
    const next = text.replace(pattern, replacement)
    if (next === text) throw new Error(`${path}: nothing in it matches ${pattern}; it has changed its form.`)
    return next
  }, files[path] ?? '')
}

function upgradeGuide(version: string, breaking: string): string {
  const [major = '', minor = ''] = version.split('.')
  return `---
title: "Upgrade Guide"
linkTitle: "Upgrade Guide"
weight: 10
description: >
  How to come to a later release
---

What to know before the controller is replaced.

### Upgrading to \`${major}.${minor}.0\`+

* **Breaking:** ${breaking}
* Metrics of the batcher have help texts.

### Upgrading to \`${major}.${Number(minor) - 1}.0\`+

* **Breaking:** Something that came a release before.
`
}
