// Whether this page is up to date: the word in the header, and the banner while it is not.

import { byId, h, icon } from './dom.js';
import { now, timeOfDay } from './format.js';

const WORST_FIRST = ['signed-out', 'lost', 'connecting', 'live', 'refused'];
const WORDS = {
  live: 'Live',
  connecting: 'Connecting …',
  lost: 'Connection lost',
  'signed-out': 'Signed out',
  refused: 'Not allowed',
};

/**
 * Takes the states of all streams by their names, and shows the worst. `retry` tries them all at once; `back` is called
 * when all are live again after a loss.
 */
export class Connection {
  #states = new Map();
  #shown = '';
  #lostAt = null;
  #reason = '';
  #banners;
  #back;
  #button;

  constructor(banners, { retry, back }) {
    this.#banners = banners;
    this.#back = back;
    this.#button = h('button', { type: 'button', click: retry }, 'Try now');
  }

  set(name, state) {
    this.#states.set(name, state);
    this.#show();
  }

  drop(name) {
    this.#states.delete(name);
    this.#show();
  }

  #show() {
    const states = [...this.#states.values()];
    const worst = WORST_FIRST.map((name) => states.find((state) => state.name === name)).find(Boolean);
    const key = worst ? `${worst.name} ${worst.at ?? ''}` : '';
    if (key === this.#shown) return;
    this.#shown = key;
    this.#word(worst);
    this.#banner(worst);
  }

  #word(state) {
    const place = byId('connection');
    place.hidden = !state;
    if (!state) return;
    place.dataset.state = state.name;
    place.replaceChildren(icon(state.name === 'live' ? 'active' : 'starting'), WORDS[state.name]);
  }

  #banner(state) {
    const lost = state?.name === 'lost' || (state?.name === 'connecting' && this.#lostAt);
    document.body.classList.toggle('stale', Boolean(lost) || state?.name === 'signed-out');
    if (!lost) {
      this.#banners.clear('connection');
      if (state?.name === 'live' && this.#lostAt) this.#back();
      if (state?.name !== 'signed-out') this.#lostAt = null;
      return;
    }
    this.#lostAt ??= new Date(now()).toISOString();
    this.#banners.set('connection', {
      tone: 'red',
      shape: 'warning',
      children: this.#told(state),
      action: this.#button,
    });
  }

  #told(state) {
    if (state.name === 'lost') this.#reason = state.problem?.detail ?? 'The server ended the connection.';
    const again = state.name === 'lost' ? `It is tried again at ${timeOfDay(state.at)}.` : 'Trying again …';
    const since = ` since ${timeOfDay(this.#lostAt)}. What you see may be out of date. `;
    return [h('strong', null, 'Connection lost'), since, `${this.#reason} ${again}`];
  }
}
