/** Regressions as text for terminals. */
import type { Coefficient, FittedRegression, LinearFit, MomentsSummary } from '@privacy-edge/analytics/statistics';
import { printable } from '../output.ts';
import { columns } from '../table.ts';
import { numberText, probabilityText } from './words.ts';

/** Coefficients with their errors, what the fit is worth, and how its variables hang together. */
export function regressionTable(fit: LinearFit): string {
  if (fit.status === 'refused') {
    const about = fit.features.length === 0 ? '' : `: ${printable(fit.features.join(', '))}`;
    return `${REASONS[fit.reason]}${about}\n${collinearityText(fit)}\n${variableTable(fit.summary)}`;
  }
  const parts = [
    coefficientTable(fit),
    fitTable(fit),
    collinearityText(fit),
    variableTable(fit.summary),
    correlationTable(fit.summary),
  ];
  return parts.filter((part) => part !== '').join('\n');
}

const REASONS = {
  'too-few-reports': 'No fit: there are not more reports than features',
  dependent:
    'No fit: features say the same thing, so that no coefficient is the right one; --dependent drop leaves them out',
  noise: 'No fit: features cannot be told from noise',
} as const;

function coefficientTable({ coefficients, confidence, target }: FittedRegression): string {
  const interval = `${numberText(100 * confidence)} % interval`;
  const head = [printable(target), 'estimate', 'std. error', 't', 'p', interval, 'VIF'];
  return columns([head, ...coefficients.map(coefficientRow)]);
}

function coefficientRow({ name, estimate, standardError, t, pValue, interval, inflation }: Coefficient): string[] {
  const range = interval === null ? '\u2013' : interval.map((end) => numberText(end, 5)).join(' to ');
  return [
    printable(name),
    estimate === null ? 'left out' : numberText(estimate),
    numberText(standardError, 4),
    numberText(t, 4),
    probabilityText(pValue),
    range,
    numberText(inflation, 4),
  ];
}

function fitTable(fit: FittedRegression): string {
  const { rSquared, adjustedRSquared, residualDeviation, degreesOfFreedom, f, conditionNumber, repair } = fit;
  return columns([
    ['R\u00b2', `${numberText(rSquared, 5)}, adjusted ${numberText(adjustedRSquared, 5)}`],
    ['residual deviation', `${numberText(residualDeviation, 5)} with ${degreesOfFreedom} degrees of freedom`],
    ...(f === null ? [] : [['F', `${numberText(f.value, 5)}, p ${probabilityText(f.pValue)}`]]),
    ['condition number', numberText(conditionNumber, 4)],
    ['inference', INFERENCE[fit.inference]],
    ...(repair === null ? [] : [['repair', `${repair.how}: noise had made the correlations impossible, or nearly`]]),
  ]);
}

const INFERENCE = {
  exact: 'as in any textbook',
  approximate: 'approximate: noise is counted in to first order',
  'not-valid': 'none: noise was too strong',
} as const;

function collinearityText({ collinearity }: LinearFit): string {
  return collinearity
    .map((item) => {
      if (item.kind === 'constant') return `${printable(item.feature)} has the same value in every report\n`;
      if (item.kind === 'dependent') {
        const on = item.on.map(({ feature, weight }) => `${numberText(weight)} \u00d7 ${printable(feature)}`);
        return `${printable(item.feature)} depends on others exactly: ${on.join(' + ')}\n`;
      }
      const names = printable(item.features.join(', '));
      return `${names} nearly depend on each other (condition index ${numberText(item.conditionIndex, 4)})\n`;
    })
    .join('');
}

function variableTable({ variables }: MomentsSummary): string {
  const rows = variables.map(({ name, mean, deviation }) => [
    printable(name),
    numberText(mean),
    numberText(deviation, 5),
  ]);
  return columns([['variable', 'mean', 'deviation'], ...rows]);
}

function correlationTable({ variables, correlation }: MomentsSummary): string {
  if (correlation.length === 0) return '';
  const names = variables.map(({ name }) => printable(name));
  const rows = correlation.map((row, i) => [
    names[i] ?? '',
    ...row.slice(0, i + 1).map((value) => (value === null ? '\u2013' : value.toFixed(3))),
  ]);
  return columns([['correlation', ...names], ...rows]);
}
