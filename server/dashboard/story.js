// A recording's history as a story: each stored event as a sentence, what proved it, and what it was raw.

import { proofOf } from './evidence.js';
import { bytes, clock, timeOfDay } from './format.js';
import { endWord, storageWord } from './words.js';

const until = (iso) => (iso ? `until ${timeOfDay(iso)} at the latest` : '');
const CALLS = {
  acquire: 'a recorder',
  start: 'the start',
  query: 'a look at the recorder',
  stop: 'the stop',
  update: 'the change',
  updateLayout: 'the change of layout',
};

/** Of an event's data: its title, a sentence more, its tone. What proved it stands in `evidence`, or is given here. */
const TOLD = {
  'recording.starting': (d) => [
    'Recording was asked for',
    `By ${d.startedBy}. The wish is stored, and is followed up ${until(d.deadlineAt)}.`,
    'blue',
  ],
  'recorder.opened': (d) => [
    `Attempt ${d.attempt} was opened`,
    `Its recorder will join as ${d.uid}, a number never used before.`,
  ],
  'recorder.acquired': (d) => [
    'Agora reserved a recorder',
    `For attempt ${d.attempt}; a start can only ever use it once.`,
    '',
    'Agora’s answer to acquire',
  ],
  'recorder.deferred': (d) => [
    `Agora left ${CALLS[d.call] ?? d.call} open`,
    `${d.ambiguous ? 'It may have been done or not; the same call is repeated' : 'It is tried again'} at ${timeOfDay(d.checkAt)}.`,
    'amber',
    d.why,
  ],
  'recorder.accepted': (d) => ['Agora accepted the start', `The session has the sid ${d.sid}.`],
  'recorder.closed': (d) => [`Attempt ${d.attempt} was closed`, 'No recorder can come of it.', 'amber', d.reason],
  'recording.active': (d) => ['It records', `Capture began at ${timeOfDay(d.startedAt)}.`, 'red'],
  'recorder.seen': () => ['The recorder was seen at work', ''],
  'recorder.missed': (d) => [
    'The recorder was not found',
    `It may be moving to another machine; the next look is at ${timeOfDay(d.checkAt)}.`,
    'amber',
  ],
  'recorder.moved': (d) => [
    'It goes on on another machine',
    `Its recorder is ${d.uid} now; the files of both machines make one part.`,
    'amber',
  ],
  'recorder.lost': (d) => [
    'The recorder is lost',
    `Nothing is captured since ${timeOfDay(d.lostAt)}. Another recorder takes its place.`,
    'red',
  ],
  'recorder.replaced': (d) => [
    'It records again',
    `Attempt ${d.attempt} has captured since ${timeOfDay(d.resumedAt)}; what is missing before is named as a gap.`,
    'red',
  ],
  'recorder.room': (d) => [
    'The channel was looked at',
    d.people == null ? 'The list could not be had.' : `People beside the recorder: ${d.people}.`,
  ],
  'recorder.troubled': (d) => ['Agora reported trouble', d.trouble?.message ?? '', 'amber'],
  'recording.updated': (d) => [
    'How it is recorded changed',
    d.refusal ? 'The provider refused; it is as before.' : 'The recorder is told next.',
    d.refusal ? 'amber' : '',
    d.refusal?.message,
  ],
  'recorder.updated': () => ['The recorder took the change', ''],
  'recorder.update_deferred': (d) => [
    'Agora left the change open',
    `It is sent again at ${timeOfDay(d.checkAt)}.`,
    'amber',
    d.why,
  ],
  'recorder.update_refused': (d) => [
    'Agora refused the change',
    'The recorder is left as it is.',
    'amber',
    d.failure.message,
  ],
  'recorder.rekeyed': (d) => [
    'The recorder has fresh keys to the storage',
    d.keysEndAt ? `They hold until ${timeOfDay(d.keysEndAt)}.` : '',
  ],
  'recorder.rekey_deferred': (d) => [
    'The recorder’s keys to the storage could not be renewed',
    `It is tried again at ${timeOfDay(d.checkAt)}.`,
    'amber',
    d.why,
  ],
  'recording.paused': () => ['It was paused', '', 'amber'],
  'recording.resumed': () => ['It went on', '', 'red'],
  'recording.stopping': (d) => [
    'A stop was asked for',
    `By ${d.by}: ${endWord(d.reason)}. It is repeated until the recorder is proven gone, ${until(d.deadlineAt)}.`,
    'amber',
  ],
  'recording.processing': (d) => [
    'The recorder is gone',
    `It left at ${timeOfDay(d.stoppedAt)}: ${endWord(d.endReason)}. The files are waited for ${until(d.deadlineAt)}.`,
    'blue',
  ],
  'recorder.upload': (d) => [`The files are ${storageWord(d.storageStatus)}`, ''],
  'media.awaited': (d) => [
    'The files were looked at, and something is missing',
    `The next look is at ${timeOfDay(d.checkAt)}.`,
    'amber',
    d.why,
  ],
  'recording.completed': (d) => completed(d),
  'recording.failed': (d) => ['It failed', `${d.failure.message} (${d.failure.code})`, 'red'],
  'recording.aborted': (d) => ['It was aborted', `${d.failure.message} (${d.failure.code})`, 'grey'],
  'media.sealed': (d) => [
    'Its manifest was written',
    `It holds the SHA-256 of ${d.objects} objects, ${bytes(d.bytes)}.`,
  ],
  'media.seal_deferred': (d) => [
    'Its manifest could not be written',
    `It is tried again at ${timeOfDay(d.checkAt)}.`,
    'amber',
    d.why,
  ],
  'media.attached': (d) => ['A file was added', `${d.key}, by ${d.by}.`, 'blue'],
  'media.reproven': (d) => completed(d),
  'media.arrived': () => ['More files have come', 'What there is to play is proven anew.', 'blue'],
  'media.deletion_requested': (d) => ['Deletion was asked for', `By ${d.by}.`, 'grey'],
  'media.listed': (d) => [
    'What is to be deleted was listed',
    `${d.objects.length} objects, ${bytes(d.objects.reduce((sum, each) => sum + each.size, 0))}.`,
    'grey',
  ],
  'media.deletion_refused': (d) => [
    'The store would not delete',
    `It keeps something of it ${d.until ? `under a lock ${until(d.until)}` : 'under a hold'}. Nothing was deleted.`,
    'amber',
  ],
  'media.erasing': () => ['The receipt is complete', 'Its media is being deleted.', 'grey'],
  'media.removed': (d) => ['Storage removed what it had', `${d.objects} objects, ${bytes(d.bytes)}.`, 'grey'],
  'media.late': () => ['Something came after the deletion', 'It is deleted too.', 'amber'],
  'media.late_erased': (d) => ['What came late was deleted', `${d.objects} objects, ${bytes(d.bytes)}.`, 'grey'],
  'media.deletion_deferred': (d) => [
    'Storage would not delete',
    `It is tried again at ${timeOfDay(d.checkAt)}.`,
    'amber',
    d.why,
  ],
  'recording.deleted': (d) => [
    'The media was deleted',
    `${d.objects} objects, ${bytes(d.bytes)}. This entry is kept.`,
    'grey',
  ],
  'recorder.evicting': (d) => [
    `Attempt ${d.attempt} was given up`,
    `It is kept out of the channel and stopped, ${until(d.until)}; no other attempt begins before that is sure.`,
    'amber',
    d.why,
  ],
  'recorder.stray': (d) => [
    'A recorder that nobody wants is alive',
    `It belongs to attempt ${d.attempt}, which is over; it is kept out of the channel and stopped.`,
    'amber',
  ],
  'recorder.evictee_found': (d) => [
    'The abandoned attempt did start',
    `Its sid is ${d.sid}; it is told to stop.`,
    'amber',
  ],
  'recorder.eviction_deferred': (d) => [
    'The abandoned attempt is not proven gone',
    `It is told to stop again at ${timeOfDay(d.checkAt)}.`,
    'amber',
    d.why,
  ],
  'recorder.banned': (d) => [
    'A kicking rule keeps the abandoned recorder out',
    d.fenceAt ? `${d.uid} cannot be in the channel from ${timeOfDay(d.fenceAt)} on.` : `${d.uid} is thrown out of the channel.`,
  ],
  'recorder.ban_deferred': (d) => [
    'The kicking rule could not be had',
    `It is asked for again at ${timeOfDay(d.banAt)}.`,
    'amber',
    d.why,
  ],
  'recorder.fenced': (d) => [`Nothing can come of attempt ${d.attempt} any more`, 'Another may be opened.'],
  'recorder.eviction_held': (d) => [
    `Attempt ${d.attempt} cannot start any more`,
    'Whether its recorder is in the channel is looked at before another begins.',
  ],
  'recorder.evictee_looked': (d) => [
    'The abandoned recorder was looked for in the channel',
    d.seen == null ? 'The list could not be had.' : d.seen ? 'It was there.' : 'It was not there.',
    d.seen ? 'amber' : '',
  ],
  'recorder.evicted': () => ['The abandoned recorder is gone', ''],
};

