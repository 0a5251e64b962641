/** What the reference throws when the document says that a step fails. Anything else that is thrown is a fault of ours. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
}

/** Throws a {@link Refusal} unless the condition holds. */
export function demand(condition: boolean, otherwise: string): asserts condition {
  if (!condition) throw new Refusal(otherwise);
}
