/** The proof system of Prio3 by itself, in bytes, for comparison with test vectors. VDAF §7.3. */
import { type MeasurementOf, type Prio3Configuration, partsOf } from './configuration.ts';
import type { Circuit, FlpLengths } from './flp.ts';
import type { Arena } from './prio3-arena.ts';
import { Prio3Instance, type ReportPlace } from './prio3-instance.ts';

/** Lengths of everything, in elements. */
export interface FlpStepLengths extends FlpLengths {
  readonly measurement: number;
  readonly jointRandomness: number;
  readonly output: number;
}

/** One proof of a circuit. All vectors are encoded, and arguments must have their lengths. */
export interface FlpSteps<Measurement> {
  /** Bytes of an element. */
  readonly elementSize: number;
  readonly lengths: FlpStepLengths;
  /** VDAF §7.1.1. @throws {@link VdafError} `MEASUREMENT_INVALID` */
  encode(measurement: Measurement): Uint8Array;
  /** VDAF §7.3.3. */
  prove(measurement: Uint8Array, proveRandomness: Uint8Array, jointRandomness: Uint8Array): Uint8Array;
  /** VDAF §7.3.4, of a share; `undefined` when the point of the test is a root of unity. */
  query(
    measurement: Uint8Array,
    proof: Uint8Array,
    queryRandomness: Uint8Array,
    jointRandomness: Uint8Array,
  ): Uint8Array | undefined;
  /** VDAF §7.3.5. */
  decide(verifier: Uint8Array): boolean;
  /** VDAF §7.1.1. */
  truncate(measurement: Uint8Array): Uint8Array;
}

/**
 * The proof system for the circuit of a configuration.
 *
 * @param configuration - of which only the circuit is used
 * @param shares - number of aggregators among which a measurement is split
 * @throws {@link VdafError} `CONFIGURATION_INVALID`
 */
export function flpSteps<const C extends Prio3Configuration>(
  configuration: C,
  shares: number = 2,
): FlpSteps<MeasurementOf<C>> {
  const { id, circuit } = partsOf(configuration);
  return stepsOf(new Prio3Instance(id, circuit as unknown as Circuit<MeasurementOf<C>, unknown>, 1, shares));
}

function stepsOf<Measurement>(instance: Prio3Instance<Measurement, unknown>): FlpSteps<Measurement> {
  const { circuit, field, lengths } = instance;
  const { size } = field;
  const run = <T>(whole: boolean, step: (arena: Arena, place: ReportPlace) => T): T =>
    instance.use((arena) =>
      step(arena, instance.reserveReport(arena, whole, arena.reserve(field.workSize(circuit.shape.log)))),
    );
  return {
    elementSize: size,
    lengths: {
      ...lengths,
      measurement: circuit.measurementLength,
      jointRandomness: circuit.jointRandomnessLength,
      output: circuit.outputLength,
    },
    encode: (measurement) =>
      run(true, (arena, place) => {
        circuit.encode(arena, place, measurement);
        return arena.read(place.measurement, size * circuit.measurementLength);
      }),
    prove: (measurement, proveRandomness, jointRandomness) =>
      run(true, (arena, place) => {
        arena.write(place.measurement, measurement);
        if (instance.joint) arena.write(place.jointRandomness, jointRandomness);
        circuit.wires(arena, place);
        field.prove(circuit.shape, instance.proofPlace(place, 0), arena.put(proveRandomness));
        return arena.read(place.proofs, size * lengths.proof);
      }),
    query: (measurement, proof, queryRandomness, jointRandomness) =>
      run(false, (arena, place) => {
        arena.write(place.measurement, measurement);
        arena.write(place.proofs, proof);
        if (instance.joint) arena.write(place.jointRandomness, jointRandomness);
        const randomness = arena.put(queryRandomness);
        const verifier = arena.reserve(size * lengths.verifier);
        circuit.wires(arena, place);
        const point = randomness + size * (lengths.queryRandomness - 1);
        const weights = circuit.evaluationLength > 1 ? randomness : 0;
        const usable = field.query(circuit.shape, instance.proofPlace(place, 0), weights, point, verifier);
        circuit.output(arena, place, place.jointRandomness, randomness, verifier);
        return usable ? arena.read(verifier, size * lengths.verifier) : undefined;
      }),
    decide: (verifier) =>
      run(false, (arena, { work }) => field.decide(arena.put(verifier), circuit.shape.chunk, circuit.single, work)),
    truncate: (measurement) =>
      run(false, (arena, place) => {
        arena.write(place.measurement, measurement);
        const out = arena.reserve(size * circuit.outputLength);
        circuit.truncate(arena, place, out);
        return arena.read(out, size * circuit.outputLength);
      }),
  };
}
