/**
 * Proofs over Field64; see flp128 for the meaning of the vectors. VDAF §7.3.
 *
 * Besides ParallelSum(Mul) there is the gadget x² - x, PolyEval of VDAF §7.4.2: it is meant by `right` zero, has one
 * wire and a chunk of 1. `jointRandomness` zero stands for ones.
 */
import { add, at, dot, inverseOfPower, multiply, put, subtract } from './field64';
import { reversed } from './reversal';
import { kappas64, roots64, toOdd64, weights64 } from './transform64';

/** Bytes of working memory that {@link prove64} and {@link query64} need. */
export function flpWork64(log: i32): usize {
  return (<usize>48) << log;
}

@inline
function randomnessOf(jointRandomness: usize, k: usize): u64 {
  return jointRandomness === 0 ? 1 : at(jointRandomness, k);
}

/** The gadget, or one of its products. */
@inline
function gadget(a: u64, b: u64, single: bool): u64 {
  return single ? multiply(a, subtract(a, 1)) : multiply(a, b);
}

/** prove: the wire seeds, then the gadget polynomial; see prove128. */
export function prove64(
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
  const single = right === 0;
  const wires: usize = single ? 1 : 2;
  const powers = work;
  const leftWire = powers + 8 * p;
  const rightWire = leftWire + 8 * p;
  const polynomial = proof + 8 * wires * chunk;
  const scale = inverseOfPower(log);

  memory.copy(proof, proveRandomness, 8 * wires * chunk);
  memory.fill(polynomial, 0, 8 * (2 * p - 1));
  for (let k: usize = 0; k < calls; k++) put(powers, k, randomnessOf(jointRandomness, k));
  for (let j: usize = 0; j < chunk; j++) {
    memory.fill(leftWire, 0, 16 * p);
    put(leftWire, 0, at(proof, wires * j));
    if (!single) put(rightWire, 0, at(proof, wires * j + 1));
    for (let k: usize = 0; k < calls; k++) {
      const to = usize(reversed(u32(k + 1), log));
      const power = at(powers, k);
      put(leftWire, to, multiply(at(left, chunk * k + j), power));
      put(powers, k, multiply(power, randomnessOf(jointRandomness, k)));
      if (!single) put(rightWire, to, at(right, chunk * k + j));
    }
    for (let k: usize = 0; k <= calls; k++) {
      const from = usize(reversed(u32(k), log));
      const value = gadget(at(leftWire, from), at(rightWire, from), single);
      put(polynomial, 2 * k, add(at(polynomial, 2 * k), value));
    }
    toOdd64(leftWire, log, table);
    if (!single) toOdd64(rightWire, log, table);
    for (let k: usize = 0; k < p - 1; k++) {
      const a = multiply(at(leftWire, k), scale);
      const b = multiply(at(rightWire, k), scale);
      put(polynomial, 2 * k + 1, add(at(polynomial, 2 * k + 1), gadget(a, b, single)));
    }
  }
}

/** The products of all (t - x_j) but one, and of all; see flp128. */
@inline
function partialProducts(t: u64, points: usize, count: usize, products: usize): u64 {
  put(products, 0, 1);
  for (let i: usize = 1; i < count; i++) {
    put(products, i, multiply(at(products, i - 1), subtract(t, at(points, 2 * (i - 1)))));
  }
  let total: u64 = 1;
  for (let i = count; i > 0; i--) {
    put(products, i - 1, multiply(at(products, i - 1), total));
    total = multiply(total, subtract(t, at(points, 2 * (i - 1))));
  }
  return total;
}

/**
 * query: the verifier, whose first element is left to the caller except for what the gadget adds to it; see query128.
 *
 * @param outputRandomness - `calls` elements that the gadget's outputs are multiplied by, or zero for ones
 * @returns 0 when t is a root of unity of order p: the report must be refused
 */
export function query64(
  left: usize,
  right: usize,
  calls: usize,
  chunk: usize,
  log: i32,
  table: usize,
  proof: usize,
  jointRandomness: usize,
  outputRandomness: usize,
  point: usize,
  verifier: usize,
  work: usize,
): u32 {
  const p = (<usize>1) << log;
  const single = right === 0;
  const wires: usize = single ? 1 : 2;
  const powers = work;
  const evens = powers + 8 * p;
  const odds = evens + 8 * p;
  const coefficients = odds + 8 * p;
  const polynomial = proof + 8 * wires * chunk;
  const t = load<u64>(point);

  const evenTotal = partialProducts(t, roots64(table), p, evens);
  const oddTotal = partialProducts(t, roots64(table) + 8, p - 1, odds);
  let even: u64 = 0;
  let odd: u64 = 0;
  for (let k: usize = 0; k < p; k++) {
    const product = multiply(at(evens, k), at(kappas64(table, p), 2 * k));
    even = add(even, multiply(product, at(polynomial, 2 * k)));
  }
  for (let k: usize = 0; k < p - 1; k++) {
    const product = multiply(at(odds, k), at(kappas64(table, p), 2 * k + 1));
    odd = add(odd, multiply(product, at(polynomial, 2 * k + 1)));
  }
  put(verifier, wires * chunk + 1, add(multiply(even, oddTotal), multiply(odd, evenTotal)));

  let output: u64 = 0;
  for (let k: usize = 0; k < calls; k++) {
    const value = at(polynomial, 2 * (k + 1));
    output = add(output, outputRandomness === 0 ? value : multiply(value, at(outputRandomness, k)));
  }
  put(verifier, 0, output);

  for (let k: usize = 0; k <= calls; k++) {
    put(coefficients, k, multiply(at(evens, k), at(weights64(table, p), k)));
  }
  for (let k: usize = 0; k < calls; k++) {
    put(powers, k, multiply(at(coefficients, k + 1), randomnessOf(jointRandomness, k)));
  }
  for (let j: usize = 0; j < chunk; j++) {
    const seeds = proof + 8 * wires * j;
    const check: usize = 1 + wires * j;
    put(verifier, check, add(multiply(at(coefficients, 0), at(seeds, 0)), dot(powers, left + 8 * j, 8 * chunk, calls)));
    if (single) continue;
    const right0 = multiply(at(coefficients, 0), at(seeds, 1));
    put(verifier, check + 1, add(right0, dot(coefficients + 8, right + 8 * j, 8 * chunk, calls)));
    for (let k: usize = 0; k < calls; k++) put(powers, k, multiply(at(powers, k), randomnessOf(jointRandomness, k)));
  }
  return u32(evenTotal !== 0);
}

/**
 * decide: 1 when the circuit's output is zero and the gadget agrees with its polynomial, otherwise 0.
 *
 * @param verifier - no shares
 * @param single - 1 for the gadget x² - x
 */
export function decide64(verifier: usize, chunk: usize, single: u32): u32 {
  if (single) {
    const x = at(verifier, 1);
    return u32((at(verifier, 0) | (multiply(x, subtract(x, 1)) ^ at(verifier, 2))) === 0);
  }
  let sum: u64 = 0;
  for (let j: usize = 0; j < chunk; j++) {
    sum = add(sum, multiply(at(verifier, 1 + 2 * j), at(verifier, 2 + 2 * j)));
  }
  return u32((at(verifier, 0) | (sum ^ at(verifier, 2 * chunk + 1))) === 0);
}
