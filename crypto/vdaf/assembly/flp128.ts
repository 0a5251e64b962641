/**
 * Proofs over Field128 for circuits whose one gadget is ParallelSum(Mul): a sum of `chunk` products, called `calls`
 * times. VDAF §7.3.
 *
 * The inputs of all calls are two vectors, `left` and `right`, of calls·chunk elements: call k multiplies the elements
 * k·chunk to k·chunk + chunk - 1 pairwise, the left ones first multiplied by the powers 1 to chunk of the call's joint
 * randomness. p = 2^log is the number of values of a wire polynomial, which has the wire's seed at 1, its k-th input at
 * α^k and zeros behind. A gadget polynomial has 2p - 1 values, at the powers of ω except for the last.
 */
import {
  addElement,
  addLimbs,
  clearElement,
  dot128,
  inverseOfPower,
  LIMBS,
  multiply,
  normalise,
  pack,
  SIZE,
  setOne,
  setSquareOfR,
  settle,
  subtractLimbs,
  toMontgomery,
  unpack,
} from './field128';
import { reversed } from './reversal';
import { DECIDED } from './scratch';
import { kappas128, roots128, toOdd128, weights128 } from './transform128';

/** Bytes of working memory that {@link prove128} and {@link query128} need. */
export function flpWork128(log: i32): usize {
  return (((<usize>6) << log) + 8) * LIMBS;
}

/** The randomness of the calls in limbs, times R. */
function loadRandomness(randomness: usize, calls: usize, out: usize): void {
  for (let k: usize = 0; k < calls; k++) toMontgomery(randomness + SIZE * k, out + LIMBS * k);
}

/**
 * prove: the wire seeds, then the gadget polynomial.
 *
 * @param left - calls·chunk elements
 * @param right - calls·chunk elements
 * @param table - of {@link table128} for this `log`
 * @param proveRandomness - 2·chunk elements
 * @param jointRandomness - `calls` elements
 * @param proof - receives 2·chunk + 2p - 1 elements
 * @param work - {@link flpWork128} bytes
 */
export function prove128(
  left: usize,
  right: usize,
  calls: usize,
  chunk: usize,
  log: i32,
  table: usize,
  proveRandomness: usize,
  jointRandomness: usize,
  proof: usize,
  work: usize,
): void {
  const p = (<usize>1) << log;
  const randomness = work;
  const powers = randomness + LIMBS * p;
  const leftWire = powers + LIMBS * p;
  const rightWire = leftWire + LIMBS * p;
  const even = rightWire + LIMBS * p;
  const odd = even + LIMBS * p;
  const product = odd + LIMBS * p;

  loadRandomness(jointRandomness, calls, randomness);
  memory.copy(powers, randomness, LIMBS * calls);
  memory.fill(even, 0, 2 * LIMBS * p);
  memory.copy(proof, proveRandomness, 2 * SIZE * chunk);
  for (let j: usize = 0; j < chunk; j++) {
    memory.fill(leftWire, 0, 2 * LIMBS * p);
    unpack(proveRandomness + 2 * SIZE * j, leftWire);
    unpack(proveRandomness + 2 * SIZE * j + SIZE, rightWire);
    multiply(product, leftWire, rightWire);
    addLimbs(even, even, product);
    for (let k: usize = 0; k < calls; k++) {
      const at = LIMBS * usize(reversed(u32(k + 1), log));
      const input = SIZE * (chunk * k + j);
      const power = powers + LIMBS * k;
      unpack(left + input, leftWire + at);
      multiply(leftWire + at, leftWire + at, power);
      multiply(power, power, randomness + LIMBS * k);
      unpack(right + input, rightWire + at);
      multiply(product, leftWire + at, rightWire + at);
      addLimbs(even + LIMBS * (k + 1), even + LIMBS * (k + 1), product);
    }
    toOdd128(leftWire, log, table);
    toOdd128(rightWire, log, table);
    for (let k: usize = 0; k < p; k++) {
      normalise(rightWire + LIMBS * k);
      multiply(product, leftWire + LIMBS * k, rightWire + LIMBS * k);
      addLimbs(odd + LIMBS * k, odd + LIMBS * k, product);
    }
  }

  // Both factors were plain, so the sums lack R; those of odd index also have p twice.
  const polynomial = proof + 2 * SIZE * chunk;
  setSquareOfR(product);
  storeScaled(even, p, product, polynomial);
  inverseOfPower(2 * log, leftWire);
  multiply(product, product, leftWire);
  storeScaled(odd, p - 1, product, polynomial + SIZE);
}

