// What went wrong with a command, and what changed: problems stay until they are closed, changes are read aloud.

import { byId, h, icon } from './dom.js';
import { placeOf } from './words.js';

/** A problem as elements: its title, the errors it names or else its detail, its code with the page that explains it. */
function problemBody(problem) {
  const named = (problem.errors ?? []).map((error) => h('li', null, h('code', null, error.pointer), ' ', error.detail));
  return [
    h('strong', null, problem.title ?? 'Something went wrong'),
    named.length ? h('ul', null, named) : h('span', null, problem.detail ?? problem.message),
    h(
      'span',
      { class: 'codes' },
      codeOf(problem),
      problem.requestId ? h('span', null, 'request ', h('code', null, problem.requestId)) : null,
      problem.recording ? h('a', { href: placeOf(problem.recording) }, 'the recording') : null,
    ),
  ];
}

/** The code; one of the server's own leads to its explanation. */
function codeOf({ code = 'error', type }) {
  const shown = h('code', null, code);
  if (!type?.startsWith('/errors/')) return shown;
  return h('a', { href: `/errors/${encodeURIComponent(code)}`, target: '_blank', rel: 'noopener' }, shown);
}

export const problemBox = (problem) =>
  h('div', { class: 'problem', 'data-code': problem.code }, icon('warning'), h('div', null, problemBody(problem)));

/** Shows a problem above everything else, until it is closed. */
export function complain(problem) {
  const box = problemBox(problem);
  box.append(
    h('button', { type: 'button', class: 'close', 'aria-label': 'Close this message', click: () => box.remove() }, '×'),
  );
  byId('notices').replaceChildren(box);
}

/** Says something to a screen reader. */
export const announce = (text) => {
  byId('announcer').textContent = text;
};
