// Plays what there is: an MP4, or HLS where the browser can. Its URL expires, so that a new one is asked for when it has.

import { h } from './dom.js';
import { bytes, duration, now } from './format.js';
import { problemBox } from './notices.js';

const WORDS = { mp4: 'MP4', hls: 'HLS' };

export class Player {
  element = h('section', { class: 'card player', 'aria-labelledby': 'player-title' });
  #api;
  #recording;
  #place = h('div');
  #media = null;
  #playing = null;

  constructor(recording, api) {
    this.#recording = recording;
    this.#api = api;
    this.element.append(h('h2', { id: 'player-title' }, 'Listen'), this.#place);
  }

  /** Asks for what there is to play. What plays already goes on. */
  async load() {
    try {
      const { items } = await this.#api.get(`/api/v1/recordings/${encodeURIComponent(this.#recording.id)}/playback`);
      this.#show(items);
    } catch (problem) {
      this.#place.replaceChildren(problem.code === 'no_media' || problem.code === 'recording_not_ready' ? h('p', { class: 'empty' }, problem.detail) : problemBox(problem));
    }
  }

  #show(items) {
    const playable = items.filter((item) => item.kind === 'mp4' || canPlay(item));
    this.#media = h(this.#recording.streams === 'audio_video' ? 'video' : 'audio', { controls: true, preload: 'metadata', playsinline: true });
    this.#media.addEventListener('error', () => this.#renew());
    const list = items.length > 1 ? h('ul', { class: 'parts' }, items.map((item) => this.#choice(item))) : null;
    this.#place.replaceChildren(playable.length ? this.#media : h('p', { class: 'empty' }, 'This browser plays no HLS; open the link in a player that does.'), list ?? '');
    const best = playable.find((item) => item.kind === 'mp4') ?? playable[0];
    if (best) this.#play(best);
  }

  #choice(item) {
    const name = `${item.part ? `Part ${item.part}` : 'All parts'}, ${WORDS[item.kind] ?? item.kind}`;
    const play = item.kind === 'mp4' || canPlay(item) ? h('button', { type: 'button', click: () => this.#play(item) }, name) : h('span', null, name);
    return h('li', null, play, h('span', { class: 'hint' }, `${duration(item.duration)} · ${bytes(item.fileSize)} · `, h('a', { href: item.url, download: true }, 'link')));
  }

  #play(item) {
    this.#playing = item;
    this.#media.src = item.url;
  }

  /** Once the URL has expired, the same item under a new one, from where it was. */
  async #renew() {
    const { kind, part, expiresAt } = this.#playing;
    if (Date.parse(expiresAt) > now()) return this.#place.append(h('p', { class: 'empty', role: 'alert' }, 'This file does not play.'));
    const at = this.#media.currentTime;
    await this.load();
    this.#media.addEventListener('loadedmetadata', () => (this.#media.currentTime = at), { once: true });
    if (this.#playing.kind !== kind || this.#playing.part !== part) this.#media.pause();
  }
}

const canPlay = (item) => document.createElement('video').canPlayType(item.contentType) !== '';
