// What records now, with running times.

import { byId, h, Rows, soon, table } from './dom.js';
import { elapsed, stamp } from './format.js';
import { announce } from './notices.js';
import { badge, nameOf, stateWord } from './words.js';

const COLUMNS = ['State', 'Meeting', 'Elapsed', 'Started by', 'This state until', ''];

export class Live {
  #store;
  #commands;
  #session;
  #rows;
  #empty = h('p', { class: 'empty' }, 'Nothing is being recorded.');

  constructor({ store, commands, session }) {
    this.#store = store;
    this.#commands = commands;
    this.#session = session;
    const body = h('tbody');
    this.#rows = new Rows(body, (recording) => this.#row(recording));
    byId('live').append(this.#empty, table('live', COLUMNS, body));
    const show = soon(() => this.show());
    store.addEventListener('change', show);
    store.addEventListener('change', ({ detail }) => tell(detail));
    store.addEventListener('reset', show);
  }

  show() {
    const live = this.#store.list((recording) => recording.live);
    this.#rows.show(live);
    byId('live-count').textContent = live.length || '';
    this.#empty.hidden = live.length > 0;
    byId('live').querySelector('table').hidden = !live.length;
  }

  #row({ id }) {
    const cells = ['state', 'name', 'time', 'by', 'limit', 'act'].map((name) => h('td', { class: name }));
    const [state, name, time, by, limit, act] = cells;
    const stop = h(
      'button',
      { type: 'button', class: 'danger', click: () => this.#commands.stop(this.#store.get(id)) },
      'Stop',
    );
    act.append(stop);
    let first = true;
    const update = (recording) => {
      state.replaceChildren(badge(recording));
      time.replaceChildren(elapsed(recording.startedAt ?? recording.createdAt));
      by.replaceChildren(recording.startedBy);
      limit.replaceChildren(stamp(recording.deadlineAt));
      stop.hidden = !this.#session.controls(recording.meetingId);
      stop.disabled = recording.state === 'stopping';
      if (first) {
        name.replaceChildren(...nameOf(recording));
        stop.setAttribute('aria-label', `Stop recording ${recording.meetingId}`);
      }
      first = false;
    };
    return { element: h('tr', { 'data-recording': id }, cells), update };
  }
}

/** Only changes of what was known are news; what a page finds when it opens is not. */
function tell({ recording, before }) {
  if (before && before.state !== recording.state) announce(`${recording.meetingId}: ${stateWord(recording.state)}`);
}
