// The story of a recording on the page: it grows while the recording goes on, and what was opened stays open.

import { recordingPath } from './api.js';
import { h, icon, Rows } from './dom.js';
import { actorOf } from './evidence.js';
import { stamp, timeOfDay } from './format.js';
import { problemBox } from './notices.js';
import { tell } from './story.js';
import { isOver } from './words.js';

const EVERY_MS = 5_000;
const PAGE = 500;

export class StoryView {
  element = h('section', { class: 'card story-card', 'aria-labelledby': 'story-title' });
  #parts;
  #id;
  #items = [];
  #list = h('ol', { class: 'story' });
  #trouble = h('div');
  #rows = new Rows(this.#list, stepRow);
  #reading = false;
  #again = false;
  #version = 0;
  #timer;

  constructor(recording, parts) {
    this.#parts = parts;
    this.#id = recording.id;
    this.element.append(h('h2', { id: 'story-title' }, 'What happened'), this.#trouble, this.#list);
    if (!parts.session.controls(recording.meetingId))
      this.#trouble.append(h('p', { class: 'empty' }, 'The history is shown to hosts and operators.'));
  }

  /** Reads what is new. Not every stored event changes the recording, so that it looks now and then while it goes on. */
  follow(recording) {
    if (!this.#parts.session.controls(recording.meetingId) || recording.version === this.#version) return;
    this.#version = recording.version;
    clearInterval(this.#timer);
    if (!isOver(recording.state)) this.#timer = setInterval(() => this.#read(), EVERY_MS);
    this.#read();
  }

  close() {
    clearInterval(this.#timer);
  }

  /** One read at a time; a wish that comes meanwhile is followed once that one is over. */
  async #read() {
    this.#again = this.#reading;
    if (this.#reading) return;
    this.#reading = true;
    try {
      await this.#readOn();
      this.#trouble.replaceChildren();
    } catch (problem) {
      if (problem.code !== 'no_answer' && problem.status !== 401) this.#trouble.replaceChildren(problemBox(problem));
    }
    this.#reading = false;
    if (this.#again) this.#read();
  }

  async #readOn() {
    for (;;) {
      const query = { limit: PAGE, cursor: this.#items.at(-1)?.seq };
      const page = await this.#parts.api.get(`${recordingPath(this.#id)}/history`, query);
      this.#items.push(...page.items);
      this.#rows.show(tell(this.#items).map((step) => ({ ...step, id: step.key })));
      if (!page.nextCursor) return;
    }
  }
}

function stepRow({ type }) {
  const head = h('p', { class: 'step' });
  const text = h('p', { class: 'text' });
  const proof = h('p', { class: 'proof' });
  const raw = h('pre');
  const element = h(
    'li',
    { 'data-type': type },
    head,
    text,
    proof,
    h('details', null, h('summary', null, 'Data'), raw),
  );
  const update = (step) => {
    const times = step.raw.length > 1 ? ` ${step.raw.length} times` : '';
    element.className = step.tone;
    head.replaceChildren(
      stamp(step.time, timeOfDay),
      h('strong', null, step.title + times),
      h('span', { class: 'who' }, actorOf(step.actor)),
    );
    text.replaceChildren(step.text);
    text.hidden = !step.text;
    proof.replaceChildren(
      ...(step.proof
        ? [icon('completed'), h('span', null, h('span', { class: 'label' }, 'Evidence: '), step.proof)]
        : []),
    );
    proof.hidden = !step.proof;
    raw.textContent = JSON.stringify(step.raw.length > 1 ? step.raw : step.raw[0], null, 2);
  };
  return { element, update };
}
