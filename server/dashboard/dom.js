// Elements made of text. Whatever comes from outside, such as a meeting's name, becomes a text node and never markup.

const SVG = 'http://www.w3.org/2000/svg';

/** An element. Attributes that are functions become listeners, `true` an empty attribute; false and null are left out. */
export function h(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (typeof value === 'function') element.addEventListener(name, value);
    else if (value !== false && value != null) element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.flat().filter((child) => child != null && child !== false));
  return element;
}

/** A shape of the page's sprite. It says nothing to a screen reader: a word stands beside it. */
export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS(SVG, 'use');
  use.setAttribute('href', `#i-${document.getElementById(`i-${name}`) ? name : 'unknown'}`);
  svg.append(use);
  return svg;
}

/** A table with a row of headings. */
export const table = (name, headings, body) =>
  h('table', name && { class: name }, h('thead', null, h('tr', null, headings.map(heading))), body);

const heading = (text) => h('th', { scope: 'col' }, text);

/** A function that does its work once, soon, however often it is called until then. */
export function soon(work) {
  let due = false;
  return () => {
    if (due) return;
    due = true;
    setTimeout(() => {
      due = false;
      work();
    });
  };
}

export const byId = (id) => document.getElementById(id);

/**
 * Rows that stay the same elements while their items change, so that the focus stays where it is.
 * `make` returns `{element, update(item)}`. An item that changed is another object.
 */
export class Rows {
  #container;
  #make;
  #rows = new Map();

  constructor(container, make) {
    this.#container = container;
    this.#make = make;
  }

  show(items) {
    const wanted = new Set(items.map((item) => item.id));
    for (const [id, row] of this.#rows) {
      if (wanted.has(id)) continue;
      row.element.remove();
      this.#rows.delete(id);
    }
    items.forEach((item, place) => this.#place(this.#row(item), place));
  }

  #row(item) {
    if (!this.#rows.has(item.id)) this.#rows.set(item.id, this.#make(item));
    const row = this.#rows.get(item.id);
    if (row.item !== item) row.update(item);
    row.item = item;
    return row.element;
  }

  #place(element, place) {
    const there = this.#container.children[place];
    if (there !== element) this.#container.insertBefore(element, there ?? null);
  }
}
