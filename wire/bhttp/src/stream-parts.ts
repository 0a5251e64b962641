/** The parts of a message, each read from an {@link Intake} as far as it has arrived. */
import { Writer } from '@privacy-edge/bytes';
import type { Field } from './field.ts';
import type { FieldSection } from './field-rules.ts';
import { parseFieldLines, sectionTooLong } from './field-section.ts';
import type { Intake } from './intake.ts';
import type { DecodeLimits } from './limits.ts';

/** One field section. Make a new one for each section. */
export class SectionReader {
  readonly #section: FieldSection;
  readonly #limits: DecodeLimits;
  readonly #read: (intake: Intake) => Uint8Array | undefined;
  /** Known length: bytes of the section. Indeterminate: bytes of the name or value being read. */
  #length: number | undefined;
  #next: 'name' | 'value' = 'name';
  #used = 0;
  readonly #lines: Writer;
  #lineCount = 0;

  constructor(known: boolean, section: FieldSection, limits: DecodeLimits) {
    this.#section = section;
    this.#limits = limits;
    this.#lines = new Writer(known ? 0 : 256);
    this.#read = known ? (intake) => this.#readKnown(intake) : (intake) => this.#readTerminated(intake);
  }

  /** Whether the message may end here, which leaves the section empty. RFC 9292 §3.8. */
  get isUntouched(): boolean {
    return this.#length === undefined && this.#used === 0;
  }

  /** The fields once the section is complete. */
  take(intake: Intake): Field[] | undefined {
    const lines = this.#read(intake);
    return lines === undefined ? undefined : parseFieldLines(lines, this.#section, this.#limits);
  }

  #readKnown(intake: Intake): Uint8Array | undefined {
    if (this.#length === undefined) {
      this.#length = intake.varint();
      if (this.#length === undefined) return undefined;
      if (this.#length > this.#limits.maxFieldSectionBytes) throw sectionTooLong(this.#section);
    }
    return intake.bytes(this.#length);
  }

  /** Collects names and values with their lengths, which makes the same bytes as a section of known length. */
  #readTerminated(intake: Intake): Uint8Array | undefined {
    for (;;) {
      const before = intake.consumed;
      const done = this.#length === undefined ? this.#takeLength(intake) : this.#takeText(intake, this.#length);
      this.#used += intake.consumed - before;
      if (done === undefined) return undefined;
      if (done === 'section') return this.#lines.finish();
    }
  }

  #takeLength(intake: Intake): 'piece' | 'section' | undefined {
    const before = intake.consumed;
    const length = intake.varint();
    if (length === undefined) return undefined;
    if (this.#next === 'name' && length === 0) return 'section';
    const total = this.#used + (intake.consumed - before) + length;
    if (total > this.#limits.maxFieldSectionBytes) throw sectionTooLong(this.#section);
    if (this.#next === 'name' && ++this.#lineCount > this.#limits.maxFields) throw sectionTooLong(this.#section);
    this.#lines.varint(length);
    this.#length = length;
    return 'piece';
  }

  #takeText(intake: Intake, length: number): 'piece' | undefined {
    const text = intake.bytes(length);
    if (text === undefined) return undefined;
    this.#lines.bytes(text);
    this.#length = undefined;
    this.#next = this.#next === 'name' ? 'value' : 'name';
    return 'piece';
  }
}

/** The content of a message. */
export class ContentReader {
  readonly #known: boolean;
  #left = 0;
  #chunks = 0;
  #done = false;

  constructor(known: boolean) {
    this.#known = known;
  }

  /** Whether the message may end here, which leaves the content empty. RFC 9292 §3.8. */
  get isUntouched(): boolean {
    return this.#chunks === 0;
  }

  /**
   * All content that has arrived, `done` after the last of it, or undefined when more bytes are needed. A sender may cut
   * content into chunks of one byte, and what is done for each piece further on costs more than to join them here.
   */
  take(intake: Intake): Uint8Array | 'done' | undefined {
    const first = this.#some(intake);
    if (first === undefined) return this.#done ? 'done' : undefined;
    let joined: Writer | undefined;
    for (let more = this.#some(intake); more !== undefined; more = this.#some(intake)) {
      joined ??= new Writer(first.length).bytes(first);
      joined.bytes(more);
    }
    return joined?.finish() ?? first;
  }

  /** Content of one chunk. */
  #some(intake: Intake): Uint8Array | undefined {
    if (this.#left === 0 && !this.#done) {
      const length = this.#known && this.#chunks > 0 ? 0 : intake.varint();
      if (length === undefined) return undefined;
      this.#chunks++;
      this.#left = length;
      this.#done = length === 0;
    }
    const bytes = intake.some(this.#left);
    if (bytes !== undefined) this.#left -= bytes.length;
    return bytes;
  }
}
