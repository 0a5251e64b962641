/** The affine parts of circuits over Field64; see circuits128. VDAF §7.4. */
import { add, at, dot, multiply, put, subtract } from './field64';

/** out = Σ a[i]·b[i]. */
export function inner64(a: usize, b: usize, count: usize, out: usize): void {
  put(out, 0, dot(a, b, 8, count));
}

/** The inputs that check for bits. */
export function bitWires64(measurement: usize, length: usize, padded: usize, one: usize, right: usize): void {
  memory.fill(measurement + 8 * length, 0, 8 * (padded - length));
  for (let i: usize = 0; i < padded; i++) put(right, i, subtract(at(measurement, i), load<u64>(one)));
}

/** decode_range_checked_int for `count` numbers of `bits` elements each. */
export function weigh64(elements: usize, count: usize, bits: usize, lastWeight: usize, out: usize): void {
  for (let i: usize = 0; i < count; i++) {
    let sum: u64 = 0;
    for (let l = bits - 1; l > 0; l--) sum = add(add(sum, sum), at(elements, l - 1));
    put(out, i, add(sum, multiply(at(elements, bits - 1), load<u64>(lastWeight))));
    elements += 8 * bits;
  }
}
