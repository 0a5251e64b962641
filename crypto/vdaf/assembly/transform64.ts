/** Tables of roots of unity and the number theoretic transform over Field64; see transform128. VDAF §6.1.2. */
import { add, at, inverseOfPower, multiply, put, rootOfUnity, subtract } from './field64';
import { reversed } from './reversal';

@inline
export function roots64(table: usize): usize {
  return table;
}

@inline
export function weights64(table: usize, p: usize): usize {
  return table + 16 * p;
}

@inline
export function kappas64(table: usize, p: usize): usize {
  return table + 24 * p;
}

@inline
function inverse64(table: usize, p: usize): usize {
  return table + 40 * p;
}

@inline
function coset64(table: usize, p: usize): usize {
  return table + 48 * p;
}

/** Bytes of the tables for 2^log values. */
export function tableSize64(log: i32): usize {
  return (<usize>56) << log;
}

/** Fills the tables for 2^log values. */
export function table64(log: i32, table: usize): void {
  const p = (<usize>1) << log;
  const n: usize = 2 * p;
  const root = rootOfUnity(log + 1);
  put(table, 0, 1);
  for (let i: usize = 1; i < n; i++) put(table, i, multiply(at(table, i - 1), root));
  for (let i: usize = 0; i < p; i++) put(weights64(table, p), i, multiply(at(table, 2 * i), inverseOfPower(log)));
  for (let i: usize = 0; i < n; i++) {
    const difference = subtract(at(table, i), at(table, n - 1));
    put(kappas64(table, p), i, multiply(multiply(at(table, i), difference), inverseOfPower(log + 1)));
  }
  for (let h: usize = 1; h < p; h *= 2) {
    for (let i: usize = 0; i < h; i++) {
      put(inverse64(table, p), h + i, at(table, (n - (p / h) * i) % n));
      put(coset64(table, p), h + i, at(table, (p / (2 * h)) * (2 * i + 1)));
    }
  }
}

/** Cooley and Tukey's steps from bit-reversed to natural order. */
@inline
function transform(values: usize, p: usize, twiddles: usize): void {
  for (let h: usize = 1; h < p; h *= 2) {
    for (let i: usize = 0; i < h; i++) {
      const w = at(twiddles, h + i);
      for (let u = i; u < p; u += 2 * h) {
        const a = at(values, u);
        const b = multiply(at(values, u + h), w);
        put(values, u, add(a, b));
        put(values, u + h, subtract(a, b));
      }
    }
  }
}

/** From values at the powers of α, in bit-reversed order, to p times the values at ω·α^i, in natural order. */
export function toOdd64(values: usize, log: i32, table: usize): void {
  const p = (<usize>1) << log;
  transform(values, p, inverse64(table, p));
  for (let i: u32 = 0; i < u32(p); i++) {
    const j = reversed(i, log);
    if (i < j) {
      const kept = at(values, i);
      put(values, i, at(values, j));
      put(values, j, kept);
    }
  }
  transform(values, p, coset64(table, p));
}
