/** What went wrong, for programs. */
export type StatisticsErrorCode =
  /** Bounds, steps, boundaries, names or rounds do not make a usable mapping. */
  | 'MAPPING_INVALID'
  /** A value that an application measured is outside of what its mapping takes. */
  | 'VALUE_INVALID'
  /** An aggregate does not have the shape of the statistic it is read as. */
  | 'RESULT_INVALID';

/** Every failure of the statistics that a configuration, an application or a result can cause. Holds no measured value. */
export class StatisticsError extends Error {
  override readonly name: string = 'StatisticsError';
  readonly code: StatisticsErrorCode;

  /**
   * @param code - stable, for programs
   * @param message - for people; must not contain measured values
   */
  constructor(code: StatisticsErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
