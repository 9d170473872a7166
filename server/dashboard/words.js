// What the words of the interface mean, in words for people. An unknown one is shown as it is.

import { h, icon } from './dom.js';

const STATES = {
  starting: ['starting', 'amber'],
  active: ['recording', 'red'],
  paused: ['paused', 'amber'],
  stopping: ['stopping', 'amber'],
  processing: ['processing', 'blue'],
  completed: ['completed', 'green'],
  failed: ['failed', 'red'],
  aborted: ['aborted', 'grey'],
  deleted: ['deleted', 'grey'],
};

const END_REASONS = {
  stop_requested: 'stopped on request',
  meeting_ended: 'the meeting ended',
  empty_room: 'nobody was in the meeting',
  max_duration: 'the longest duration was reached',
  provider_idle: 'nobody was in the channel',
  provider_error: 'the provider ended it',
  never_started: 'it never began',
  operator: 'stopped by an operator',
};

const STORAGE = {
  pending: 'nothing there yet',
  uploading: 'being uploaded',
  backup: 'in the provider’s backup, files come later',
  stored: 'stored',
  missing: 'missing',
  deleted: 'deleted',
};

const OVER = ['completed', 'failed', 'aborted', 'deleted'];

/** Whether nothing more comes of a recording in that state by itself. */
export const isOver = (state) => OVER.includes(state);
export const stateWord = (state) => STATES[state]?.[0] ?? state;
export const endWord = (reason) => END_REASONS[reason] ?? reason;
export const storageWord = (status) => STORAGE[status] ?? status;

/** The state as a shape, a colour and a word; a completed one that is not whole says so. */
export function badge(recording) {
  const partial = recording.state === 'completed' && recording.completeness === 'partial';
  const [word, tone] = partial ? ['partial', 'amber'] : (STATES[recording.state] ?? [recording.state, 'grey']);
  const shape = partial ? 'partial' : recording.state;
  return h('span', { class: `badge ${tone}`, 'data-state': recording.state }, icon(shape), word);
}

/** The address of a recording on this page. */
export const placeOf = (recording) => `#/recordings/${encodeURIComponent(recording.id)}`;
export const linkTo = (recording) => h('a', { class: 'meeting', href: placeOf(recording) }, recording.meetingId);

/** Meeting and external id, as a cell of a table has them. */
export const nameOf = (recording) => [
  linkTo(recording),
  recording.externalId ? h('span', { class: 'external' }, recording.externalId) : '',
];
