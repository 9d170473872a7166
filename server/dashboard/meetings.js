// For tokens that are no operator's: the meetings that they give a role in. Each that is watched has a stream of its own.

import { byId, h } from './dom.js';

const WATCHED_MAX = 4;
// A browser opens six connections to a server; calls need some of them.

/** Fires `change` when `watched` or `chosen`, the meeting whose recordings are listed, has changed. */
export class Meetings extends EventTarget {
  watched = [];
  chosen = null;
  #session;
  #known = [];

  constructor(session) {
    super();
    this.#session = session;
  }

  /** Begins anew with the token's own meetings. */
  reset() {
    byId('meetings').hidden = this.#session.operator || !this.#session.active;
    this.#known = this.#session.operator ? [] : this.#session.meetings;
    this.watched = this.#known.slice(0, WATCHED_MAX);
    this.chosen = this.watched[0] ?? null;
    this.#show();
  }

  /** Watches a meeting, in place of the one that was chosen longest ago if they are too many, and lists its recordings. */
  choose(meeting) {
    if (!this.#known.includes(meeting)) this.#known = [...this.#known, meeting];
    this.watched = [...this.watched.filter((each) => each !== meeting), meeting].slice(-WATCHED_MAX);
    this.chosen = meeting;
    this.#show();
    this.dispatchEvent(new CustomEvent('change'));
  }

  #show() {
    const few =
      this.#known.length > WATCHED_MAX
        ? h('p', { class: 'hint' }, `${WATCHED_MAX} meetings are followed live at a time: the last that were chosen.`)
        : '';
    byId('meetings-body').replaceChildren(
      h(
        'ul',
        { class: 'chips' },
        this.#known.map((meeting) => this.#chip(meeting)),
      ),
      few,
      this.#session.everywhere ? this.#form() : '',
    );
  }

  #chip(meeting) {
    const role = this.#session.roleIn(meeting)?.toLowerCase().replace('_', '-') ?? '';
    const watched = this.watched.includes(meeting) ? 'watched' : '';
    return h(
      'li',
      null,
      h(
        'button',
        {
          type: 'button',
          class: `chip ${watched}`,
          'aria-pressed': String(meeting === this.chosen),
          click: () => this.choose(meeting),
        },
        meeting,
        h('span', { class: 'hint' }, role),
      ),
    );
  }

  #form() {
    const input = h('input', {
      id: 'watch',
      required: true,
      maxlength: '64',
      pattern: '[A-Za-z0-9_.:\\-]{1,64}',
      autocomplete: 'off',
      spellcheck: 'false',
    });
    const submit = (event) => {
      event.preventDefault();
      this.choose(input.value);
      byId('watch')?.focus();
    };
    return h(
      'form',
      { class: 'watch', submit },
      h('label', { for: 'watch' }, 'Meeting to follow'),
      input,
      h('button', { type: 'submit' }, 'Follow'),
    );
  }
}
