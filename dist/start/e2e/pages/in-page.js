/* global document, mermaid */
// Runs in the browser, beside mermaid.

/** Draws each block of Mermaid in its place. */
async function draw() {
  const blocks = [...document.querySelectorAll('code.language-mermaid')]
  if (blocks.length > 0) mermaid.initialize({ startOnLoad: false, securityLevel: 'strict' })
  const notDrawn = []
  const bars = []
  for (const [index, code] of blocks.entries()) {
    try {
      const { svg } = await mermaid.render(`drawing-${index}`, code.textContent)
      const place = document.createElement('div')
      place.innerHTML = svg
      for (const text of place.querySelectorAll('text[class*="taskText"]')) bars.push(text.textContent)
      code.parentElement.replaceWith(place)
    } catch (error) {
      notDrawn.push(String(error))
    }
  }
  return { notDrawn, bars }
}

/** What is wider than the column, and heads of tables that say nothing. */
function measure() {
  const edge = document.querySelector('article').getBoundingClientRect().right + 1
  const first = (element) => `${element.tagName.toLowerCase()}: ${element.textContent.trim().slice(0, 80)}`
  const wide = (element) =>
    element.getBoundingClientRect().right > edge ||
    (['TABLE', 'PRE'].includes(element.tagName) && element.scrollWidth > element.clientWidth)
  return {
    tooWide: [...document.querySelectorAll('article *:not(svg *)')].filter(wide).map(first),
    emptyHeads: [...document.querySelectorAll('thead')]
      .filter((head) => head.textContent.trim() === '')
      .map((head) => first(head.parentElement))
  }
}

Object.assign(globalThis, { draw, measure })
