// Who is signed in. The token is kept in this tab's sessionStorage and nowhere else; the server alone judges it.

const KEY = 'tapedeck-token';
const HOSTS = ['HOST', 'CO_HOST'];

/** What a token says of itself. Throws an Error whose message is for people. */
export function claimsOf(token) {
  try {
    const middle = token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/');
    const text = new TextDecoder().decode(Uint8Array.from(atob(middle), (character) => character.charCodeAt(0)));
    const claims = JSON.parse(text);
    if (typeof claims.sub === 'string' && typeof claims.exp === 'number') return claims;
  } catch {
    // told below, like a token without these claims
  }
  throw new Error(
    'This is not a token: it should be three parts with dots between them, with a subject and an expiry.',
  );
}

/** Fires `change` when somebody signs in or out, and `expired` when the server no longer takes the token. */
export class Session extends EventTarget {
  token = null;
  claims = null;
  expired = false;

  constructor() {
    super();
    const kept = sessionStorage.getItem(KEY);
    if (kept) this.#set(kept);
  }

  get active() {
    return this.token !== null && !this.expired;
  }

  get operator() {
    return (this.claims?.scope ?? '').split(' ').includes('operator');
  }

  /** The meetings that the token names, without `*`. */
  get meetings() {
    return Object.keys(this.claims?.meetings ?? {}).filter((meeting) => meeting !== '*');
  }

  /** Whether it gives a role in every meeting. */
  get everywhere() {
    return this.claims?.meetings?.['*'] !== undefined;
  }

  roleIn(meeting) {
    const roles = this.claims?.meetings ?? {};
    return Object.hasOwn(roles, meeting) ? roles[meeting] : roles['*'];
  }

  /** Whether it may start somewhere. */
  get canStart() {
    return HOSTS.includes(this.claims?.meetings?.['*']) || this.meetings.some((meeting) => this.isHost(meeting));
  }

  isHost(meeting) {
    return HOSTS.includes(this.roleIn(meeting));
  }

  /** Whether it may stop recordings of the meeting and read their histories. */
  controls(meeting) {
    return this.operator || this.isHost(meeting);
  }

  /** What it may do, as one text: a new token with the same rights goes on where the last one was. */
  get rights() {
    const { sub, meetings } = this.claims ?? {};
    return JSON.stringify([sub, this.operator, Object.entries(meetings ?? {}).sort()]);
  }

  signIn(token) {
    const before = this.rights;
    this.#set(token);
    sessionStorage.setItem(KEY, token);
    this.dispatchEvent(new CustomEvent('change', { detail: { same: before === this.rights } }));
  }

  signOut() {
    sessionStorage.removeItem(KEY);
    this.token = this.claims = null;
    this.dispatchEvent(new CustomEvent('change', { detail: { same: false } }));
  }

  /** The server refused the token. */
  expire(problem) {
    if (this.expired || !this.token) return;
    this.expired = true;
    sessionStorage.removeItem(KEY);
    this.dispatchEvent(new CustomEvent('expired', { detail: problem }));
  }

  #set(token) {
    this.claims = claimsOf(token);
    this.token = token;
    this.expired = false;
  }
}
