/** Dates of HTTP. RFC 9110 §5.6.7. */

const DAY_MS = 86_400_000;
const SHORT_DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const LONG_DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const DAYS_IN_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const FIRST_MS = dayNumber(0, 0, 1) * DAY_MS;
const AFTER_LAST_MS = dayNumber(10_000, 0, 1) * DAY_MS;

/**
 * A time as IMF-fixdate, such as "Sun, 06 Nov 1994 08:49:37 GMT".
 *
 * @param timeMs - milliseconds since the Unix epoch, years 0 to 9999; fractions of a second are cut off
 * @throws {RangeError} for any other time
 * @see RFC 9110 §5.6.7
 */
export function formatHttpDate(timeMs: number): string {
  if (!(timeMs >= FIRST_MS && timeMs < AFTER_LAST_MS)) throw new RangeError('An HTTP date is in the years 0 to 9999');
  const date = new Date(Math.floor(timeMs));
  const day = `${SHORT_DAYS[date.getUTCDay()]}, ${two(date.getUTCDate())} ${MONTHS[date.getUTCMonth()]}`;
  const clock = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`;
  return `${day} ${String(date.getUTCFullYear()).padStart(4, '0')} ${clock} GMT`;
}

function two(number: number): string {
  return String(number).padStart(2, '0');
}

const CLOCK = '([0-9]{2}):([0-9]{2}):([0-9]{2})';
const IMF_FIXDATE = new RegExp(`^([A-Z][a-z]{2}), ([0-9]{2}) ([A-Z][a-z]{2}) ([0-9]{4}) ${CLOCK} GMT$`);
const RFC850_DATE = new RegExp(`^([A-Z][a-z]+day), ([0-9]{2})-([A-Z][a-z]{2})-([0-9]{2}) ${CLOCK} GMT$`);
const ASCTIME_DATE = new RegExp(`^([A-Z][a-z]{2}) ([A-Z][a-z]{2}) ([0-9]{2}| [0-9]) ${CLOCK} ([0-9]{4})$`);

/**
 * The time that an HTTP date stands for. All three forms are read, to the letter: the case must be right, the day must
 * exist and fall on the named day of the week.
 *
 * @param text - attacker-controlled
 * @param nowMs - the current time, milliseconds since the epoch; only decides the century of a two-digit year
 * @returns milliseconds since the epoch; undefined when the text is not such a date
 * @see RFC 9110 §5.6.7
 */
export function parseHttpDate(text: string, nowMs: number): number | undefined {
  let match = IMF_FIXDATE.exec(text);
  if (match !== null) {
    const [, weekday, day, month, year, ...clock] = match;
    return toTime(SHORT_DAYS, { weekday, day, month, year: Number(year), clock });
  }
  match = ASCTIME_DATE.exec(text);
  if (match !== null) {
    const [, weekday, month, day, hour, minute, second, year] = match;
    return toTime(SHORT_DAYS, { weekday, day, month, year: Number(year), clock: [hour, minute, second] });
  }
  match = RFC850_DATE.exec(text);
  if (match === null) return undefined;
  const [, weekday, day, month, year, ...clock] = match;
  return twoDigitYear({ weekday, day, month, year: Number(year), clock }, nowMs);
}

/** The captured parts; every number still as decimal digits, except the year. */
interface Parts {
  readonly weekday: string | undefined;
  readonly day: string | undefined;
  readonly month: string | undefined;
  readonly year: number;
  readonly clock: readonly (string | undefined)[];
}

function toTime(weekdays: readonly string[], parts: Parts): number | undefined {
  const [hour = -1, minute = -1, second = -1] = parts.clock.map(Number);
  const month = MONTHS.indexOf(parts.month ?? '');
  const day = Number(parts.day);
  if (month < 0 || day < 1 || day > daysInMonth(parts.year, month)) return undefined;
  if (hour > 23 || minute > 59 || second > (hour === 23 && minute === 59 ? LEAP_SECOND : 59)) return undefined;
  const days = dayNumber(parts.year, month, day);
  if (weekdays[(((days + EPOCH_WEEKDAY) % 7) + 7) % 7] !== parts.weekday) return undefined;
  return days * DAY_MS + ((hour * 60 + minute) * 60 + second) * 1000;
}

/** The grammar has a second 60; it is the same instant as the midnight after it. */
const LEAP_SECOND = 60;
/** 1970-01-01 was a Thursday. */
const EPOCH_WEEKDAY = 4;

/**
 * A year that would lie more than 50 years ahead is the last past year with these digits. So the latest candidate that
 * is not too far ahead is meant, whatever its day of the week; that is checked afterwards.
 */
function twoDigitYear(parts: Parts, nowMs: number): number | undefined {
  const century = Math.floor(new Date(nowMs).getUTCFullYear() / 100) * 100;
  for (const year of [century + 100 + parts.year, century + parts.year, century - 100 + parts.year]) {
    const latest = new Date(nowMs).setUTCFullYear(new Date(nowMs).getUTCFullYear() + 50);
    if (dayNumber(year, MONTHS.indexOf(parts.month ?? ''), Number(parts.day)) * DAY_MS <= latest) {
      return toTime(LONG_DAYS, { ...parts, year });
    }
  }
  return undefined;
}

function isLeapYear(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

function daysInMonth(year: number, month: number): number {
  return month === 1 && isLeapYear(year) ? 29 : (DAYS_IN_MONTH[month] ?? 0);
}

/** Days from 1970-01-01 in the Gregorian calendar; `month` counts from 0. */
function dayNumber(year: number, month: number, day: number): number {
  // Years from March, so that the leap day is the last day of a year.
  const shifted = month < 2 ? year - 1 : year;
  const leaps = Math.floor(shifted / 4) - Math.floor(shifted / 100) + Math.floor(shifted / 400);
  const daysBeforeMonth = Math.floor((153 * ((month + 10) % 12) + 2) / 5);
  return shifted * 365 + leaps + daysBeforeMonth + day - 1 - 719_468;
}
