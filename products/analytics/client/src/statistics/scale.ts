/** Real quantities as unsigned integers: bounds, a step, and what happens outside. */
import { divide, type Rational, rationalFrom, subtract } from '@privacy-edge/dp';
import { StatisticsError } from './statistics-error.ts';

/** How a quantity is measured, as an operator writes it. */
export interface ScaleOptions {
  /** Smallest value. */
  readonly lo: number;
  /** Largest value; a whole number of steps above `lo`. */
  readonly hi: number;
  /** Distance of neighbouring values; what lies between is rounded. */
  readonly step: number;
  /** Values outside count as the nearest bound, or are refused; default `clip`. */
  readonly outside?: 'clip' | 'refuse' | undefined;
}

/** A quantity that is measured in whole steps from a lower bound. */
export interface Scale {
  readonly lo: Rational;
  readonly step: Rational;
  /** Number of steps from the lower bound to the upper one: the largest measurement. */
  readonly max: number;
  readonly outside: 'clip' | 'refuse';
}

/**
 * Prepares a scale. Bounds and step are taken as the decimals they are typed as, so that 0 to 1 in steps of 0.1 is ten
 * steps exactly.
 *
 * @throws {StatisticsError} `MAPPING_INVALID` when the step is not above zero or does not lead from `lo` to `hi`, or the
 * number of steps exceeds 2^53 - 1
 */
export function scaleOf(options: ScaleOptions): Scale {
  const { lo, hi, step } = options;
  if (![lo, hi, step].every(Number.isFinite) || step <= 0 || hi <= lo) {
    throw new StatisticsError('MAPPING_INVALID', 'Cannot use scale: it needs lo below hi and a step above zero');
  }
  const steps = divide(subtract(rationalFrom(hi), rationalFrom(lo)), rationalFrom(step));
  if (steps.denominator !== 1n || steps.numerator > Number.MAX_SAFE_INTEGER) {
    throw new StatisticsError(
      'MAPPING_INVALID',
      'Cannot use scale: hi is not a whole, usable number of steps above lo',
    );
  }
  return {
    lo: rationalFrom(lo),
    step: rationalFrom(step),
    max: Number(steps.numerator),
    outside: options.outside ?? 'clip',
  };
}

/**
 * The measurement for a value: how many steps it is above the lower bound, rounded.
 *
 * @param value - from the application
 * @returns an integer from 0 to `max`
 * @throws {StatisticsError} `VALUE_INVALID` when it is not finite, or outside of a scale that refuses
 */
export function toSteps({ lo, step, max, outside }: Scale, value: number): number {
  if (!Number.isFinite(value)) throw new StatisticsError('VALUE_INVALID', 'Cannot measure value: it is not finite');
  // Not divided by the step as a double: 1/3 of a step of 0.1 is better multiplied by 10.
  const steps = ((value - quotient(lo)) * Number(step.denominator)) / Number(step.numerator);
  if ((steps < 0 || steps > max) && outside === 'refuse') {
    throw new StatisticsError('VALUE_INVALID', 'Cannot measure value: it is outside of its scale');
  }
  return Math.min(max, Math.max(0, Math.round(steps)));
}

/**
 * The value that so many steps stand for.
 *
 * @param steps - any number, for instance a mean
 */
export function fromSteps({ lo, step }: Scale, steps: number): number {
  return quotient(lo) + (steps * Number(step.numerator)) / Number(step.denominator);
}

function quotient({ numerator, denominator }: Rational): number {
  return Number(numerator) / Number(denominator);
}