/** Said once, however often it happened in a row. */
const REPEATED = new Set([
  'recorder.seen',
  'recorder.missed',
  'recorder.room',
  'recorder.evictee_looked',
  'recorder.eviction_held',
  'media.awaited',
  'media.seal_deferred',
  'recorder.rekey_deferred',
]);

/** The steps of a history: `{key, title, text, tone, proof, actor, time, raw, times}`. */
export function tell(items) {
  const steps = [];
  for (const item of items) {
    const step = stepOf(item);
    const last = steps.at(-1);
    if (REPEATED.has(item.type) && last?.type === item.type)
      steps[steps.length - 1] = { ...step, key: last.key, raw: [...last.raw, item] };
    else steps.push(step);
  }
  return steps;
}

function stepOf(item) {
  const [title, text, tone, proof] = said(item);
  return {
    key: item.seq,
    type: item.type,
    title,
    text,
    tone: tone ?? '',
    proof: proofOf(proof || item.data.evidence),
    actor: item.actor,
    time: item.time,
    raw: [item],
  };
}

/** An event that this page does not know yet, or not in this shape, is told by its name. */
function said(item) {
  try {
    return TOLD[item.type]?.(item.data) ?? [item.type, ''];
  } catch {
    return [item.type, ''];
  }
}

function completed(d) {
  const length = `${clock(d.duration)} in ${bytes(d.fileSize)}`;
  if (d.completeness === 'partial')
    return ['It is playable, with gaps', `${length}; what is missing is named below.`, 'amber'];
  return ['It is complete', `${length}, and every second of it is accounted for.`, 'green'];
}
