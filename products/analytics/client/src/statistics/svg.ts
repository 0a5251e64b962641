/** SVG as text: a handful of shapes, everything escaped. */

/** Attributes of an element; numbers are written with at most two decimals. */
export type SvgAttributes = Readonly<Record<string, string | number>>;

/** A round number on an axis. */
export interface Tick {
  readonly value: number;
  readonly label: string;
}

/** A straight mapping from values to pixels. */
export interface Axis {
  /** Where a value lies, pixels. */
  at(value: number): number;
  /** Round values within the axis, rising. */
  readonly ticks: readonly Tick[];
}

/** Characters that XML 1.0 cannot hold, not even escaped: controls, lone surrogates, noncharacters. */
const NOT_XML = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu;

/** Width of a character of the font used, as a part of its size: an estimate on the wide side. */
const CHARACTER = 0.6;

/** Size of all text, pixels. */
export const FONT_SIZE = 12;

/**
 * An element with its children.
 *
 * @param children - elements, already written
 */
export function element(name: string, attributes: SvgAttributes, ...children: readonly string[]): string {
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${escapeXml(write(value))}"`);
  const head = `<${name}${written.join('')}`;
  return children.length === 0 ? `${head}/>` : `${head}>${children.join('')}</${name}>`;
}

/**
 * A line of text.
 *
 * @param content - anything, for instance a string that clients reported; shortened to fit
 * @param width - most that it may take, pixels
 */
export function textAt(
  x: number,
  y: number,
  content: string,
  anchor: 'start' | 'middle' | 'end',
  width: number = Number.POSITIVE_INFINITY,
): string {
  const shown = escapeXml(shorten(content, width));
  return element('text', { x, y, 'text-anchor': anchor }, shown);
}

/** How wide a text is going to be, pixels; an estimate. */
export function textWidth(content: string): number {
  return Array.from(content).length * FONT_SIZE * CHARACTER;
}

/**
 * A whole image.
 *
 * @param title - read out by screen readers
 */
export function document(width: number, height: number, title: string, ...children: readonly string[]): string {
  const attributes = {
    xmlns: 'http://www.w3.org/2000/svg',
    width,
    height,
    viewBox: `0 0 ${write(width)} ${write(height)}`,
    role: 'img',
    'font-family': 'system-ui, sans-serif',
    'font-size': FONT_SIZE,
    fill: '#222',
  };
  const background = element('rect', { width, height, fill: '#fff' });
  return `${element('svg', attributes, element('title', {}, escapeXml(title)), background, ...children)}\n`;
}

/**
 * An axis that holds zero and all values, with round ticks.
 *
 * @param values - finite
 * @param from - pixel of the smallest
 * @param to - pixel of the largest
 */
export function axisOf(values: readonly number[], from: number, to: number): Axis {
  const low = values.reduce((a, b) => Math.min(a, b), 0);
  const reached = values.reduce((a, b) => Math.max(a, b), 0);
  const high = low === reached ? 1 : reached;
  const step = roundStep((high - low) / 5);
  const first = Math.floor(low / step + 1e-9);
  const last = Math.ceil(high / step - 1e-9);
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => {
    const value = (first + i) * step;
    return { value, label: formatNumber(value) };
  });
  const scale = (to - from) / ((last - first) * step);
  return { at: (value) => from + (value - first * step) * scale, ticks };
}

/** A number for people: six digits at most, no trailing zeros. */
export function formatNumber(value: number): string {
  return String(Number(value.toPrecision(6)) + 0);
}

/** Text that cannot be taken for markup. */
export function escapeXml(text: string): string {
  const marks: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text.replace(NOT_XML, '\ufffd').replace(/[&<>"']/g, (mark) => marks[mark] ?? '');
}

function shorten(content: string, width: number): string {
  const room = Math.floor(width / (FONT_SIZE * CHARACTER));
  const characters = Array.from(content);
  return characters.length <= room ? content : `${characters.slice(0, Math.max(0, room - 1)).join('')}\u2026`;
}

function write(value: string | number): string {
  return typeof value === 'number' ? String(Math.round(value * 100) / 100) : value;
}

/** 1, 2 or 5 times a power of ten, not below the width. */
function roundStep(width: number): number {
  const power = 10 ** Math.floor(Math.log10(width));
  const factor = [1, 2, 5, 10].find((candidate) => candidate * power >= width * (1 - 1e-9)) ?? 10;
  return factor * power;
}
