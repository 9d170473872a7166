// What `/readyz` says: which parts are real and which stand in for them, and what is in trouble.

import { h } from './dom.js';
import { setClock, stamp } from './format.js';

const EVERY_MS = 15_000;
const NAMES = {
  agora: 'Agora',
  database: 'Database',
  redis: 'Redis',
  storage: 'Storage',
  storage_region: 'The region of the bucket',
  clock: 'This host’s clock',
  webhook: 'The address for Agora’s notifications',
  jwks: 'The key set of tokens',
};
const STAND_INS = {
  agora: ['simulated', 'Agora is simulated: nothing is recorded of any real meeting.'],
  storage: ['local', 'Storage is local: files stay on the server’s own disk.'],
  database: ['embedded', 'The databases are embedded, for one host.'],
};

/** Looks at `/readyz` now and then, while the page can be seen, and shows it as banners. */
export class Health {
  #banners;
  #timer;

  constructor(banners) {
    this.#banners = banners;
    document.addEventListener('visibilitychange', () => document.hidden || this.look());
    this.look();
  }

  async look() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.look(), EVERY_MS);
    if (document.hidden) return;
    const report = await ask();
    if (!report) return;
    this.#showModes(report.mode);
    this.#showChecks(report);
  }

  #showModes(mode) {
    const told = Object.entries(STAND_INS).filter(([part, [word]]) => mode[part] === word);
    if (!told.length) return this.#banners.clear('modes');
    const said = told.map(([part, [, sentence]]) => h('span', { 'data-mode': `${part}-${mode[part]}` }, sentence, ' '));
    this.#banners.set('modes', { tone: 'blue', shape: 'info', children: said });
  }

  #showChecks(report) {
    const failing = Object.entries(report.checks).filter(([, check]) => !check.ok);
    const tone = report.status === 'unready' ? 'red' : 'amber';
    for (const [name, check] of failing)
      this.#banners.set(`check-${name}`, { tone, shape: 'warning', children: told(name, check) });
    this.#banners.keep('check-', new Set(failing.map(([name]) => `check-${name}`)));
  }
}

/** A check that fails, in words; `server` is the server itself, which leaves and stops no recording. */
const told = (name, check) => [
  h('strong', null, name === 'server' ? 'The server is being restarted' : `${NAMES[name] ?? name} is in trouble`),
  name === 'server' ? ': it takes no new commands; recordings go on. ' : `: ${check.detail} `,
  'Since ',
  stamp(check.since),
  '.',
];

/** The report; null if there is no answer, which the connection's own banner tells. */
async function ask() {
  try {
    const response = await fetch('/readyz', { cache: 'no-store', credentials: 'omit' });
    setClock(response.headers.get('Date'));
    const report = await response.json();
    return report.checks && report.mode ? report : null;
  } catch {
    return null;
  }
}
