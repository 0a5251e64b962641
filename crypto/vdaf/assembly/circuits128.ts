/** The affine parts of circuits over Field128. VDAF §7.4. */
import {
  addElement,
  addLimbs,
  clearElement,
  copyElement,
  LIMBS,
  multiply,
  pack,
  SIZE,
  setSquareOfR,
  subtractElement,
  toMontgomery,
  unpack,
} from './field128';
import { AFFINE, FIRST, PRODUCT, SECOND, SUM } from './scratch';

/** out = Σ elements[i]. */
export function total128(elements: usize, count: usize, out: usize): void {
  clearElement(AFFINE);
  for (let i: usize = 0; i < count; i++) addElement(AFFINE, AFFINE, elements + SIZE * i);
  copyElement(out, AFFINE);
}

/** out = Σ a[i]·b[i]. */
export function inner128(a: usize, b: usize, count: usize, out: usize): void {
  memory.fill(SUM, 0, LIMBS);
  for (let i: usize = 0; i < count; i++) {
    toMontgomery(a + SIZE * i, FIRST);
    unpack(b + SIZE * i, SECOND);
    multiply(FIRST, FIRST, SECOND);
    addLimbs(SUM, SUM, FIRST);
  }
  pack(SUM, out);
}

/**
 * The inputs that check for bits: left is the measurement, right the measurement minus one, both padded.
 *
 * @param measurement - `padded` elements, of which the ones from `length` on are set to zero
 * @param one - a share of one
 * @param right - receives `padded` elements
 */
export function bitWires128(measurement: usize, length: usize, padded: usize, one: usize, right: usize): void {
  memory.fill(measurement + SIZE * length, 0, SIZE * (padded - length));
  for (let at: usize = 0; at < SIZE * padded; at += SIZE) subtractElement(right + at, measurement + at, one);
}

/**
 * decode_range_checked_int for `count` numbers of `bits` elements each.
 *
 * @param lastWeight - an element, the weight of each number's last one; the others weigh 1, 2, 4, …
 */
export function weigh128(elements: usize, count: usize, bits: usize, lastWeight: usize, out: usize): void {
  toMontgomery(lastWeight, FIRST);
  for (let i: usize = 0; i < count; i++) {
    const last = bits - 1;
    unpack(elements + SIZE * last, SECOND);
    multiply(SECOND, SECOND, FIRST);
    clearElement(AFFINE);
    for (let l = last; l > 0; l--) {
      addElement(AFFINE, AFFINE, AFFINE);
      addElement(AFFINE, AFFINE, elements + SIZE * (l - 1));
    }
    pack(SECOND, out);
    addElement(out, out, AFFINE);
    elements += SIZE * bits;
    out += SIZE;
  }
}

/** All pairs (i, j) with i <= j of the numbers, in row order: i to the left, j to the right. */
export function pairs128(numbers: usize, count: usize, left: usize, right: usize): void {
  for (let i: usize = 0; i < count; i++) {
    for (let j = i; j < count; j++) {
      copyElement(left, numbers + SIZE * i);
      copyElement(right, numbers + SIZE * j);
      left += SIZE;
      right += SIZE;
    }
  }
}

/** out[k] = a[k]·b[k] for integers below 2^32, as elements: the products that a client claims. */
export function smallProducts128(left: usize, right: usize, count: usize, out: usize): void {
  for (let at: usize = 0; at < SIZE * count; at += SIZE) {
    const product = load<u64>(left + at) * load<u64>(right + at);
    clearElement(out + at);
    store<u64>(out + at, product);
  }
}

/**
 * Σ r_k^s·terms[i] over the positions from `first` on, where position chunk·k + s - 1 has power s of the k-th element
 * of randomness.
 *
 * @param first - position of the first term
 * @param count - number of terms
 */
export function powerSum128(
  randomness: usize,
  chunk: usize,
  first: usize,
  terms: usize,
  count: usize,
  out: usize,
): void {
  memory.fill(SUM, 0, LIMBS);
  const end = first + count;
  let position = first - (first % chunk);
  while (position < end) {
    toMontgomery(randomness + SIZE * (position / chunk), FIRST);
    memory.copy(SECOND, FIRST, LIMBS);
    for (let s: usize = 0; s < chunk && position < end; s++) {
      if (position >= first) {
        unpack(terms + SIZE * (position - first), PRODUCT);
        multiply(PRODUCT, PRODUCT, SECOND);
        addLimbs(SUM, SUM, PRODUCT);
      }
      multiply(SECOND, SECOND, FIRST);
      position++;
    }
  }
  pack(SUM, out);
}

/** out[i] = a[i]·b[i]; for tests and for whoever needs a product now and then. */
export function multiply128(out: usize, a: usize, b: usize, count: usize): void {
  setSquareOfR(SUM);
  for (let at: usize = 0; at < SIZE * count; at += SIZE) {
    unpack(a + at, FIRST);
    unpack(b + at, SECOND);
    multiply(FIRST, FIRST, SECOND);
    multiply(FIRST, FIRST, SUM);
    pack(FIRST, out + at);
  }
}
