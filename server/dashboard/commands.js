// Start and stop. A command keeps its idempotency key until its outcome is known, so that a repeat never does it twice.

import { meetingPath, recordingPath } from './api.js';
import { byId, h } from './dom.js';
import { clock, now } from './format.js';
import { complain, problemBox } from './notices.js';

/** A key per command; it is forgotten once an answer tells what became of it. */
class Keys {
  #keys = new Map();

  of(command) {
    if (!this.#keys.has(command)) {
      const random = crypto.getRandomValues(new Uint8Array(16));
      this.#keys.set(command, Array.from(random, (byte) => byte.toString(16).padStart(2, '0')).join(''));
    }
    return this.#keys.get(command);
  }

  settle(command, problem) {
    const open = problem && (problem.code === 'no_answer' || problem.outcome === 'unknown');
    if (!open) this.#keys.delete(command);
  }
}

export class Commands {
  #api;
  #session;
  #store;
  #keys = new Keys();

  constructor({ api, session, store }) {
    this.#api = api;
    this.#session = session;
    this.#store = store;
    byId('start-open').addEventListener('click', () => this.#openStart());
    byId('start-form').addEventListener('submit', (event) => (event.preventDefault(), this.#start()));
    byId('start')
      .querySelector('.cancel')
      .addEventListener('click', () => byId('start').close());
  }

  /** Asks whether the recording is to be stopped, and stops it. */
  async stop(recording) {
    if (!(await confirmed(recording))) return;
    try {
      await this.#send(`${recordingPath(recording.id)}/stop`, undefined, { Prefer: 'respond-async' });
    } catch (problem) {
      complain(problem);
    }
  }

  #openStart() {
    slot().replaceChildren();
    byId('start-meetings').replaceChildren(
      ...this.#session.meetings.filter((each) => this.#session.isHost(each)).map((value) => h('option', { value })),
    );
    byId('start').showModal();
  }

  async #start() {
    const button = byId('start-form').querySelector('[type=submit]');
    const { path, body } = startOf(new FormData(byId('start-form')));
    button.disabled = true;
    button.textContent = 'Starting …';
    slot().replaceChildren();
    try {
      await this.#send(path, body);
      byId('start').close();
    } catch (problem) {
      if (byId('start').open) slot().replaceChildren(problemBox(problem));
      else complain(problem);
    } finally {
      button.disabled = false;
      button.textContent = 'Start';
    }
  }

  async #send(path, body, headers = {}) {
    const command = JSON.stringify([path, body]);
    let problem = null;
    try {
      const recording = await this.#api.post(path, body, { 'Idempotency-Key': this.#keys.of(command), ...headers });
      this.#store.put(recording);
    } catch (refused) {
      problem = refused;
      if (problem.recording) this.#store.put(problem.recording);
      throw problem;
    } finally {
      this.#keys.settle(command, problem);
    }
  }
}

const slot = () => byId('start').querySelector('.problem-slot');

function startOf(form) {
  const body = { streams: form.get('streams'), outputs: form.get('mp4') ? ['hls', 'mp4'] : ['hls'] };
  if (form.get('externalId')) body.externalId = form.get('externalId');
  return { path: `${meetingPath(form.get('meetingId'))}/recording/start`, body };
}

function confirmed(recording) {
  const dialog = byId('confirm');
  const seconds = (now() - Date.parse(recording.startedAt ?? recording.createdAt)) / 1000;
  byId('confirm-title').textContent = `Stop recording ${recording.meetingId}?`;
  byId('confirm-text').textContent =
    `It has run for ${clock(seconds)}. What was recorded is kept; the meeting itself goes on.`;
  dialog.returnValue = '';
  dialog.showModal();
  return new Promise((resolve) =>
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true }),
  );
}
