// One recording: what it is, its story with the evidence, what is missing, what there is to play.

import { byId, h } from './dom.js';
import { bytes, clock, elapsed, stamp } from './format.js';
import { problemBox } from './notices.js';
import { measures, Player } from './player.js';
import { StoryView } from './storyview.js';
import { badge, endWord, storageWord } from './words.js';

const OVER = ['completed', 'failed', 'aborted', 'deleted'];

export class Detail {
  #parts;
  #id = null;
  #view = null;

  /** `parts`: `{store, api, session, commands}`. */
  constructor(parts) {
    this.#parts = parts;
    parts.store.addEventListener('change', ({ detail }) => detail.recording.id === this.#id && this.#view?.update(detail.recording));
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
      const recording = await this.#parts.api.get(`/api/v1/recordings/${encodeURIComponent(id)}`);
      if (id !== this.#id) return;
      if (!this.#view) this.#view = new View(recording, this.#parts);
      this.#parts.store.put(recording);
    } catch (problem) {
      if (id === this.#id && !this.#view) byId('detail').replaceChildren(back(), h('h1', { tabindex: '-1' }, 'This recording cannot be shown'), problemBox(problem));
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
    this.#stop = h('button', { type: 'button', class: 'danger', click: () => parts.commands.stop(this.#recording) }, 'Stop recording');
    this.#story = new StoryView(recording, parts);
    this.#player = new Player(recording, parts.api);
    byId('detail').replaceChildren(
      back(),
      h('header', { class: 'head' }, h('h1', { tabindex: '-1' }, recording.meetingId), this.#state, this.#time, this.#stop),
      this.#missing,
      h('div', { class: 'columns' },
        this.#story.element,
        h('div', { class: 'side' }, this.#player.element, h('section', { class: 'card' }, h('h2', null, 'Facts'), this.#facts), this.#files)),
    );
  }

  update(recording) {
    this.#recording = recording;
    this.#state.replaceChildren(badge(recording));
    this.#time.replaceChildren(recording.live ? elapsed(recording.startedAt ?? recording.createdAt) : '');
    this.#stop.hidden = !recording.live || !this.#parts.session.controls(recording.meetingId);
    this.#stop.disabled = recording.state === 'stopping';
    this.#facts.replaceChildren(...facts(recording));
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
    if (!OVER.includes(state)) return this.#player.wait();
    if (this.#loaded || state === 'deleted') return;
    this.#loaded = true;
    this.#player.load();
  }
}

function facts(recording) {
  const pairs = [
    ['Recording', h('code', null, recording.id)],
    ['External id', recording.externalId],
    ['Asked for', [stamp(recording.createdAt), ` by ${recording.startedBy}`]],
    ['Began', recording.startedAt && stamp(recording.startedAt)],
    ['Ended', recording.stoppedAt ? [stamp(recording.stoppedAt), recording.endReason ? `, ${endWord(recording.endReason)}` : ''] : null],
    ['Stopped by', recording.stoppedBy],
    ['This state until', recording.deadlineAt && stamp(recording.deadlineAt)],
    ['Duration', recording.duration == null ? null : clock(recording.duration)],
    ['Size', recording.fileSize == null ? null : bytes(recording.fileSize)],
    ['Completeness', recording.completeness],
    ['Files', storageWord(recording.storageStatus)],
    ['Records', recording.streams === 'audio' ? 'sound' : 'sound and picture'],
    ['Channel', recording.channelName],
    ['Agora’s sid', recording.agoraRecordingId && h('code', null, recording.agoraRecordingId)],
    ['Metadata', Object.keys(recording.metadata ?? {}).length ? h('pre', null, JSON.stringify(recording.metadata, null, 1)) : null],
  ];
  return pairs.filter(([, value]) => value != null && value !== '').flatMap(([name, value]) => [h('dt', null, name), h('dd', null, ...[value].flat())]);
}

function failureOf({ error }) {
  if (!error) return [];
  return [problemBox({ title: error.message, detail: error.retryable ? 'Starting again may help.' : 'Starting again does not help.', code: error.code })];
}

function gapsOf({ gaps }) {
  if (!gaps.length) return [];
  const rows = gaps.map((gap) => h('tr', null, h('td', null, stamp(gap.from)), h('td', null, stamp(gap.to)), h('td', null, gap.reason)));
  const head = h('thead', null, h('tr', null, ['From', 'To', 'Reason'].map((text) => h('th', { scope: 'col' }, text))));
  return [h('section', { class: 'card gaps' }, h('h2', null, 'What is missing'), h('table', null, head, h('tbody', null, rows)))];
}

function filesOf({ files }) {
  if (!files.length) return [];
  const items = files.map((file) => h('li', null, h('strong', null, `${file.kind === 'mp4' ? 'MP4' : 'Playlist'}, part ${file.part}`), ` ${measures(file)} · ${file.checked ? 'examined' : 'not examined'}`, h('code', null, file.key)));
  return [h('section', { class: 'card' }, h('h2', null, 'Files'), h('ul', { class: 'files' }, items))];
}
