// Plays what there is: an MP4, or HLS where the browser can. A URL expires, so that another is asked for when it has.

import { recordingPath } from './api.js';
import { h } from './dom.js';
import { bytes, clock, now } from './format.js';
import { problemBox } from './notices.js';

const KINDS = { mp4: 'MP4', hls: 'HLS' };
const NOTHING = ['no_media', 'recording_not_ready', 'recording_deleted'];

export class Player {
  element = h('section', { class: 'card player', 'aria-labelledby': 'player-title' });
  #path;
  #api;
  #media;
  #place = h('div');
  #buttons = new Map();
  #playing = null;

  constructor(recording, api) {
    this.#path = `${recordingPath(recording.id)}/playback`;
    this.#api = api;
    const picture = recording.streams === 'audio_video';
    this.#media = h(picture ? 'video' : 'audio', {
      controls: true,
      preload: 'metadata',
      playsinline: true,
      error: () => this.#renew(),
    });
    this.element.append(h('h2', { id: 'player-title' }, picture ? 'Watch' : 'Listen'), this.#place);
  }

  /** Offers what is there already of a recording that goes on. */
  wait() {
    if (!this.#place.firstChild)
      this.#place.append(h('button', { type: 'button', click: () => this.load() }, 'Play what is there so far'));
  }

  /** Asks for what there is to play, and offers it. */
  async load() {
    try {
      this.#offer(await this.#items());
    } catch (problem) {
      this.#place.replaceChildren(
        NOTHING.includes(problem.code) ? h('p', { class: 'empty' }, problem.detail) : problemBox(problem),
      );
    }
  }

  /** MP4s first: every browser plays them, and jumps within them. */
  async #items() {
    const { items } = await this.#api.get(this.#path);
    return items.sort((a, b) => (b.kind === 'mp4') - (a.kind === 'mp4') || (a.part ?? 0) - (b.part ?? 0));
  }

  #offer(items) {
    const best = items.find((item) => this.#plays(item));
    this.#place.replaceChildren(
      best
        ? this.#media
        : h('p', { class: 'empty' }, 'This browser does not play HLS. The link opens in a player that does.'),
      h(
        'ul',
        { class: 'parts' },
        items.map((item) => this.#choice(item, items)),
      ),
    );
    if (best) this.#play(best);
  }

  #choice(item, items) {
    const several = items.some((other) => other.part !== item.part);
    const name = [several ? (item.part ? `Part ${item.part}` : 'All parts') : null, KINDS[item.kind] ?? item.kind]
      .filter(Boolean)
      .join(', ');
    const button = h('button', { type: 'button', click: () => (this.#play(item), this.#media.play()) }, `Play ${name}`);
    this.#buttons.set(key(item), button);
    return h(
      'li',
      null,
      this.#plays(item) ? button : name,
      h('span', { class: 'hint' }, `${measures(item)} · `, h('a', { href: item.url }, 'link')),
    );
  }

  #play(item) {
    this.#playing = item;
    this.#media.src = item.url;
    for (const [each, button] of this.#buttons) button.setAttribute('aria-pressed', String(each === key(item)));
  }

  #plays(item) {
    return item.kind === 'mp4' || this.#media.canPlayType(item.contentType) !== '';
  }

  /** Once the URL has expired, the same item under a new one, from where it was. */
  async #renew() {
    const at = this.#media.currentTime;
    const expired = Date.parse(this.#playing.expiresAt) <= now();
    const items = expired ? await this.#items().catch(() => []) : [];
    const again = items.find((item) => key(item) === key(this.#playing));
    if (!again) return this.#place.append(h('p', { class: 'empty', role: 'alert' }, 'This file does not play here.'));
    this.#play(again);
    this.#media.currentTime = at;
    await this.#media.play();
  }
}

const key = (item) => `${item.kind} ${item.part}`;

/** Length and size of a file. */
export const measures = ({ duration, fileSize }) =>
  [duration == null ? null : clock(duration), fileSize == null ? null : bytes(fileSize)].filter(Boolean).join(' · ');