/** Multiplies and stores every other element of `out`. */
function storeScaled(values: usize, count: usize, factor: usize, out: usize): void {
  for (let k: usize = 0; k < count; k++) {
    const value = values + LIMBS * k;
    settle(value);
    multiply(value, value, factor);
    pack(value, out + 2 * SIZE * k);
  }
}

/**
 * For the points x_i with the given stride in the table of roots: Π (t - x_j) over all j but i.
 *
 * @param products - receives `count` times limbs
 * @param total - receives Π (t - x_j) over all j
 * @param difference - room for one element in limbs
 */
function partialProducts(t: usize, points: usize, count: usize, products: usize, total: usize, difference: usize): void {
  setOne(products);
  for (let i: usize = 1; i < count; i++) {
    subtractLimbs(difference, t, points + 2 * LIMBS * (i - 1));
    multiply(products + LIMBS * i, products + LIMBS * (i - 1), difference);
  }
  setOne(total);
  for (let i = count; i > 0; i--) {
    const product = products + LIMBS * (i - 1);
    multiply(product, product, total);
    subtractLimbs(difference, t, points + 2 * LIMBS * (i - 1));
    multiply(total, total, difference);
  }
}

/**
 * query: the verifier, whose first element is the sum of the gadget's outputs for the caller to make the circuit's
 * output of.
 *
 * @param left - calls·chunk elements of a share
 * @param right - calls·chunk elements of a share
 * @param table - of {@link table128} for this `log`
 * @param proof - 2·chunk + 2p - 1 elements of a share
 * @param jointRandomness - `calls` elements
 * @param point - the element t
 * @param verifier - receives 2·chunk + 2 elements
 * @param work - {@link flpWork128} bytes
 * @returns 0 when t is a root of unity of order p: the report must be refused
 */
