import { breakingChanges } from '../../src/karpenter/upgrade-guide.js'

const guide = `---
title: "Upgrade Guide"
---

### CRD Upgrades

* **Breaking:** not of a version

<!--
### Upgrading to \`9.9.9\`+
* **Breaking:** a template for authors
-->

### Upgrading to \`1.16.0\`+

{{% alert title="Warning" color="warning" %}}
Karpenter \`1.1.0\` drops the support for \`v1beta1\` APIs.
{{% /alert %}}

* **Breaking:** The *metric* \`karpenter_a_*_total\` is now \`b\`, see [Metrics]({{<ref "../reference/metrics#b" >}}).
* A note with **Breaking:** in the middle.
* **Breaking changes:** A second one,
  which goes on in the next line
and in a lazy one.
  - with a point of its own

  and a paragraph.

  {{% alert title="Note" %}}
  and an alert
  {{% /alert %}}

A paragraph after it.

Full Changelog:
* https://github.com/aws/karpenter-provider-aws/releases/tag/v1.16.0

#### Upgrading to v1.15.1+
- **Breaking**: of a patch
- **Breaking:**

### Upgrading to \`1.15.0\`+

* **Breaking:** Node repair is a **disruption method**.

### Upgrading to \`1.14.0\`+

* No breaking changes
`

describe('breakingChanges', () => {
  it('has those of every version after the one and up to the other, the oldest first, in plain words', () => {
    expect(breakingChanges(guide, '1.14.3', '1.16.0')).toEqual([
      { version: '1.15.0', text: 'Node repair is a disruption method.' },
      { version: '1.15.1', text: 'of a patch' },
      { version: '1.16.0', text: 'The metric `karpenter_a_*_total` is now `b`, see Metrics.' },
      {
        version: '1.16.0',
        text: 'A second one, which goes on in the next line and in a lazy one. with a point of its own and a paragraph. and an alert'
      }
    ])
  })

  it.each([
    ['1.15.0', '1.15.2', ['1.15.1']],
    ['1.15.1', '1.15.2', []],
    ['1.13.1', '1.15.0', ['1.15.0']],
    ['1.14.1-rc.0', '1.15.0-rc.1', ['1.15.0']],
    ['1.16.0', '1.14.3', []]
  ])('from %s to %s names those of %j', (from, to, versions) => {
    expect(breakingChanges(guide, from, to).map(({ version }) => version)).toEqual(versions)
  })

  it.each(['', '# Upgrade Guide', '### Upgrading to the newest\n* **Breaking:** a'])(
    'has none of %j, nor of what is no version',
    (text) => {
      expect(breakingChanges(text, '1.14.0', '1.16.0')).toEqual([])
      expect(breakingChanges(guide, 'main', '1.16.0')).toEqual([])
    }
  )
})
