// What is known of one recording, as elements.

import { h, table } from './dom.js';
import { bytes, clock, stamp } from './format.js';
import { problemBox } from './notices.js';
import { measures } from './player.js';
import { endWord, storageWord } from './words.js';

/** Everything that is known of it, as the pairs of a description list. */
export function factsOf(recording) {
  const pairs = [
    ['Recording', h('code', null, recording.id)],
    ['External id', recording.externalId],
    ['Asked for', [stamp(recording.createdAt), ` by ${recording.startedBy}`]],
    ['Began', recording.startedAt && stamp(recording.startedAt)],
    [
      'Ended',
      recording.stoppedAt
        ? [stamp(recording.stoppedAt), recording.endReason ? `, ${endWord(recording.endReason)}` : '']
        : null,
    ],
    ['Stopped by', recording.stoppedBy],
    ['This state until', recording.deadlineAt && stamp(recording.deadlineAt)],
    ['Duration', recording.duration == null ? null : clock(recording.duration)],
    ['Size', recording.fileSize == null ? null : bytes(recording.fileSize)],
    ['Completeness', recording.completeness],
    ['Files', storageWord(recording.storageStatus)],
    ['Records', recording.streams === 'audio' ? 'sound' : 'sound and picture'],
    ['Channel', recording.channelName],
    ['Agora’s sid', recording.agoraRecordingId && h('code', null, recording.agoraRecordingId)],
    [
      'Metadata',
      Object.keys(recording.metadata ?? {}).length ? h('pre', null, JSON.stringify(recording.metadata, null, 1)) : null,
    ],
  ];
  return pairs
    .filter(([, value]) => value != null && value !== '')
    .flatMap(([name, value]) => [h('dt', null, name), h('dd', null, ...[value].flat())]);
}

/** Why nothing, or not all, came of it. */
export function failureOf({ error }) {
  if (!error) return [];
  return [
    problemBox({
      title: error.message,
      detail: error.retryable ? 'Starting again may help.' : 'Starting again does not help.',
      code: error.code,
    }),
  ];
}

export function gapsOf({ gaps }) {
  if (!gaps.length) return [];
  const rows = gaps.map((gap) =>
    h('tr', null, h('td', null, stamp(gap.from)), h('td', null, gap.to ? stamp(gap.to) : 'until now'), h('td', null, gap.reason)),
  );
  const shown = table(null, ['From', 'To', 'Reason'], h('tbody', null, rows));
  return [h('section', { class: 'card gaps' }, h('h2', null, 'What is missing'), shown)];
}

export function filesOf({ files }) {
  if (!files.length) return [];
  const items = files.map((file) =>
    h(
      'li',
      null,
      h('strong', null, `${file.kind === 'mp4' ? 'MP4' : 'Playlist'}, part ${file.part}`),
      ` ${measures(file)} · ${file.checked ? 'examined' : 'not examined'}`,
      h('code', null, file.key),
    ),
  );
  return [h('section', { class: 'card' }, h('h2', null, 'Files'), h('ul', { class: 'files' }, items))];
}
