export type { Field } from './field.ts';
