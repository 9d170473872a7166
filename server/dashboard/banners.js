// Banners below the header: each has a key, a tone and a shape; the worst stand first.

import { byId, h, icon } from './dom.js';

const ORDER = ['red', 'amber', 'blue', 'grey'];

export class Banners {
  #shown = new Map();

  /** Shows one, or changes what it says. `children` are texts and elements, `action` a button that stays. */
  set(key, { tone, shape, children, action }) {
    const said = h('p', null, ...children);
    const shown = this.#shown.get(key);
    if (shown?.tone === tone) {
      // An equal text stays, so that a screen reader is not told again; the button stays, and so does the focus.
      if (shown.text.textContent !== said.textContent) shown.text.replaceChildren(...said.childNodes);
      return;
    }
    this.clear(key);
    const element = h('div', { class: `banner ${tone}`, 'data-banner': key }, icon(shape), said, action);
    this.#shown.set(key, { tone, text: said, element });
    this.#insert(element, tone);
  }

  clear(key) {
    this.#shown.get(key)?.element.remove();
    this.#shown.delete(key);
  }

  /** Clears those whose key begins so, but those in `kept`. */
  keep(prefix, kept) {
    for (const key of [...this.#shown.keys()]) if (key.startsWith(prefix) && !kept.has(key)) this.clear(key);
  }

  #insert(element, tone) {
    const place = byId('banners');
    const rank = ORDER.indexOf(tone);
    const next = [...place.children].find((other) => ORDER.findIndex((each) => other.classList.contains(each)) > rank);
    place.insertBefore(element, next ?? null);
  }
}
