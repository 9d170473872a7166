// Numbers and times as people read them. Times are shown in the reader's zone; the exact one is the element's title.

import { h } from './dom.js';

const TIME = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
});
const DAY = new Intl.DateTimeFormat(undefined, { year: 'numeric', month: 'short', day: 'numeric' });
const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];
let offsetMs = 0;

/** What the server's clock shows, in milliseconds; a reader's clock may be wrong. */
export const now = () => Date.now() + offsetMs;

/** Learns the server's time from the header `Date`, which counts whole seconds. */
export function setClock(date) {
  const difference = Date.parse(date) - Date.now();
  if (!Number.isNaN(difference)) offsetMs = Math.abs(difference) < 2000 ? 0 : difference;
}

/** Seconds as `0:07`, `12:03` or `1:02:03`. */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (number) => String(number).padStart(2, '0');
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** Where there is no value: a dash, which small screens leave out. */
export const none = () => h('span', { class: 'none' }, '–');

export function bytes(count) {
  const power = count < 1000 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(count) / 3));
  return `${(count / 1000 ** power).toFixed(power ? 1 : 0)} ${UNITS[power]}`;
}

export const timeOfDay = (iso) => TIME.format(new Date(iso));

/** The time, and the day too unless it is today's. */
function moment(iso) {
  const at = new Date(iso);
  const today = DAY.format(at) === DAY.format(new Date(now()));
  return today ? TIME.format(at) : `${DAY.format(at)}, ${TIME.format(at)}`;
}

/** A time as an element; a dash where there is none. */
export const stamp = (iso, format = moment) => (iso ? h('time', { datetime: iso, title: iso }, format(iso)) : none());

/** Time that runs: the seconds since a moment, written anew each second by `tick`. */
export const elapsed = (iso) =>
  h('span', { class: 'elapsed', 'data-since': iso }, clock((now() - Date.parse(iso)) / 1000));

/** Writes all running times of the page. */
export function tick() {
  for (const element of document.querySelectorAll('[data-since]')) {
    element.textContent = clock((now() - Date.parse(element.dataset.since)) / 1000);
  }
}
