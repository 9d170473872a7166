// Which streams are open: the operators' one, or one for each meeting that is watched.

import { meetingPath } from './api.js';
import { Stream } from './stream.js';

const EVERYTHING = '/api/v1/events';

export class Streams {
  #parts;
  #connection;
  #open = new Map();

  /** `parts`: `{session, api, store, meetings}`. */
  constructor(parts, connection) {
    this.#parts = parts;
    this.#connection = connection;
  }

  /** Opens what is wanted now and closes the others. */
  align() {
    const wanted = new Set(this.#wanted());
    for (const path of [...this.#open.keys()]) if (!wanted.has(path)) this.#close(path);
    for (const path of wanted) if (!this.#open.has(path)) this.#start(path);
  }

  retry() {
    for (const stream of this.#open.values()) stream.retry();
  }

  closeAll() {
    for (const path of [...this.#open.keys()]) this.#close(path);
  }

  #wanted() {
    const { session, meetings } = this.#parts;
    if (!session.token) return [];
    return session.operator
      ? [EVERYTHING]
      : meetings.watched.map((meeting) => `${meetingPath(meeting)}/events`);
  }

  #start(path) {
    const { api, session, store } = this.#parts;
    const onState = (state) => this.#connection.set(path, state);
    this.#open.set(path, new Stream(path, { api, session, onEvent: (event) => store.take(event), onState }));
  }

  #close(path) {
    this.#open.get(path).stop();
    this.#open.delete(path);
    this.#connection.drop(path);
  }
}
