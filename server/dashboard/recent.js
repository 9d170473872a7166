// The list of recordings: filtered by the server, kept up to date by the streams, and the failures above it.

import { byId, h, Rows, soon, table } from './dom.js';
import { bytes, clock, none, stamp } from './format.js';
import { complain } from './notices.js';
import { badge, endWord, linkTo, nameOf } from './words.js';

const FAILURES = 5;
const FILTERS = ['status', 'completeness', 'meetingId', 'externalId'];
const COLUMNS = ['State', 'Meeting', 'Created', 'Duration', 'Size', 'Ended'];

export class Recent {
  #store;
  #api;
  #source;
  #filters = {};
  #next = null;
  #oldest = null;
  #round = 0;
  #rows;
  #failures = new Rows(byId('failures'), failure);
  #empty = h('p', { class: 'empty' }, 'No recording fits.');

  /** `source(filters)` gives path and query of the list, all meetings' or one meeting's; null if there is none to show. */
  constructor({ store, api, source }) {
    this.#store = store;
    this.#api = api;
    this.#source = source;
    const body = h('tbody');
    this.#rows = new Rows(body, row);
    byId('recent').append(this.#empty, table('recent', COLUMNS, body));
    byId('more').addEventListener('click', () => this.#more());
    store.addEventListener(
      'change',
      soon(() => this.show()),
    );
    store.addEventListener('reset', () => this.load());
  }

  /** Sets the filters, an object of texts, and loads the newest page and the last failures. */
  async filter(filters) {
    this.#filters = Object.fromEntries(FILTERS.map((name) => [name, filters[name] ?? '']));
    for (const [name, value] of Object.entries(this.#filters)) byId('filters').elements[name].value = value;
    await this.load();
  }

  async load() {
    this.#next = this.#oldest = null;
    const round = ++this.#round;
    await Promise.all([this.#page(round, {}), this.#get(round, { status: 'failed' }, { limit: FAILURES })]);
    this.show();
  }

  show() {
    const shown = this.#store.list((recording) => this.#fits(recording));
    this.#rows.show(shown);
    byId('recent-count').textContent = shown.length ? `${shown.length}${this.#next ? '+' : ''}` : '';
    this.#empty.hidden = shown.length > 0;
    byId('recent').querySelector('table').hidden = !shown.length;
    byId('more').hidden = !this.#next;
    const failed = this.#store.list((recording) => recording.status === 'failed').slice(0, FAILURES);
    this.#failures.show(failed);
    byId('failures-section').hidden = !failed.length;
  }

  async #page(round, place) {
    const page = await this.#get(round, this.#filters, place);
    if (!page) return;
    this.#next = page.nextCursor;
    this.#oldest = page.items.at(-1)?.id ?? this.#oldest;
    this.show();
  }

  /** A page, whose recordings go into the store; null if it could not be had, or came too late to matter. */
  async #get(round, filters, place) {
    const source = this.#source(filters);
    if (!source) return null;
    try {
      const page = await this.#api.get(source.path, { ...source.query, ...place });
      if (round !== this.#round) return null;
      page.items.forEach((recording) => this.#store.put(recording));
      return page;
    } catch (problem) {
      // A lost connection and a refused token are told elsewhere; the list comes again with the connection.
      if (problem.code !== 'no_answer' && problem.status !== 401) complain(problem);
      return null;
    }
  }

  async #more() {
    byId('more').disabled = true;
    await this.#page(this.#round, { cursor: this.#next });
    byId('more').disabled = false;
  }

  /** What the filters let through; while older ones wait on the server, nothing older than the pages that were loaded. */
  #fits(recording) {
    const { status, completeness, meetingId, externalId } = this.#filters;
    if (this.#next && this.#oldest && recording.id < this.#oldest) return false;
    return (
      (status ? recording.status === status : recording.status !== 'deleted') &&
      (!completeness || recording.completeness === completeness) &&
      (!meetingId || recording.meetingId === meetingId) &&
      (!externalId || recording.externalId === externalId)
    );
  }
}

function row({ id }) {
  const cells = ['state', 'name', 'created', 'duration', 'size', 'ended'].map((name) => h('td', { class: name }));
  const [state, name, created, seconds, size, ended] = cells;
  let first = true;
  const update = (recording) => {
    state.replaceChildren(badge(recording));
    if (first) name.append(...nameOf(recording));
    first = false;
    created.replaceChildren(stamp(recording.createdAt));
    seconds.replaceChildren(recording.duration == null ? none() : clock(recording.duration));
    size.replaceChildren(recording.fileSize == null ? none() : bytes(recording.fileSize));
    ended.replaceChildren(recording.error?.message ?? (recording.endReason ? endWord(recording.endReason) : none()));
  };
  return { element: h('tr', { 'data-recording': id }, cells), update };
}

function failure({ id }) {
  const place = h('li', { 'data-recording': id });
  const link = h('span');
  const told = h('div');
  place.append(link, told);
  const update = (recording) => {
    const { code, message, retryable } = recording.error ?? { code: 'unknown', message: 'No reason is known.' };
    if (!link.firstChild) link.append(linkTo(recording));
    told.replaceChildren(
      badge(recording),
      h('span', { class: 'why' }, message),
      h('code', null, code),
      h(
        'span',
        { class: 'hint' },
        stamp(recording.completedAt ?? recording.updatedAt),
        retryable ? ' · starting again may help' : ' · starting again does not help',
      ),
    );
  };
  return { element: place, update };
}
