/** Tail probabilities of Student's t and Fisher's F, by the incomplete beta function. */
import { normalTails } from '@privacy-edge/dp';

/** Degrees of freedom from which the difference to the normal distribution is a series with quickly falling terms. */
const NEARLY_NORMAL = 1e6;

/** Steps of the continued fraction; it takes about the root of the larger parameter. */
const MAX_STEPS = 20_000;

/** Smallest divisor in the continued fraction. */
const TINY = 1e-300;

/** Coefficients of Lanczos's approximation with g = 7 and nine terms, good to 15 digits. */
const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
];

/**
 * Probability that Student's t is farther from zero than `t`, on either side.
 *
 * @param freedom - degrees of freedom, above zero
 */
export function studentTails(t: number, freedom: number): number {
  if (!Number.isFinite(t)) return 0;
  const square = t * t;
  if (freedom > NEARLY_NORMAL) return normalTails(normalEquivalent(square, freedom));
  return incompleteBeta(freedom / (freedom + square), square / (freedom + square), freedom / 2, 0.5);
}

/**
 * The t that is exceeded on either side with the given probability.
 *
 * @param tails - both sides together, above 0 and below 1
 * @param freedom - degrees of freedom, above zero
 */
export function studentQuantile(tails: number, freedom: number): number {
  let [low, high] = [0, 1];
  while (studentTails(high, freedom) > tails) high *= 2;
  for (let i = 0; i < 100 && high - low > 1e-15 * high; i++) {
    const middle = (low + high) / 2;
    if (studentTails(middle, freedom) > tails) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/**
 * Probability that Fisher's F is larger than `f`.
 *
 * @param upper - degrees of freedom of the numerator
 * @param lower - degrees of freedom of the denominator
 */
export function fisherTail(f: number, upper: number, lower: number): number {
  const sum = upper * f + lower;
  return incompleteBeta(lower / sum, (upper * f) / sum, lower / 2, upper / 2);
}

/** The normal deviation that is as improbable as t. Hill, "Student's t-distribution", CACM algorithm 395, 1970. */
function normalEquivalent(square: number, freedom: number): number {
  const a = freedom - 0.5;
  const z = Math.sqrt(a * Math.log1p(square / freedom));
  return z + (z ** 3 + 3 * z) / (48 * a * a);
}

/** Regularised incomplete beta function at `x`, where `y` is 1 - x without loss of digits. */
function incompleteBeta(x: number, y: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (y <= 0) return 1;
  const front = Math.exp(a * logOf(x, y) + b * logOf(y, x) - logBeta(a, b));
  // The fraction converges fast below the mean; above, the mirror image does.
  return x < (a + 1) / (a + b + 2) ? (front * betaFraction(x, a, b)) / a : 1 - (front * betaFraction(y, b, a)) / b;
}

/** The continued fraction of the incomplete beta function, by Lentz's method. */
function betaFraction(x: number, a: number, b: number): number {
  let c = 1;
  let d = 1 / awayFromZero(1 - ((a + b) * x) / (a + 1));
  let value = d;
  for (let m = 1; m < MAX_STEPS; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    let change = 1;
    for (const term of [even, odd]) {
      d = 1 / awayFromZero(1 + term * d);
      c = awayFromZero(1 + term / c);
      change = d * c;
      value *= change;
    }
    if (Math.abs(change - 1) < Number.EPSILON) break;
  }
  return value;
}

function awayFromZero(value: number): number {
  return Math.abs(value) < TINY ? TINY : value;
}

/** Logarithm of x, where y is 1 - x: close to one, x itself has lost what matters. */
function logOf(x: number, y: number): number {
  return x > 0.5 ? Math.log1p(-y) : Math.log(x);
}

/** Logarithm of the beta function. */
function logBeta(a: number, b: number): number {
  const [small, large] = a < b ? [a, b] : [b, a];
  return logGamma(small) - logGammaRise(large, small);
}

/** log(Gamma(x + rise) / Gamma(x)): for large x by Stirling's series, of which the large parts cancel on paper. */
function logGammaRise(x: number, rise: number): number {
  if (x < 30) return logGamma(x + rise) - logGamma(x);
  return (x - 0.5) * Math.log1p(rise / x) + rise * (Math.log(x + rise) - 1) + stirlingRest(x + rise) - stirlingRest(x);
}

function stirlingRest(x: number): number {
  const square = 1 / (x * x);
  return (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square / 1680))) / x;
}

/** Logarithm of the gamma function, for arguments from 0.5. */
function logGamma(x: number): number {
  const z = x - 1;
  const sum = LANCZOS.slice(1).reduce((total, coefficient, i) => total + coefficient / (z + i + 1), LANCZOS[0] ?? 1);
  const base = z + 7.5;
  return 0.5 * Math.log(2 * Math.PI) + (z + 0.5) * Math.log(base) - base + Math.log(sum);
}
