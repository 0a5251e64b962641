import { backend } from '#backend';
import type { RandomSource } from './types.ts';

/**
 * The platform's generator. Passing exactly this function to {@link SenderSetup} lets MLKEM768-X25519 use the platform's
 * own ML-KEM, where it has one.
 */
export const systemRandom: RandomSource = backend.random;
