// The form that takes a token, at the beginning and whenever the server refuses the one in use; and who is signed in.

import { byId, h } from './dom.js';
import { stamp } from './format.js';
import { claimsOf } from './session.js';

export class SignIn {
  #session;
  #api;

  constructor({ session, api }) {
    this.#session = session;
    this.#api = api;
    byId('sign-in-form').addEventListener('submit', (event) => (event.preventDefault(), this.#submit()));
    session.addEventListener('change', () => this.show());
    session.addEventListener('expired', ({ detail }) =>
      this.show(`The server refused this token: ${detail.detail}. Sign in again, and the page goes on where it was.`),
    );
    this.show();
  }

  /** The form while nobody is signed in, else who is. */
  show(reason = '') {
    const { active } = this.#session;
    byId('sign-in').hidden = active;
    this.#explain(reason);
    if (!active) byId('token').focus();
    this.#showAccount();
  }

  #explain(reason) {
    byId('sign-in-reason').textContent = reason;
    byId('sign-in-reason').hidden = !reason;
  }

  #showAccount() {
    const { claims, active, operator } = this.#session;
    byId('account').hidden = !active;
    if (!active) return;
    byId('account').replaceChildren(
      h(
        'span',
        { class: 'who' },
        h('strong', null, claims.sub),
        h('span', { class: 'rights' }, rightsOf(this.#session, operator)),
      ),
      h('span', { class: 'until' }, 'until ', stamp(new Date(claims.exp * 1000).toISOString())),
      h('button', { type: 'button', click: () => this.#session.signOut() }, 'Sign out'),
    );
  }

  async #submit() {
    const token = byId('token').value.trim();
    try {
      claimsOf(token);
      await this.#try(token);
    } catch (problem) {
      return this.#explain(
        problem.code === 'unauthenticated' ? `The server refused this token: ${problem.detail}` : problem.message,
      );
    }
    byId('token').value = '';
    this.#session.signIn(token);
  }

  /** Any call would do: a token without the scope operator is refused this one with 403, a bad one with 401. */
  async #try(token) {
    await this.#api.get('/api/v1/recordings', { limit: 1 }, { token }).catch((problem) => {
      if (problem.status === 401 || problem.code === 'no_answer') throw problem;
    });
  }
}

/** What the token allows, in a few words. */
function rightsOf(session, operator) {
  const roles = Object.entries(session.claims.meetings ?? {}).map(
    ([meeting, role]) => `${role} ${meeting === '*' ? 'everywhere' : `in ${meeting}`}`,
  );
  const named = roles.length > 3 ? [...roles.slice(0, 2), `and in ${roles.length - 2} more`] : roles;
  return [operator ? 'operator' : null, ...named].filter(Boolean).join(' · ') || 'no rights';
}
