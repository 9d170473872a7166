// Where a fact came from, in words. What Agora's notifications mean stands in its documentation of Cloud Recording's events.

const EVENTS = {
  1: 'an error',
  11: 'that the session is over',
  12: 'that the recorder moved to another machine',
  30: 'that it began to upload',
  31: 'that all files are in the bucket',
  32: 'that all files are stored, some of them in its own backup',
  33: 'that the upload goes on',
  40: 'that its recorder has begun',
  41: 'that its recorder has left',
  42: 'that it began to write slices',
};

/** A piece of evidence as the history has it, in words. */
export function proofOf(evidence) {
  if (!evidence) return null;
  const event = /^event (\d+)(.*)$/.exec(evidence);
  if (event && EVENTS[event[1]]) return `Agora reported ${EVENTS[event[1]]} (${evidence})`;
  const query = /^query: (.*)$/.exec(evidence);
  if (query) return `Agora was asked and answered: ${query[1]}`;
  const stop = /^stop: (.*)$/.exec(evidence);
  if (stop) return `Agora’s answer to stop: ${stop[1]}`;
  if (evidence === 'the answer to start') return 'Agora’s answer to start';
  return evidence;
}

/** Who did it. */
export function actorOf({ kind, id }) {
  if (kind === 'user') return id;
  return kind === 'provider' ? 'Agora' : 'Tapedeck';
}
