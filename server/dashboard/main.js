// The operators' page: puts its parts together and follows the address. `#/` is the overview, `#/?status=failed` with
// filters, `#/recordings/ID` one recording.

import { Api, meetingPath } from './api.js';
import { Banners } from './banners.js';
import { Commands } from './commands.js';
import { Connection } from './connection.js';
import { Detail } from './detail.js';
import { byId } from './dom.js';
import { tick } from './format.js';
import { Health } from './health.js';
import { Live } from './live.js';
import { Meetings } from './meetings.js';
import { Recent } from './recent.js';
import { Session } from './session.js';
import { SignIn } from './signin.js';
import { Store } from './store.js';
import { Streams } from './streams.js';

const session = new Session();
const api = new Api(session);
const store = new Store();
const banners = new Banners();
const meetings = new Meetings(session);
const commands = new Commands({ api, session, store });
const health = new Health(banners);
const connection = new Connection(banners, { retry, back: refresh });
const streams = new Streams({ session, api, store, meetings }, connection);
const live = new Live({ store, commands, session });
const recent = new Recent({ store, api, source });
const detail = new Detail({ store, api, session, commands });

/** Where the list of recordings comes from. */
function source(filters) {
  if (!session.active) return null;
  if (session.operator) return { path: '/api/v1/recordings', query: filters };
  const { meetingId, ...query } = filters;
  return meetings.chosen && { path: `${meetingPath(meetings.chosen)}/recordings`, query };
}

function retry() {
  streams.retry();
  health.look();
}

/** Reads anew what is no stream's business. */
function refresh() {
  health.look();
  recent.load();
  detail.refresh();
}

/** Lists what the filters in the address let through; of one meeting, where the token is no operator's. */
function list() {
  const filters = Object.fromEntries(new URLSearchParams(location.hash.split('?')[1]));
  recent.filter(session.operator ? filters : { ...filters, meetingId: meetings.chosen });
}

/** Shows what the address names. */
function follow() {
  const id = /^#\/recordings\/([^/?]+)$/.exec(location.hash)?.[1];
  byId('overview').hidden = !session.claims || Boolean(id);
  byId('detail').hidden = !session.claims || !id;
  if (!session.claims) return detail.close();
  if (id) return detail.open(decodeURIComponent(id));
  detail.close();
  live.show();
  list();
}

function begin({ same }) {
  if (!same) {
    streams.closeAll();
    detail.close();
    meetings.reset();
    store.clear();
  }
  byId('start-open').hidden = !session.canStart;
  byId('filters').elements.meetingId.closest('label').hidden = !session.operator;
  streams.align();
  retry();
  follow();
}

session.addEventListener('change', (event) => begin(event.detail));
session.addEventListener('expired', () =>
  document.querySelectorAll('dialog[open]').forEach((dialog) => dialog.close()),
);
meetings.addEventListener('change', () => (streams.align(), list()));
byId('filters').addEventListener('change', () => {
  const chosen = [...new FormData(byId('filters'))].filter(([, value]) => value);
  location.hash = chosen.length ? `#/?${new URLSearchParams(chosen)}` : '#/';
});
byId('filters').addEventListener('submit', (event) => event.preventDefault());
byId('filters').addEventListener('reset', () => (location.hash = '#/'));
addEventListener('hashchange', follow);
addEventListener('online', retry);
setInterval(tick, 1000);

new SignIn({ session, api });
begin({ same: false });
