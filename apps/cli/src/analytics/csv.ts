/** CSV as RFC 4180 §2 has it, read as it arrives. Lines may also end with LF alone. */

/** A record, with the line that it begins on, from 1. */
export interface CsvRecord {
  readonly line: number;
  readonly fields: readonly string[];
  /** What is wrong with it; then `fields` are not to be used. */
  readonly problem?: string;
}

/** Where the reader is within a field. */
type State = 'start' | 'plain' | 'quoted' | 'quote' | 'return';

/** Takes text in pieces, cut anywhere, and gives the records that are complete. */
export class CsvReader {
  #state: State = 'start';
  #field = '';
  #fields: string[] = [];
  #problem: string | undefined;
  #line = 1;
  #begins = 1;
  /** Whether anything of a record has been read. */
  #inside = false;

  /**
   * Reads on.
   *
   * @param text - from anywhere
   */
  push(text: string): CsvRecord[] {
    const records: CsvRecord[] = [];
    for (const character of text) {
      this.#inside = true;
      if (character === '\n') this.#line++;
      const done = this.#read(character);
      if (done) records.push(this.#take());
    }
    return records;
  }

  /** Ends the input: a last record needs no line end. */
  end(): CsvRecord[] {
    if (!this.#inside) return [];
    if (this.#state === 'quoted') this.#problem = 'a quoted field does not end';
    if (this.#state === 'return') this.#problem ??= 'a carriage return stands alone';
    return [this.#take()];
  }

  /** @returns whether the record is complete */
  #read(character: string): boolean {
    if (this.#state === 'quoted') {
      if (character === '"') this.#state = 'quote';
      else this.#field += character;
      return false;
    }
    if (character === '\n') return true;
    if (this.#state === 'return') this.#problem ??= 'a carriage return stands alone';
    if (character === '"') this.#readQuote();
    else if (character === ',') this.#endField();
    else if (character === '\r') this.#state = 'return';
    else {
      if (this.#state === 'quote') this.#problem ??= 'text follows a closing quote';
      this.#state = 'plain';
      this.#field += character;
    }
    return false;
  }

  #readQuote(): void {
    // Two of them stand for one.
    if (this.#state === 'quote') this.#field += '"';
    else if (this.#state !== 'start') this.#problem ??= 'a quote stands in a field that does not begin with one';
    this.#state = this.#state === 'start' || this.#state === 'quote' ? 'quoted' : 'plain';
  }

  #endField(): void {
    this.#fields.push(this.#field);
    this.#field = '';
    this.#state = 'start';
  }

  #take(): CsvRecord {
    this.#endField();
    const [line, fields, problem] = [this.#begins, this.#fields, this.#problem];
    this.#fields = [];
    this.#problem = undefined;
    this.#begins = this.#line;
    this.#inside = false;
    return problem === undefined ? { line, fields } : { line, fields, problem };
  }
}

/** A record as text with its line end; fields are quoted where they have to be. */
export function csvLine(fields: readonly (string | number | boolean | null)[]): string {
  const cells = fields.map((field) => {
    const text = field === null ? '' : String(field);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  });
  return `${cells.join(',')}\r\n`;
}
