// Calls of the interface. The token goes in a header; what is refused comes back as a Problem.

import { setClock } from './format.js';
import { parse } from './json.js';

/** What the server, or the lack of it, has against a call: the members of problem+json. */
class Problem extends Error {
  constructor(members) {
    super(members.detail ?? members.title);
    Object.assign(this, members);
  }
}

/** Where a recording, or a meeting, is in the interface; what is asked of it follows. */
export const recordingPath = (id) => `/api/v1/recordings/${encodeURIComponent(id)}`;
export const meetingPath = (id) => `/api/v1/meetings/${encodeURIComponent(id)}`;

const UNANSWERED = {
  code: 'no_answer',
  title: 'The server does not answer',
  detail: 'The connection failed or was cut.',
  retryable: true,
};

/** The problem that an answer tells; whatever stands in between, a proxy for example, may not speak problem+json. */
export async function problemOf(response) {
  const members = await response.text().then(parse).catch(() => null);
  const seconds = Number(response.headers.get('Retry-After'));
  const told = members?.code
    ? members
    : { code: `http_${response.status}`, title: `Status ${response.status}`, detail: response.statusText };
  return new Problem({ ...told, status: response.status, retryAfterSeconds: Number.isFinite(seconds) ? seconds : 0 });
}

export class Api {
  #session;

  constructor(session) {
    this.#session = session;
  }

  /** The response, whatever its status, with our token. Throws Problem `no_answer`. A refused token ends the session. */
  async fetch(path, options = {}) {
    const token = options.token ?? this.#session.token;
    const headers = { ...options.headers, Authorization: `Bearer ${token}` };
    let response;
    try {
      response = await fetch(path, { ...options, headers, cache: 'no-store', credentials: 'omit' });
    } catch {
      throw new Problem(UNANSWERED);
    }
    setClock(response.headers.get('Date'));
    if (response.status === 401 && token === this.#session.token)
      this.#session.expire(await problemOf(response.clone()));
    return response;
  }

  /** The JSON of a good answer. Throws Problem. */
  async get(path, query = {}, options = {}) {
    const asked = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== '' && value != null));
    return this.#read(await this.fetch(asked.size ? `${path}?${asked}` : path, options));
  }

  async post(path, body, headers) {
    const sent =
      body === undefined
        ? { headers }
        : { headers: { ...headers, 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
    return this.#read(await this.fetch(path, { method: 'POST', ...sent }));
  }

  async #read(response) {
    if (!response.ok) throw await problemOf(response);
    try {
      return parse(await response.text());
    } catch {
      throw new Problem(UNANSWERED);
    }
  }
}
