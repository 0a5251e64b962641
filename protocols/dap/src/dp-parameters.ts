/**
 * Differential privacy of a task: the private task extension 0xFF51. DAP §8.5 leaves the mechanism open.
 *
 * Each aggregator adds noise that is enough on its own, so that the promise holds while one of them is honest. The promise
 * is for one collection: a batch that is collected several times pays each time.
 */
import { type Codec, DecodeError, type Reader, type Writer } from '@privacy-edge/bytes';
import { type Adjacency, type Mechanism, type Rational, rational } from '@privacy-edge/dp';
import { codec } from './codec.ts';
import { readUint64, writeUint64 } from './uint64.ts';

/** What noise each aggregator adds. The sensitivity follows from the VDAF and its parameters. */
export interface DpParameters {
  /** Discrete Laplace noise with an epsilon, or discrete Gaussian noise with a rho; of one collection. */
  readonly mechanism: Mechanism;
  /** Against which change of a batch the promise is. */
  readonly adjacency: Adjacency;
}

const LAPLACE = 0x01;
const GAUSSIAN = 0x02;
const SUBSTITUTION = 0x01;
const ADDITION = 0x02;

/**
 * enum { laplace(1), gaussian(2), (255) } DpMechanism;   enum { substitution(1), addition(2), (255) } DpAdjacency;
 *
 * struct { DpMechanism mechanism; DpAdjacency adjacency; uint64 budget_numerator; uint64 budget_denominator; }   0xFF51
 *
 * The budget is positive and in lowest terms: epsilon of pure differential privacy for Laplace, rho of zero-concentrated
 * differential privacy for Gaussian.
 */
export const DpParameters: Codec<DpParameters> = codec('differential privacy extension', {
  read: (reader) => {
    const isLaplace = readChoice(reader, LAPLACE, GAUSSIAN);
    const adjacency = readChoice(reader, SUBSTITUTION, ADDITION) ? 'substitution' : 'addition';
    const budget = readBudget(reader);
    return {
      mechanism: isLaplace ? { kind: 'laplace', epsilon: budget } : { kind: 'gaussian', rho: budget },
      adjacency,
    };
  },
  write: (writer, { mechanism, adjacency }) => {
    writer.u8(mechanism.kind === 'laplace' ? LAPLACE : GAUSSIAN);
    writer.u8(adjacency === 'substitution' ? SUBSTITUTION : ADDITION);
    writeBudget(writer, mechanism.kind === 'laplace' ? mechanism.epsilon : mechanism.rho);
  },
});

function readChoice(reader: Reader, yes: number, no: number): boolean {
  const choice = reader.u8();
  if (choice !== yes && choice !== no) {
    throw new DecodeError('INVALID', 'The differential privacy extension has an unknown choice');
  }
  return choice === yes;
}

function readBudget(reader: Reader): Rational {
  const [numerator, denominator] = [readUint64(reader), readUint64(reader)];
  // Without budget the noise would be infinite, without denominator there would be none.
  if (numerator === 0n || denominator === 0n)
    throw new DecodeError('INVALID', 'A privacy budget is a positive fraction');
  const budget = rational(numerator, denominator);
  if (budget.numerator !== numerator) throw new DecodeError('INVALID', 'A privacy budget is not in lowest terms');
  return budget;
}

function writeBudget(writer: Writer, { numerator, denominator }: Rational): void {
  const budget = rational(numerator, denominator);
  if (budget.numerator <= 0n) throw new RangeError('A privacy budget is a positive fraction');
  writeUint64(writer, budget.numerator);
  writeUint64(writer, budget.denominator);
}
