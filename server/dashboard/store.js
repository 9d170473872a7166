// The recordings that this page knows, by id, as the calls and streams last told them.

/** Fires `change` with `{recording, before}` for each recording that became another, and `reset` when some may be missing. */
export class Store extends EventTarget {
  #recordings = new Map();

  get(id) {
    return this.#recordings.get(id);
  }

  /** Those that fit, newest first: ids grow with time. */
  list(fits) {
    return [...this.#recordings.values()].filter(fits).sort((a, b) => (a.id < b.id ? 1 : -1));
  }

  /** A recording as it is now, unless a newer one is known. A meeting's stream leaves out what only its hosts see. */
  put(recording) {
    const before = this.#recordings.get(recording.id);
    if (before && before.version > recording.version) return;
    const merged = { ...before, ...recording };
    this.#recordings.set(recording.id, merged);
    this.dispatchEvent(new CustomEvent('change', { detail: { recording: merged, before } }));
  }

  /** An event of a stream. */
  take(event) {
    if (event.type === 'stream.reset') return this.#forgetLive();
    if (event.data?.recording) this.put(event.data.recording);
  }

  clear() {
    this.#recordings.clear();
  }

  /** Events were lost: what was live may have ended. What still is comes again. */
  #forgetLive() {
    for (const recording of this.list((each) => each.live)) this.#recordings.delete(recording.id);
    this.dispatchEvent(new CustomEvent('reset'));
  }
}
