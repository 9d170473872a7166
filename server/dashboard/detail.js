// One recording: what it is, its story with the evidence, what is missing, what there is to play.

import { recordingPath } from './api.js';
import { byId, h } from './dom.js';
import { factsOf, failureOf, filesOf, gapsOf } from './facts.js';
import { elapsed } from './format.js';
import { problemBox } from './notices.js';
import { Player } from './player.js';
import { StoryView } from './storyview.js';
import { badge, isOver } from './words.js';

export class Detail {
  #parts;
  #id = null;
  #view = null;

  /** `parts`: `{store, api, session, commands}`. */
  constructor(parts) {
    this.#parts = parts;
    parts.store.addEventListener(
      'change',
      ({ detail }) => detail.recording.id === this.#id && this.#view?.update(detail.recording),
    );
    parts.store.addEventListener('reset', () => this.#id && this.#load());
  }

  /** Shows a recording, or none. */
  async open(id) {
    if (id === this.#id) return;
    this.close();
    this.#id = id;
    await this.#load();
    byId('detail').querySelector('h1')?.focus();
  }

  close() {
    this.#view?.close();
    this.#view = this.#id = null;
    byId('detail').replaceChildren();
  }

  /** Reads it anew, after a time in which events may have been missed. */
  refresh() {
    if (this.#id) this.#load();
  }

  async #load() {
    const id = this.#id;
    try {
      const recording = await this.#parts.api.get(recordingPath(id));
      if (id !== this.#id) return;
      if (!this.#view) this.#view = new View(recording, this.#parts);
      this.#parts.store.put(recording);
      // A stream may have told of a newer one meanwhile.
      this.#view.update(this.#parts.store.get(id));
    } catch (problem) {
      if (id === this.#id && !this.#view)
        byId('detail').replaceChildren(
          back(),
          h('h1', { tabindex: '-1' }, 'This recording cannot be shown'),
          problemBox(problem),
        );
    }
  }
}

const back = () => h('p', null, h('a', { href: '#/', class: 'back' }, '← All recordings'));

/** The elements of one recording, brought up to date with each change. */
class View {
  #parts;
  #recording;
  #state = h('span', { role: 'status' });
  #time = h('span', { class: 'running' });
  #stop;
  #facts = h('dl', { class: 'facts' });
  #missing = h('div');
  #files = h('div');
  #story;
  #player;
  #loaded = false;

  constructor(recording, parts) {
    this.#parts = parts;
    this.#recording = recording;
    this.#stop = h(
      'button',
      { type: 'button', class: 'danger', click: () => parts.commands.stop(this.#recording) },
      'Stop recording',
    );
    this.#story = new StoryView(recording, parts);
    this.#player = new Player(recording, parts.api);
    byId('detail').replaceChildren(
      back(),
      h(
        'header',
        { class: 'head' },
        h('h1', { tabindex: '-1' }, recording.meetingId),
        this.#state,
        this.#time,
        this.#stop,
      ),
      this.#missing,
      h(
        'div',
        { class: 'columns' },
        this.#story.element,
        h(
          'div',
          { class: 'side' },
          this.#player.element,
          h('section', { class: 'card' }, h('h2', null, 'Facts'), this.#facts),
          this.#files,
        ),
      ),
    );
  }

  update(recording) {
    this.#recording = recording;
    this.#state.replaceChildren(badge(recording));
    this.#time.replaceChildren(recording.live ? elapsed(recording.startedAt ?? recording.createdAt) : '');
    this.#stop.hidden = !recording.live || !this.#parts.session.controls(recording.meetingId);
    this.#stop.disabled = recording.state === 'stopping';
    this.#facts.replaceChildren(...factsOf(recording));
    this.#missing.replaceChildren(...failureOf(recording), ...gapsOf(recording));
    this.#files.replaceChildren(...filesOf(recording));
    this.#story.follow(recording);
    this.#showPlayer(recording);
  }

  close() {
    this.#story.close();
  }

  #showPlayer({ state }) {
    this.#player.element.hidden = state === 'starting' || state === 'deleted';
    if (!isOver(state)) return this.#player.wait();
    if (this.#loaded || state === 'deleted') return;
    this.#loaded = true;
    this.#player.load();
  }
}
