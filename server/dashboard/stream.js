// One event stream that comes back by itself: after a cut, a restart, a 503, and with the next token after a 401.

import { now } from './format.js';
import { problemOf } from './api.js';
import { parse } from './json.js';
import { eventsOf } from './sse.js';

const HEARTBEAT_SECONDS = 15;
const SILENCE_MS = 40_000;
const PAUSE_MS = 1_000;
const PAUSE_MS_MAX = 10_000;

/**
 * Calls `onEvent(event)` for each event, and `onState({name, at, problem})`: `connecting`, `live`, `lost` (again `at` that time),
 * `signed-out` (waits for a token) or `refused` (for good). It resumes behind the last event that it has seen.
 */
export class Stream {
  #path;
  #api;
  #session;
  #onEvent;
  #onState;
  #cursor = null;
  #attempt = 0;
  #pauseMs = PAUSE_MS;
  #abort = new AbortController();
  #wake = () => {};
  #stopped = false;

  constructor(path, { api, session, onEvent, onState }) {
    this.#path = path;
    this.#api = api;
    this.#session = session;
    this.#onEvent = onEvent;
    this.#onState = onState;
    this.#run();
  }

  /** Try now instead of later. */
  retry() {
    this.#wake();
  }

  stop() {
    this.#stopped = true;
    this.#abort.abort();
    this.#wake();
  }

  async #run() {
    while (!this.#stopped) {
      this.#state('connecting');
      const problem = await this.#follow();
      if (this.#stopped) return;
      if (problem?.status === 403 || problem?.status === 404) return this.#state('refused', { problem });
      await this.#pause(problem);
    }
  }

  #state(name, more) {
    if (!this.#stopped) this.#onState({ name, ...more });
  }

  /** Reads until the stream ends; returns the problem that it ended with, if it told one. */
  async #follow() {
    this.#abort = new AbortController();
    let watch;
    const heard = () => {
      clearTimeout(watch);
      watch = setTimeout(() => this.#abort.abort(), SILENCE_MS);
    };
    heard();
    try {
      const response = await this.#open();
      if (!response.ok) return await problemOf(response);
      for await (const { id, data, retry } of eventsOf(response.body, heard)) this.#take(id, data, retry);
      return null;
    } catch (problem) {
      return problem;
    } finally {
      clearTimeout(watch);
    }
  }

  #open() {
    const headers = { Accept: 'text/event-stream' };
    if (this.#cursor) headers['Last-Event-ID'] = this.#cursor;
    return this.#api.fetch(`${this.#path}?heartbeat=${HEARTBEAT_SECONDS}`, { headers, signal: this.#abort.signal });
  }

  #take(id, data, retry) {
    if (this.#stopped) return;
    if (retry) this.#pauseMs = retry;
    this.#attempt = 0;
    this.#state('live');
    if (id) this.#cursor = id;
    if (data) this.#onEvent(parse(data));
  }

  async #pause(problem) {
    if (!this.#session.active) {
      this.#state('signed-out');
      return new Promise((resolve) => (this.#wake = resolve));
    }
    const backoff = Math.min(PAUSE_MS_MAX, this.#pauseMs * 2 ** this.#attempt++) * (0.75 + Math.random() / 2);
    const pauseMs = Math.max(backoff, (problem?.retryAfterSeconds ?? 0) * 1000);
    this.#state('lost', { at: now() + pauseMs, problem });
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, pauseMs);
      this.#wake = () => (clearTimeout(timer), resolve());
    });
  }
}