export function query128(
  left: usize,
  right: usize,
  calls: usize,
  chunk: usize,
  log: i32,
  table: usize,
  proof: usize,
  jointRandomness: usize,
  point: usize,
  verifier: usize,
  work: usize,
): u32 {
  const p = (<usize>1) << log;
  const randomness = work;
  const powers = randomness + LIMBS * p;
  const evens = powers + LIMBS * p;
  const odds = evens + LIMBS * p;
  const coefficients = odds + LIMBS * p;
  const t = coefficients + LIMBS * p;
  const evenTotal = t + LIMBS;
  const oddTotal = evenTotal + LIMBS;
  const sum = oddTotal + LIMBS;
  const sumOfOdd = sum + LIMBS;
  const temporary = sumOfOdd + LIMBS;

  // The product over all p-th roots is t^p - 1.
  toMontgomery(point, t);
  partialProducts(t, roots128(table), p, evens, evenTotal, temporary);
  partialProducts(t, roots128(table) + LIMBS, p - 1, odds, oddTotal, temporary);
  const usable = isNonZero(evenTotal, temporary);

  // A polynomial of degree below 2p - 1 needs no value at the last point. Leaving the point out of the products and
  // having its factor in the table makes the sum exact without that value.
  const polynomial = proof + 2 * SIZE * chunk;
  for (let k: usize = 0; k < p; k++) {
    multiply(coefficients + LIMBS * k, evens + LIMBS * k, kappas128(table, p) + 2 * LIMBS * k);
  }
  for (let k: usize = 0; k < p - 1; k++) {
    multiply(odds + LIMBS * k, odds + LIMBS * k, kappas128(table, p) + 2 * LIMBS * k + LIMBS);
  }
  memory.fill(sum, 0, 2 * LIMBS);
  dot128(sum, coefficients, polynomial, 2 * SIZE, p);
  dot128(sumOfOdd, odds, polynomial + SIZE, 2 * SIZE, p - 1);
  settle(sum);
  settle(sumOfOdd);
  multiply(sum, sum, oddTotal);
  multiply(sumOfOdd, sumOfOdd, evenTotal);
  addLimbs(sum, sum, sumOfOdd);
  pack(sum, verifier + SIZE * (2 * chunk + 1));

  clearElement(verifier);
  for (let k: usize = 1; k <= calls; k++) addElement(verifier, verifier, polynomial + 2 * SIZE * k);

  // coefficients[k] is now the k-th Lagrange polynomial at t, and powers[k] that times a power of the call's
  // randomness.
  for (let k: usize = 0; k <= calls; k++) {
    multiply(coefficients + LIMBS * k, evens + LIMBS * k, weights128(table, p) + LIMBS * k);
  }
  loadRandomness(jointRandomness, calls, randomness);
  for (let k: usize = 0; k < calls; k++) {
    multiply(powers + LIMBS * k, coefficients + LIMBS * (k + 1), randomness + LIMBS * k);
  }
  for (let j: usize = 0; j < chunk; j++) {
    const check = verifier + SIZE * (1 + 2 * j);
    memory.fill(sum, 0, 2 * LIMBS);
    dot128(sum, coefficients, proof + 2 * SIZE * j, SIZE, 1);
    dot128(sum, powers, left + SIZE * j, SIZE * chunk, calls);
    pack(sum, check);
    dot128(sumOfOdd, coefficients, proof + 2 * SIZE * j + SIZE, SIZE, 1);
    dot128(sumOfOdd, coefficients + LIMBS, right + SIZE * j, SIZE * chunk, calls);
    pack(sumOfOdd, check + SIZE);
    for (let k: usize = 0; k < calls; k++) {
      multiply(powers + LIMBS * k, powers + LIMBS * k, randomness + LIMBS * k);
    }
  }
  return usable;
}

/** 1 unless limbs stand for zero. */
function isNonZero(a: usize, temporary: usize): u32 {
  memory.copy(temporary, a, LIMBS);
  pack(temporary, DECIDED);
  return u32((load<u64>(DECIDED) | load<u64>(DECIDED + 8)) !== 0);
}

/**
 * decide: 1 when the circuit's output is zero and the gadget agrees with its polynomial, otherwise 0.
 *
 * @param verifier - 2·chunk + 2 elements, no shares
 * @param work - room for three elements in limbs
 */
export function decide128(verifier: usize, chunk: usize, work: usize): u32 {
  const sum = work;
  const a = sum + LIMBS;
  const b = a + LIMBS;
  memory.fill(sum, 0, LIMBS);
  for (let j: usize = 0; j < chunk; j++) {
    unpack(verifier + SIZE * (1 + 2 * j), a);
    unpack(verifier + SIZE * (2 + 2 * j), b);
    multiply(a, a, b);
    addLimbs(sum, sum, a);
  }
  settle(sum);
  setSquareOfR(a);
  multiply(sum, sum, a);
  pack(sum, DECIDED);
  const check = verifier + SIZE * (2 * chunk + 1);
  const output = load<u64>(verifier) | load<u64>(verifier + 8);
  const gadget = (load<u64>(DECIDED) ^ load<u64>(check)) | (load<u64>(DECIDED + 8) ^ load<u64>(check + 8));
  return u32((output | gadget) === 0);
}

